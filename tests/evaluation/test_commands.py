"""What the commands do, on real indexes and files."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.errors import DatasetError
from rag.evaluation.commands import cost, history, index_dataset, run_evaluation, run_tuning
from rag.evaluation.data.corpus import Record
from rag.evaluation.data.datasets import Dataset, assemble
from rag.evaluation.data.judgments import on_answer, on_citation
from rag.evaluation.run.collection import VISIBLE, collect, document_vectors, open_index
from rag.evaluation.run.runs import evaluate_systems
from rag.evaluation.run.vectors import VectorCache
from rag.jobs import Meter
from rag.retrieval.fusion import DENSE
from rag.retrieval.request import Retrieved
from rag.settings import Settings
from rag.tasks import get_task
from rag.tasks.profiles import load_profile
from rag.types import Answer, Citation, Hit, Mode, StoredPoint, Strategy, VectorIndex
from tests.fakes import FakeEmbedder

BODY = "Hold the button for three seconds until the small lamp turns green and the sound is heard twice."


@pytest.fixture
def index(settings: Settings, embedder: FakeEmbedder) -> VectorIndex:
    texts = [f"{BODY} Then the {word} begins." for word in ("pairing", "update", "alarm", "music")]
    documents = {f"d{place}": Record(f"d{place}", "", text) for place, text in enumerate(texts)}
    dataset = assemble("guide", documents, {"q": "x"}, {("q", "d0"): 1})
    meter = Meter()
    collection = collect(dataset, get_task("qa"), embedder, [], meter)
    cache = VectorCache(embedder, settings.embedding_model, None)
    vectors = {Mode.TASK_AWARE: document_vectors(collection, "passage: ", cache, meter)}
    with open_index(collection, settings.embedding_model, embedder, vectors, ("query: ", "passage: "), meter) as made:
        yield made


def points(index: VectorIndex) -> list[StoredPoint]:
    return [stored for batch in index.scroll(VISIBLE) for stored in batch]


def retrieved(index: VectorIndex, *ranks: int) -> Retrieved:
    found = points(index)
    hits = tuple(Hit(found[rank - 1].id, rank, 1.0, found[rank - 1].payload, {DENSE: 1.0}) for rank in ranks)
    return Retrieved("How does pairing begin?", "qa", Mode.TASK_AWARE, Strategy.HYBRID, hits)


def test_thumbs_on_an_index_become_an_evaluation(
    index: VectorIndex, settings: Settings, embedder: FakeEmbedder
) -> None:
    shown = retrieved(index, 1, 2, 3)
    thumbs = [on_citation(shown, shown.hits[0], True, "r"), on_citation(shown, shown.hits[1], False, "r")]
    answer = Answer("Like so [3].", (Citation(3, shown.hits[2]),))
    thumbs.append(on_answer(shown, answer, True, "r"))
    assert (thumbs[0].rank, thumbs[2].rank, thumbs[2].about) == (1, 3, "answer")
    assert thumbs[0].texts == (shown.hits[0].payload.chunk.text,)
    dataset = index_dataset(index, VISIBLE, "qa", "feedback", thumbs)
    grades = dataset.judged[dataset.questions[0].id]
    assert grades == {shown.hits[0].id: 1, shown.hits[1].id: 0, shown.hits[2].id: 1}
    assert evaluate_systems(dataset, "qa", settings, embedder, resamples=99).origin == "feedback"


def test_judgments_of_ones_own_about_an_index(index: VectorIndex, tmp_path: Path) -> None:
    (tmp_path / "mine.tsv").write_text("what begins with pairing\td0\t1\n")
    dataset = index_dataset(index, VISIBLE, "qa", str(tmp_path / "mine.tsv"))
    owner = next(stored.payload.document for stored in points(index) if "pairing" in stored.payload.chunk.text)
    assert [dict(grades) for grades in dataset.judged.values()] == [{owner: 1}]


def test_an_empty_index_says_so(index: VectorIndex) -> None:
    from rag.types import Filter

    with pytest.raises(DatasetError, match="Ingest documents first"):
        index_dataset(index, Filter("nobody"), "qa")


def test_the_cost_is_what_a_run_embeds(dataset: Dataset, settings: Settings, embedder: FakeEmbedder) -> None:
    before = cost(dataset, "qa", settings, embedder, ["default", "hybrid"])
    assert before.texts == 2 * (12 + 24)
    assert before.seconds > 0
    fresh = FakeEmbedder(dimension=256)
    evaluate_systems(dataset, "qa", settings, fresh, systems=["default", "hybrid"], resamples=99)
    assert sum(map(len, fresh.seen)) == before.characters
    after = cost(dataset, "qa", settings, embedder, ["default", "hybrid"])
    assert (after.texts, after.characters, after.seconds) == (0, 0, 0.0)


def test_runs_are_kept_in_the_history(
    dataset: Dataset, settings: Settings, embedder: FakeEmbedder, tmp_path: Path
) -> None:
    first, folder = run_evaluation(dataset, "qa", settings, embedder, systems=["bm25"])
    second, out = run_evaluation(dataset, "faq", settings, embedder, systems=["bm25"], out=tmp_path / "out")
    assert (folder / "report.md").is_file()
    assert out == tmp_path / "out"
    assert (out / "report.json").is_file()
    assert [result for _, result in history(settings.data_dir)] == [second, first]
    (folder / "report.json").write_text("{}")
    assert [result for _, result in history(settings.data_dir)] == [second]


def test_a_profile_is_written_only_when_it_holds(dataset: Dataset, settings: Settings, embedder: FakeEmbedder) -> None:
    result, path = run_tuning(dataset, "code", settings, embedder)
    assert (path is not None) == result.kept
    assert load_profile(settings.data_dir, "code") == (result.profile if result.kept else None)
