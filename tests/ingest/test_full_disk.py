"""A disk that is full while files are read, answers are kept, or nothing is done at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import event

from rag.answering.chain import AnswerEvent, SourcesEvent
from rag.answering.recording import recorded
from rag.catalog import Catalog
from rag.disk import Reserve
from rag.errors import DiskFullError
from rag.index.engines.embedded import EmbeddedEngine
from rag.retrieval.request import Retrieved
from rag.types import Answer, Mode, Strategy
from tests.ingest.library import Library
from tests.test_files import Probe


def library(folder: Path, probe: Probe) -> Library:
    return Library(folder, EmbeddedEngine(folder / "data" / "index", reserve=Reserve(folder, disk=probe)))


def texts(made: Library) -> set[str]:
    return {point.payload.chunk.text for point in made.visible()}


def test_an_ingest_without_room_changes_nothing_and_goes_on_later(tmp_path: Path) -> None:
    probe = Probe(free=10_000)
    made = library(tmp_path, probe)
    made.write("a.txt", "old words")
    made.ingest()
    made.write("a.txt", "new words")
    made.write("b.txt", "other words")
    probe.free = 100
    with pytest.raises(DiskFullError, match=r"100 MB are free.*do it again"):
        made.ingest()
    assert texts(made) == {"old words"}
    assert made.workspace.failures.list() == [], "no file is to blame"
    probe.free = 10_000
    made.ingest()
    assert texts(made) == {"new words", "other words"}


def full(catalog: Catalog) -> None:
    """Let the database grow no more, with SQLite's own error."""
    engine = catalog._db._engine
    event.listen(engine, "connect", lambda connection, record: connection.execute("PRAGMA max_page_count=1"))
    engine.dispose()


def test_an_answer_that_cannot_be_kept_is_given(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    workspace = catalog.workspace("default")
    conversation = workspace.conversations.add("New").id
    full(catalog)
    hits = Retrieved("Why?", "qa", Mode.TASK_AWARE, Strategy.HYBRID, ())
    answer = Answer("Because. " * 100_000)
    events = list(recorded(iter([SourcesEvent(hits), AnswerEvent(answer)]), "Why?", conversation, workspace))
    last = events[-1]
    assert isinstance(last, AnswerEvent)
    assert last.answer == answer
    assert "The disk is full" in last.unkept
    assert workspace.messages.turns(conversation) == []
    catalog.close()


def test_a_database_that_cannot_grow_says_that_the_disk_is_full(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    full(catalog)
    with pytest.raises(DiskFullError, match="Free some space"):
        catalog.workspace("default").conversations.add("New" * 1_000_000)
    assert catalog.workspace("default").conversations.list() == []
    catalog.close()


@pytest.mark.slow
def test_injected_faults_and_a_small_disk_cost_no_store_and_no_process() -> None:
    from bench.trust.rows.disk import ROW

    figure = ROW.measure(False)
    assert figure.held, figure.text
