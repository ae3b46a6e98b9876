"""Delete means gone: the bytes of the whole data folder are searched for words of what was deleted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.index.engines.embedded import EmbeddedEngine
from rag.retrieval.request import Request
from rag.services import Rag
from rag.settings import load_settings
from tests.fakes import FakeEmbedder
from tests.residue import files_with, rewrite_here

SECRET = b"# Zorblatt\n\nThe Zorblatt is hidden in the garden.\n"


def opened(data: Path) -> Rag:
    engine = EmbeddedEngine(data / "index", rewrite=rewrite_here)
    return Rag(load_settings(data_dir=data), embedder=FakeEmbedder(384), engine=engine)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def rag(data: Path) -> Iterator[Rag]:
    rag = opened(data)
    rag.ingest_uploads([("stays.md", b"# Garden\n\nThe garden has a green gate.\n")], "qa")
    yield rag
    rag.close()


def test_nothing_of_a_deleted_document_is_left_in_any_file(rag: Rag, data: Path) -> None:
    rag.ingest_uploads([("Zorblatt plans.md", SECRET)], "qa")
    assert len(files_with(data, "Zorblatt")) > 3
    rag.delete(["Zorblatt plans.md"])
    rag.erase()
    assert files_with(data, "Zorblatt") == []
    assert [hit.payload.name for hit in rag.search("garden").hits] == ["stays.md"]


def test_nothing_of_a_replaced_version_is_left_in_any_file(rag: Rag, data: Path) -> None:
    rag.ingest_uploads([("plans.md", SECRET)], "qa")
    rag.ingest_uploads([("plans.md", b"# Plans\n\nThe garden is open.\n")], "qa")
    rag.erase()
    assert files_with(data, "Zorblatt") == []
    assert len(rag.search("garden").hits) == 2


@pytest.mark.slow
def test_it_happens_by_itself_after_the_time_in_the_settings(data: Path) -> None:
    rag = Rag(load_settings(data_dir=data, erase_after=1), embedder=FakeEmbedder(384))
    rag.ingest_uploads([("plans.md", SECRET), ("stays.md", b"The garden has a gate.")], "qa")
    rag.delete(["plans.md"])
    deadline = time.monotonic() + 60
    while files_with(data, "Zorblatt") and time.monotonic() < deadline:
        assert [hit.payload.name for hit in rag.search("garden").hits] == ["stays.md"]
        time.sleep(0.2)
    assert files_with(data, "Zorblatt") == []
    rag.close()


@pytest.mark.slow
def test_what_a_killed_program_left_is_erased_by_the_next(rag: Rag, data: Path) -> None:
    rag.ingest_uploads([("plans.md", SECRET)], "qa")
    rag.delete(["plans.md"])
    rag.close()
    assert files_with(data, "Zorblatt")
    again = opened(data)
    assert again.erase() == 1
    again.close()
    assert files_with(data, "Zorblatt") == []


def test_a_deleted_conversation_leaves_neither_question_nor_title_nor_answer(rag: Rag, data: Path) -> None:
    conversation = rag.new_conversation()
    list(rag.ask(Request("Where is the Zorblatt?", conversation=conversation)))
    other = rag.new_conversation()
    list(rag.ask(Request("Where is the gate?", conversation=other)))
    assert files_with(data, "Zorblatt")
    rag.delete_conversation(conversation)
    rag.erase()
    assert files_with(data, "Zorblatt") == []
    assert files_with(data, "Where is the gate") == ["catalog.db"]


def test_thumbs_on_a_deleted_document_go_with_it(rag: Rag, data: Path) -> None:
    rag.ingest_uploads([("plans.md", SECRET)], "qa")
    events = list(rag.ask("Where in the garden is the Zorblatt hidden?"))
    retrieved = events[0].retrieved
    by_name = {hit.payload.name: hit for hit in retrieved.hits}
    for hit in by_name.values():
        rag.evaluations.judge_source(retrieved, hit, helpful=True)
    rag.evaluations.judge_answer(retrieved, events[-1].answer, helpful=True)
    rag.delete(["plans.md"])
    rag.erase()
    assert {thumb.documents for thumb in rag.evaluations.thumbs("qa")} == {(by_name["stays.md"].payload.document,)}
    assert files_with(data, "hidden in the garden") == []
