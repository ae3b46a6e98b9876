"""Judgments about a real index, the cost of a run, and the history of runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rag.errors import DatasetError
from rag.evaluation.data.datasets import Dataset, assemble
from rag.evaluation.data.judgments import on_answer, on_citation
from rag.evaluation.data.library import FEEDBACK, index_dataset
from rag.evaluation.report.history import past_runs, read_report, report_folders, save_run
from rag.evaluation.run.chunked import cut_documents
from rag.evaluation.run.context import EvaluationContext
from rag.evaluation.run.cost import estimate_cost
from rag.evaluation.run.embedded import embed_dataset
from rag.evaluation.run.index import VISIBLE, temporary_index
from rag.retrieval.fusion import DENSE
from rag.retrieval.request import Retrieved
from rag.settings import Settings
from rag.tasks import get_task
from rag.tasks.corpus import Record
from rag.types import Answer, Citation, Filter, Hit, Mode, StoredPoint, Strategy, VectorIndex
from tests.evaluation.build import evaluated, in_force
from tests.fakes import FakeEmbedder

BODY = "Hold the button for three seconds until the small lamp turns green and the sound is heard twice."
QA = get_task("qa")


@pytest.fixture
def index(settings: Settings, embedder: FakeEmbedder) -> Iterator[VectorIndex]:
    texts = [f"{BODY} Then the {word} begins." for word in ("pairing", "update", "alarm", "music")]
    documents = {f"d{number}": Record(f"d{number}", "", text) for number, text in enumerate(texts)}
    dataset = assemble("guide", documents, {"q": "x"}, {("q", "d0"): 1})
    context, recipe = EvaluationContext(settings, embedder), in_force(settings, "qa")
    corpus = cut_documents(dataset, QA, embedder, [], context.meter)
    with temporary_index(context, corpus, recipe, embed_dataset(context, dataset, corpus, recipe.signals)) as opened:
        yield opened


def points(index: VectorIndex) -> list[StoredPoint]:
    return [stored for batch in index.scroll(VISIBLE) for stored in batch]


def retrieved(index: VectorIndex, *ranks: int) -> Retrieved:
    stored = points(index)
    hits = tuple(Hit(stored[rank - 1].id, rank, 1.0, stored[rank - 1].payload, {DENSE: 1.0}) for rank in ranks)
    return Retrieved("How does pairing begin?", "qa", Mode.TASK_AWARE, Strategy.HYBRID, hits)


def test_thumbs_on_an_index_become_an_evaluation(
    index: VectorIndex, settings: Settings, embedder: FakeEmbedder
) -> None:
    listed = retrieved(index, 1, 2, 3)
    thumbs = [on_citation(listed, listed.hits[0], True, "r"), on_citation(listed, listed.hits[1], False, "r")]
    answer = Answer("Like so [3].", (Citation(3, listed.hits[2]),))
    thumbs.append(on_answer(listed, answer, True, "r"))
    assert (thumbs[0].rank, thumbs[2].rank, thumbs[2].about) == (1, 3, "answer")
    assert thumbs[0].texts == (listed.hits[0].payload.chunk.text,)
    dataset = index_dataset(index, VISIBLE, QA, FEEDBACK, thumbs)
    grades = dataset.judged[dataset.questions[0].id]
    assert grades == {listed.hits[0].id: 1, listed.hits[1].id: 0, listed.hits[2].id: 1}
    assert evaluated(dataset, settings, embedder).origin == "feedback"


def test_judgments_of_ones_own_about_an_index(index: VectorIndex, tmp_path: Path) -> None:
    (tmp_path / "mine.tsv").write_text("what begins with pairing\td0\t1\n")
    dataset = index_dataset(index, VISIBLE, QA, str(tmp_path / "mine.tsv"))
    owner = next(stored.payload.document for stored in points(index) if "pairing" in stored.payload.chunk.text)
    assert [dict(grades) for grades in dataset.judged.values()] == [{owner: 1}]


def test_an_empty_index_says_so(index: VectorIndex) -> None:
    with pytest.raises(DatasetError, match="Ingest documents first"):
        index_dataset(index, Filter("nobody"), QA)


def test_the_cost_is_what_a_run_embeds(dataset: Dataset, settings: Settings, embedder: FakeEmbedder) -> None:
    context, recipe = EvaluationContext(settings, embedder), in_force(settings, "qa")
    before = estimate_cost(context, dataset, recipe, ["default", "hybrid"])
    assert before.texts == 2 * (12 + 24)
    assert before.seconds > 0
    fresh = FakeEmbedder(dimension=256)
    evaluated(dataset, settings, fresh, "default", "hybrid")
    assert sum(map(len, fresh.seen)) == before.characters
    after = estimate_cost(context, dataset, recipe, ["default", "hybrid"])
    assert (after.texts, after.characters, after.seconds) == (0, 0, 0.0)


def test_runs_are_kept_in_the_history(
    dataset: Dataset, settings: Settings, embedder: FakeEmbedder, tmp_path: Path
) -> None:
    first = evaluated(dataset, settings, embedder, "bm25")
    second = replace(first, task="faq")
    folder = save_run(first, settings.data_dir)
    out = save_run(second, settings.data_dir, tmp_path / "out")
    assert (folder / "report.md").is_file()
    assert out == tmp_path / "out"
    assert (out / "report.json").is_file()
    assert [result for _, result in past_runs(settings.data_dir)] == [second, first]
    assert report_folders(settings.data_dir)[1] == folder
    (folder / "report.json").write_text("{}")
    assert [result for _, result in past_runs(settings.data_dir)] == [second]
    (folder / "report.json").unlink()
    with pytest.raises(DatasetError, match="Run it again"):
        read_report(folder)
