"""When what was deleted is erased: after a bounded time, not during an ingest, and not all the time."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest

from rag.catalog import Catalog, IndexRecord
from rag.errors import VectorIndexError
from rag.index.engines.embedded import EmbeddedEngine
from rag.ingest.erasing import Eraser
from tests.fakes_index import FakeEngine
from tests.ingest.library import Library, rows
from tests.residue import files_with, rewrite_here


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Engine(FakeEngine):
    """Says what is left to be erased, and erases in `seconds`."""

    clock: Clock
    left: list[str] = field(default_factory=list)
    erased: list[tuple[str, float]] = field(default_factory=list)
    seconds: float = 1.0
    error: bool = False

    def unerased(self) -> list[str]:
        return list(self.left)

    def erase(self, name: str, cancel: threading.Event | None = None, *, thrifty: bool = False) -> bool:
        if self.error:
            raise VectorIndexError("The disk is full.")
        if thrifty and name.startswith("large"):
            return False
        self.erased.append((name, self.clock.now))
        self.clock.now += self.seconds
        self.left.remove(name)
        return True


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def engine(clock: Clock) -> Engine:
    return Engine(clock)


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    catalog = Catalog(tmp_path / "data")
    catalog.erase()
    yield catalog
    catalog.close()


@pytest.fixture
def eraser(engine: Engine, catalog: Catalog, clock: Clock) -> Eraser:
    return Eraser(lambda: engine, catalog, 60.0, clock)


def looks(eraser: Eraser, clock: Clock, until: float, every: float = 5.0) -> list[str]:
    erased = []
    while clock.now < until:
        clock.now += every
        erased += eraser.look()
    return erased


def test_it_begins_after_a_minute_however_much_is_deleted_meanwhile(eraser, engine, clock) -> None:
    engine.left = ["qa"]
    assert looks(eraser, clock, 60) == []
    engine.left = ["qa", "faq"]
    assert eraser.look() == []
    clock.now += 5
    assert eraser.look() == ["qa"]
    assert looks(eraser, clock, 130) == ["faq"]
    assert engine.erased[0] == ("qa", 65.0)


def test_a_large_busy_collection_is_not_always_rewritten(eraser, engine, clock) -> None:
    engine.seconds = 100.0
    for _ in range(1200):
        engine.left = ["qa"]
        clock.now += 5
        eraser.look()
    starts = [at for _, at in engine.erased]
    assert min(later - earlier for earlier, later in pairwise(starts)) >= 5 * engine.seconds
    assert len(starts) >= 5


def test_an_ingest_under_way_is_waited_for_but_not_for_ever(eraser, engine, clock, catalog) -> None:
    engine.left = ["qa"]
    with catalog.writer.hold():
        assert looks(eraser, clock, 240) == []
    assert looks(eraser, clock, 245) == ["qa"]
    engine.left = ["qa"]
    with catalog.writer.hold():
        assert looks(eraser, clock, clock.now + 310) == ["qa"]


def test_what_fails_is_tried_again_later_and_holds_up_nothing_else(eraser, engine, clock, catalog, caplog) -> None:
    engine.left, engine.error = ["qa"], True
    catalog.switch(IndexRecord("qa", "qa-one", "{}", "one"))
    assert looks(eraser, clock, 100) == [""]
    assert "could not be erased from qa: The disk is full" in caplog.text
    engine.error = False
    assert looks(eraser, clock, 600) == []
    assert looks(eraser, clock, 700) == ["qa"]


def test_an_engine_that_is_away_does_not_keep_the_catalog_from_being_erased(catalog, clock) -> None:
    def away() -> Engine:
        raise VectorIndexError("No server.")

    catalog.switch(IndexRecord("qa", "qa-one", "{}", "one"))
    assert looks(Eraser(away, catalog, 60.0, clock), clock, 100) == [""]
    assert not catalog.unerased()


def test_at_once_means_at_once_and_thrift_spares_the_large_ones(eraser, engine) -> None:
    engine.left = ["large", "small"]
    assert eraser.erase(thrifty=True) == ["small"]
    assert eraser.erase() == ["large"]
    assert eraser.erase() == []


def test_it_runs_by_itself_and_can_be_started_and_closed_twice(engine, catalog) -> None:
    erased = threading.Event()
    engine.erase = lambda name, cancel=None, thrifty=False: erased.set() or True
    engine.left = ["qa"]
    eraser = Eraser(lambda: engine, catalog, 0.05)
    eraser.start()
    eraser.start()
    assert erased.wait(20)
    eraser.close()
    eraser.close()
    Eraser(lambda: engine, catalog, 0.05).close()


@pytest.mark.slow
def test_a_file_deleted_during_an_unfinished_reindex_leaves_both_indexes(tmp_path: Path) -> None:
    library = Library(tmp_path, EmbeddedEngine(tmp_path / "data" / "index", rewrite=rewrite_here))
    library.write("gone.txt", "The Zorblatt is a secret.")
    library.write("rows.jsonl", rows(600))
    library.ingest()
    changed = library.restarted(document_prompt="text: ")
    cancel = threading.Event()
    changed.ingestor.reindex("qa", lambda p: cancel.set() if p.done else None, cancel)
    folders = [path.parent for path in (tmp_path / "data" / "index").glob("*/recipe.json")]
    assert [bool(files_with(folder, "Zorblatt")) for folder in folders] == [True, True]
    changed.ingestor.delete(["gone.txt"])
    eraser = Eraser(lambda: library.engine, library.catalog, 60.0)
    eraser.erase()
    eraser.close()
    assert files_with(tmp_path / "data", "Zorblatt") == []
