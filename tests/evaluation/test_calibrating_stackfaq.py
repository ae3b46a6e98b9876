"""The bundled models on a real FAQ: the index calibrates itself, a restart keeps it, a click takes it back."""

from pathlib import Path

import pytest

from rag import Rag, Request, load_settings
from rag.evaluation.data.datasets import load_dataset
from rag.models import MINILM
from rag.tasks import get_task
from rag.tasks.calibrated import MADE, load_calibration

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "stackfaq"


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason=f"no judged set in {DATA}")
def test_a_real_faq_calibrates_itself_and_goes_back(tmp_path: Path) -> None:
    rows = ["question,answer"]
    rows += [
        f'"{record.text.replace(chr(34), "")}","Entry {record.id} has the answer."'
        for record in load_dataset(DATA).documents
    ]
    settings = load_settings(data_dir=tmp_path / "data", calibrate=True, second_model=MINILM, workers=1)
    prior = get_task("faq").mix.dense_weight
    rag = Rag(settings)
    rag.ingest_uploads([("faq.csv", "\n".join(rows).encode())], "faq")
    thread = rag._parts.calibrator._thread
    assert thread is not None
    thread.join(300)
    stored = load_calibration(settings.data_dir, "faq")
    assert stored is not None
    assert (stored.grounds, stored.questions) == (MADE, 40)
    assert 0 < abs(stored.dense_weight - prior) <= 0.125
    assert [task for task, _ in rag.status().calibrated] == ["faq"]
    rag.close()
    again = Rag(settings)
    assert again._parts.recipes.of("faq").task.mix.dense_weight == stored.dense_weight
    assert again.search(Request("How do I filter messages?", "faq")).hits
    assert again.take_back_calibration("faq")
    assert again.status().calibrated == ()
    assert not again.status().problems
    assert again._parts.recipes.of("faq").task.mix.dense_weight == prior
    assert not again._parts.calibrator.consider("faq")
    again.close()
