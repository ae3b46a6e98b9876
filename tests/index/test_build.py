"""Building a large collection in another process, and switching over to it."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rag.errors import IndexClosedError, VectorIndexError
from rag.index import collection_name
from rag.index.edge.build import build_in_process, build_shard
from rag.index.engines import embedded
from rag.index.engines.embedded import EmbeddedEngine
from rag.types import Mode, Search
from tests.build import EVERYTHING, RECIPE, point, points, terms, unit

NAME = collection_name(RECIPE)


def fill(index, count: int) -> None:
    index.upsert(
        [point(f"red text {n}", document=f"d{n // 20}", version=f"v{n // 20}", ordinal=n) for n in range(count)]
    )


def nearest(index, text: str) -> str:
    return index.search([Search(EVERYTHING, 1, vector=unit(text))])[0][0].payload.chunk.text


@pytest.mark.slow
def test_a_built_collection_holds_and_finds_the_same(folder: Path) -> None:
    engine = EmbeddedEngine(folder)
    index = engine.open(RECIPE)
    fill(index, 3_000)
    questions = [f"red text {n}" for n in range(0, 3_000, 60)]
    before = [hit.id for hit in index.search([Search(EVERYTHING, 20, terms=terms("red"))])[0]]
    assert engine.build(RECIPE) == 3_000
    assert [nearest(index, text) for text in questions] == questions
    assert len(before) == len(index.search([Search(EVERYTHING, 20, terms=terms("red"))])[0])
    assert index.count() == 3_000
    assert len(index.versions()) == 150
    stored = next(index.scroll(EVERYTHING, with_vectors=True))[0]
    assert set(stored.vectors) == set(Mode)
    index.upsert(points("green", version="late", document="late"))
    index.delete_versions(["v0"])
    engine.close()

    again = EmbeddedEngine(folder)
    index = again.open(RECIPE)
    assert nearest(index, "green") == "green"
    assert index.count() == 3_000 + 1 - 20
    assert [path.name for path in (folder / NAME).glob("shard*")] == [
        json.loads((folder / NAME / "current.json").read_text())["shard"]
    ]


def test_a_collection_is_built_when_enough_came_since_the_last_time(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "BUILD_FROM", 100)
    engine = EmbeddedEngine(folder)
    index = engine.open(RECIPE)
    fill(index, 99)
    assert engine.optimise(NAME) == 0
    index.upsert(points("green", version="late", document="late"))
    assert engine.optimise(NAME) == 100
    assert engine.optimise("qa-absent") == 0
    assert engine.optimise(NAME) == 0
    assert nearest(index, "red text 7") == "red text 7"


def test_what_is_written_during_a_build_is_kept(folder: Path) -> None:
    read = threading.Event()

    def meanwhile(path: Path, dimension: int) -> None:
        index.upsert(points("green", "blue", version="new", document="new"))
        index.upsert([point("changed", document="d1", version="v1", ordinal=20)])
        index.delete_versions(["v2"])
        assert nearest(index, "green") == "green"
        read.set()
        build_shard(path, dimension)

    engine = EmbeddedEngine(folder, build=meanwhile)
    index = engine.open(RECIPE)
    fill(index, 200)
    engine.build(RECIPE)
    assert read.is_set()
    assert index.count() == 200 + 2 - 20
    assert nearest(index, "blue") == "blue"
    assert nearest(index, "changed") == "changed"
    assert "v2" not in index.versions()
    assert len(index.search([Search(EVERYTHING, 300, terms=terms("text"))])[0]) == 179
    engine.close()
    assert EmbeddedEngine(folder).open(RECIPE).count() == 182


def test_a_build_that_fails_leaves_the_collection_as_it_was(folder: Path) -> None:
    def broken(path: Path, dimension: int) -> None:
        (path / "edge_config.json").write_text("garbage")
        build_in_process(path, dimension)

    engine = EmbeddedEngine(folder, build=broken)
    index = engine.open(RECIPE)
    fill(index, 40)
    with pytest.raises(VectorIndexError, match=r"ended with status 1, saying: .*edge_config\.json.*works as before"):
        engine.build(RECIPE)
    assert [path.name for path in (folder / NAME).glob("shard*")] == ["shard"]
    assert index.count() == 40
    index.upsert(points("green", version="new"))
    assert index.count() == 41


def test_a_collection_that_is_closed_during_a_build_stays_as_it_was(folder: Path) -> None:
    engine = EmbeddedEngine(folder, build=lambda path, dimension: index.close())
    index = engine.open(RECIPE)
    fill(index, 40)
    with pytest.raises(IndexClosedError):
        engine.build(RECIPE)
    assert engine.open(RECIPE).count() == 40
    assert [path.name for path in (folder / NAME).glob("shard*")] == ["shard"]


def test_what_a_killed_build_left_is_swept_on_the_next_open(folder: Path) -> None:
    EmbeddedEngine(folder).open(RECIPE).close()
    (folder / NAME / "shard-left").mkdir()
    EmbeddedEngine(folder).open(RECIPE)
    assert not (folder / NAME / "shard-left").exists()


@pytest.mark.parametrize("text", ["", "[1]", '{"other": 1}'])
def test_a_damaged_pointer_is_reported(folder: Path, text: str) -> None:
    EmbeddedEngine(folder).open(RECIPE).close()
    (folder / NAME / "current.json").write_text(text)
    with pytest.raises(VectorIndexError, match=r"current\.json.*reindex"):
        EmbeddedEngine(folder).open(RECIPE)


def test_readers_never_notice_the_switch(folder: Path) -> None:
    engine = EmbeddedEngine(folder, build=build_shard)
    index = engine.open(RECIPE)
    fill(index, 60)
    done = threading.Event()

    def read() -> int:
        rounds = 0
        while not done.is_set():
            assert nearest(index, "red text 7") == "red text 7"
            assert index.count() == 60
            assert sum(len(batch) for batch in index.scroll(EVERYTHING, batch=7)) == 60
            rounds += 1
        return rounds

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        try:
            for _ in range(2):
                engine.build(RECIPE)
        finally:
            done.set()
        assert all(reader.result() for reader in readers)
