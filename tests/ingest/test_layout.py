"""An index of version 0.1.0, whose points had another layout, is refused with the remedy; a reindex takes it over."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rag.errors import RecipeMismatchError
from rag.index.engines.embedded import EmbeddedEngine
from rag.index.engines.server import ServerEngine
from rag.index.payload import keyword
from rag.types import IndexEngine, Point
from tests.ingest.library import Library, sections
from tests.memory_qdrant import memory_client

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")


def fields_of_layout_1(point: Point) -> dict[str, str]:
    """What version 0.1.0 stored of a point: fields for filters, terms, and the passage as one JSON list."""
    p, c = point.payload, point.payload.chunk
    places = [c.page_start, c.page_end, c.line_start, c.line_end]
    passage = [c.ordinal, c.start, c.end, c.text, c.headings, *places, c.symbol, c.answer, c.summary]
    body = json.dumps([p.name, p.key, p.title, p.media_type, p.language, *passage], ensure_ascii=False)
    ids = {"workspace": p.workspace, "version": p.version, "document": p.document, "content": p.content}
    return {**ids, "name": keyword(p.name), "terms": point.terms, "body": body}


def engine_in(folder: Path, kind: str) -> IndexEngine:
    return EmbeddedEngine(folder) if kind == "embedded" else ServerEngine("http://memory", client=memory_client())


@pytest.fixture(params=["embedded", "server"])
def old_library(request: pytest.FixtureRequest, tmp_path: Path) -> Library:
    """A library that version 0.1.0 filled."""
    library = Library(tmp_path, engine_in(tmp_path / "index", request.param))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rag.index.recipe.LAYOUT", 1)
        patch.setattr("rag.index.collection.fields_of", fields_of_layout_1)
        library.write("a.txt", sections("apple", "banana"))
        library.write("b.txt", "Cherries are red.")
        library.ingest()
    return library


def test_it_is_refused_and_the_message_names_the_remedy(old_library: Library) -> None:
    for use in (Library.index, Library.ingest):
        with pytest.raises(RecipeMismatchError, match=r"earlier version.*reindex --task qa"):
            use(old_library.restarted())


def test_a_reindex_takes_its_vectors_over(old_library: Library) -> None:
    (before,) = old_library.engine.collections()
    restarted = old_library.restarted()
    report = restarted.ingestor.reindex("qa")
    assert (report.files, report.failed, report.embedded, report.switched) == (2, 0, 0, True)
    assert report.reused == report.chunks == len(restarted.visible())
    assert restarted.texts() == {
        "a.txt": sections("apple", "banana").replace("\n\n", " "),
        "b.txt": "Cherries are red.",
    }
    assert restarted.engine.collections() == [restarted.index().name] != [before]
    assert old_library.restarted().ingest().embedded == 0


def test_a_reindex_embeds_again_when_the_model_changed_meanwhile(
    old_library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    restarted = old_library.restarted()
    encode: Callable[[list[str]], object] = restarted.embedder.encode
    monkeypatch.setattr(restarted.embedder, "encode", lambda texts: encode(texts)[:, ::-1])
    report = restarted.ingestor.reindex("qa")
    assert (report.files, report.reused, report.switched) == (2, 0, True)
    assert report.embedded == report.chunks


def test_a_lost_collection_is_built_from_the_originals(old_library: Library) -> None:
    (before,) = old_library.engine.collections()
    old_library.engine.drop(before)
    restarted = old_library.restarted()
    report = restarted.ingestor.reindex("qa")
    assert (report.files, report.failed, report.switched) == (2, 0, True)
    assert report.embedded == report.chunks == len(restarted.visible())


def test_a_file_is_deleted_before_the_reindex(old_library: Library) -> None:
    (before,) = old_library.engine.collections()
    restarted = old_library.restarted()
    assert restarted.ingestor.delete(["b.txt"]) == 1
    assert restarted.engine.collections() == [before], "the other file's vectors are still there"
    report = restarted.ingestor.reindex("qa")
    assert (report.files, report.embedded) == (1, 0)
    assert set(restarted.texts()) == {"a.txt"}
