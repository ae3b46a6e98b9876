"""Whatever of a recipe changes, the index is refused until it is built again: eight changes, on real engines."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from qdrant_client.models import Distance, VectorParams

from rag.errors import RecipeMismatchError
from rag.index.engines.embedded import EmbeddedEngine
from rag.index.engines.server import PREFIX, ServerEngine
from rag.tasks.profiles import Profile, save_profile
from rag.types import IndexEngine, Matrix, Mode
from tests.fakes import FakeEmbedder
from tests.ingest.library import Library
from tests.memory_qdrant import memory_client

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect:UserWarning")


class Quantised(FakeEmbedder):
    """The same model in another precision."""

    precision = "int8"  # type: ignore[assignment]


class Mirrored(FakeEmbedder):
    """Another model behind the same name, dimension and precision."""

    def encode(self, texts: object) -> Matrix:
        return super().encode(texts)[:, ::-1]  # type: ignore[arg-type]


def with_embedder(library: Library, embedder: FakeEmbedder) -> Library:
    changed = library.restarted()
    changed.embedder = embedder
    return changed


def with_revision(library: Library) -> Library:
    changed = library.restarted()
    recipe = changed.indexes.recipes.of("qa")
    signal = replace(recipe.signals[0], model=replace(recipe.model, revision="another"))
    changed.indexes.recipes.of = lambda task: replace(recipe, signals=(signal,))  # type: ignore[method-assign]
    return changed


def with_chunker(library: Library) -> Library:
    save_profile(library.settings.data_dir, Profile("qa", "query/passage", 0.7, 128))
    return library.restarted()


def with_distance(library: Library) -> Library:
    """Another program made the collection anew under its name, for dot products."""
    (name,) = library.engine.collections()
    if isinstance(library.engine, EmbeddedEngine):
        library.engine.close()
        path = library.folder / "index" / name / "shard" / "edge_config.json"
        path.write_text(path.read_text().replace("Cosine", "Dot"))
        assert json.loads(path.read_text())["vectors"]["naive"]["distance"] == "Dot"
    else:
        assert isinstance(library.engine, ServerEngine)
        library.engine._open.clear()
        collection = library.engine._client.get_collection(PREFIX + name)
        library.engine._client.delete_collection(PREFIX + name)
        vectors = {mode.value: VectorParams(size=64, distance=Distance.DOT) for mode in Mode}
        library.engine._client.create_collection(
            PREFIX + name, vectors_config=vectors, metadata=collection.config.metadata
        )
    return library.restarted()


CHANGES: dict[str, Callable[[Library], Library]] = {
    "model": lambda library: library.restarted(model="BAAI/bge-small-en-v1.5"),
    "revision": with_revision,
    "precision": lambda library: with_embedder(library, Quantised()),
    "dimension": lambda library: with_embedder(library, FakeEmbedder(dimension=32)),
    "prompt": lambda library: library.restarted(document_prompt="text: "),
    "chunking": with_chunker,
    "distance": with_distance,
    "vectors": lambda library: with_embedder(library, Mirrored()),
}


@pytest.fixture(params=["embedded", "server"])
def library(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Library]:
    if request.param == "embedded":
        engine: IndexEngine = EmbeddedEngine(tmp_path / "index")
    else:
        engine = ServerEngine("http://memory", client=memory_client())
    library = Library(tmp_path, engine)
    library.write("a.txt", "Apples are red.")
    library.ingest()
    yield library
    engine.close()


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_is_refused_with_what_changed_and_the_remedy(library: Library, change: str) -> None:
    changed = CHANGES[change](library)
    for use in (Library.index, Library.ingest):
        with pytest.raises(RecipeMismatchError, match=rf"{change}.*reindex --task qa"):
            use(changed)


@pytest.mark.parametrize("change", CHANGES)
def test_the_remedy_works(library: Library, change: str) -> None:
    changed = CHANGES[change](library)
    report = changed.ingestor.reindex("qa")
    assert (report.files, report.failed, report.switched) == (1, 0, True)
    assert changed.texts() == {"a.txt": "Apples are red."}


def test_an_endpoint_that_changes_its_model_under_way_is_noticed_within_a_day(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.index()
    library.embedder = Mirrored()
    library.index()
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 86401)
    with pytest.raises(RecipeMismatchError, match=r"reindex --task qa"):
        library.index()
