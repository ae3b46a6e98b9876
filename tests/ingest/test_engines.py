"""The whole life of a library on the real engines: add, change, copy, delete, rebuild, restart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.index.engines.embedded import EmbeddedEngine
from rag.index.engines.server import ServerEngine
from rag.types import IndexEngine, Mode
from tests.ingest.library import Library, rows, sections
from tests.memory_qdrant import memory_client


@pytest.fixture(params=["embedded", "server"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[IndexEngine]:
    if request.param == "embedded":
        made: IndexEngine = EmbeddedEngine(tmp_path / "index")
    else:
        made = ServerEngine("http://memory", client=memory_client())
    yield made
    made.close()


@pytest.mark.filterwarnings("ignore:Payload indexes have no effect:UserWarning")
def test_the_life_of_a_library(tmp_path: Path, engine: IndexEngine) -> None:
    library = Library(tmp_path, engine)
    library.write("a.txt", sections("apple", "banana"))
    library.write("copy.txt", sections("apple", "banana"))
    library.write("bad.txt", "ENCRYPTED")
    library.write("rows.jsonl", rows(40))
    report = library.ingest()
    assert [str(outcome.status) for outcome in report.outcomes] == ["added", "failed", "duplicate", "added"]
    assert len(library.visible()) == report.chunks == report.embedded

    library.write("rows.jsonl", rows(40).replace("number 7 ", "number seven "))
    report = library.ingest()
    assert (report.embedded, report.reused) == (1, 39)
    assert library.texts()["rows.jsonl#r7"] == "row number seven says hello"
    assert library.index().versions() == {file.version for file in library.workspace.files()}

    restarted = library.restarted()
    assert restarted.ingestor.sweep() == 0
    assert restarted.ingest().embedded == 0
    assert restarted.ingestor.delete(["a.txt"]) == 1
    assert set(restarted.texts()) == {f"rows.jsonl#r{i}" for i in range(40)}

    changed = library.restarted(document_prompt="text: ")
    report = changed.ingestor.reindex("qa")
    assert (report.switched, report.embedded, report.chunks) == (True, 40, 40)
    assert len(changed.visible()) == 40
    assert all(set(point.vectors) == set(Mode) for point in changed.visible())
    assert changed.engine.collections() == [changed.index().name]
