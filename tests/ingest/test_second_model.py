"""A second model: its own vector on every chunk in a language it knows, and none on others."""

from dataclasses import replace
from pathlib import Path

import pytest

from rag.errors import RecipeMismatchError
from rag.index.engines.embedded import EmbeddedEngine
from rag.models import MINILM
from rag.retrieval.request import Request
from rag.retrieval.retriever import CachedEmbedder, Retriever
from rag.types import Filter, IndexEngine, Mode, Strategy
from tests.fakes_index import FakeEngine
from tests.ingest.library import Library

ENGLISH = "The warranty lasts two years from the day on which you bought the heater, and covers all of its parts."
GERMAN = "Die Garantie gilt zwei Jahre ab dem Tag, an dem Sie das Heizgerät gekauft haben, und deckt alle Teile ab."
WITH_SECOND = {"second_model": MINILM}


@pytest.fixture(params=["fake", "embedded"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> IndexEngine:
    return FakeEngine() if request.param == "fake" else EmbeddedEngine(tmp_path / "index")


@pytest.fixture
def library(engine: IndexEngine, tmp_path: Path) -> Library:
    both = Library(tmp_path, engine, options=WITH_SECOND)
    both.write("english.txt", ENGLISH)
    both.write("german.txt", GERMAN)
    both.ingest()
    return both


def vectors(library: Library) -> dict[str, set[str]]:
    return {point.payload.name: set(point.vectors) for point in library.visible()}


def asked(library: Library, question: str) -> list[str]:
    recipe = library.indexes.recipes.of("qa")
    others = {MINILM: CachedEmbedder(library.second)}
    retriever = Retriever(recipe, library.index(), CachedEmbedder(library.embedder), Filter("default"), others=others)
    hits = retriever.retrieve(Request(question, strategy=Strategy.HYBRID))[Mode.TASK_AWARE].hits
    return [f"{hit.payload.name}: {', '.join(hit.scores)}" for hit in hits]


def test_only_chunks_in_its_language_have_its_vector(library: Library) -> None:
    second = library.indexes.recipes.of("qa").signals[1].name
    assert vectors(library) == {
        "english.txt": {"task-aware", "naive", second},
        "german.txt": {"task-aware", "naive"},
    }
    assert library.second.seen == [ENGLISH]


def test_a_question_reaches_it_in_its_language_only(library: Library) -> None:
    library.second.seen.clear()
    assert asked(library, "How long does the warranty last?")[0] == "english.txt: dense, dense, second model, bm25"
    assert library.second.seen == ["How long does the warranty last?"]
    assert asked(library, "Wie lange gilt die Garantie für das Heizgerät?")[0] == "german.txt: dense, bm25"
    assert library.second.seen == ["How long does the warranty last?"]


def test_an_index_of_one_model_is_refused_until_a_reindex_adds_the_second(engine: IndexEngine, tmp_path: Path) -> None:
    one = Library(tmp_path, engine)
    one.write("english.txt", ENGLISH)
    one.ingest()
    both = one.restarted(**WITH_SECOND)
    with pytest.raises(RecipeMismatchError, match="python -m rag reindex --task qa"):
        both.index()
    both.ingestor.reindex("qa")
    assert both.second.seen == [ENGLISH]
    assert ENGLISH not in [text.removeprefix("passage: ") for text in both.embedder.seen[1:]], "one canary, no more"
    assert len(vectors(both)["english.txt"]) == 3


def test_its_vectors_are_taken_over_by_name(library: Library) -> None:
    changed = library.restarted(**WITH_SECOND, query_prompt="ask: ")
    changed.ingestor.reindex("qa")
    assert changed.second.seen == []
    assert len(vectors(changed)["english.txt"]) == 3


def test_without_it_nothing_of_it_is_in_the_recipe(library: Library) -> None:
    recipe = library.restarted(second_model="").indexes.recipes.of("qa")
    assert [signal.share for signal in recipe.signals] == [1.0]
    assert recipe.identity(library.embedder).further == ()
    assert replace(recipe.identity(library.embedder)).sizes == {"task-aware": 64, "naive": 64}


def test_a_second_model_that_is_not_at_hand_is_never_replaced_by_the_first(library: Library) -> None:
    recipe = library.indexes.recipes.of("qa")
    with pytest.raises(KeyError, match="MiniLM"):
        recipe.identity(library.embedder)
