"""Contents that were deleted leave the files of a SQLite catalog."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from rag.catalog import Catalog, StoredTurn
from rag.catalog.feedback import Feedback
from tests.residue import files_with


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def opened(folder: Path):
    catalog = Catalog(folder)
    yield catalog
    catalog.close()


def converse(catalog: Catalog, words: str) -> str:
    workspace = catalog.workspace("default")
    conversation = workspace.conversations.add(words).id
    turns = [StoredTurn("user", f"{words}? " * 50, {"sources": [{"text": words}]}) for _ in range(40)]
    workspace.messages.add(conversation, turns)
    return conversation


def test_a_deleted_conversation_is_in_neither_the_file_nor_its_log(opened: Catalog, folder: Path) -> None:
    other, conversation = converse(opened, "garden"), converse(opened, "Zorblatt")
    assert opened.erase()
    assert files_with(folder, "Zorblatt") == ["catalog.db"]
    opened.workspace("default").conversations.delete(conversation)
    assert files_with(folder, "Zorblatt")
    assert opened.unerased()
    assert opened.erase()
    assert not opened.unerased()
    assert files_with(folder, "Zorblatt") == []
    assert len(opened.workspace("default").messages.turns(other)) == 40


def test_it_is_tried_again_when_somebody_reads(opened: Catalog, folder: Path) -> None:
    conversation = converse(opened, "Zorblatt")
    reader = sqlite3.connect(folder / "catalog.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM chat_messages").fetchone()
    opened.workspace("default").conversations.delete(conversation)
    assert not opened.erase()
    assert opened.unerased()
    reader.execute("COMMIT")
    reader.close()
    assert opened.erase()
    assert files_with(folder, "Zorblatt") == []


def test_what_an_earlier_version_deleted_goes_as_well(folder: Path) -> None:
    catalog = Catalog(folder)
    converse(catalog, "Zorblatt")
    catalog.close()
    plain = sqlite3.connect(folder / "catalog.db")
    for pragma in ("secure_delete=OFF", "user_version=0"):
        plain.execute(f"PRAGMA {pragma}")
    plain.execute("DELETE FROM chat_messages")
    plain.execute("DELETE FROM conversations")
    plain.commit()
    plain.close()
    assert files_with(folder, "Zorblatt") == ["catalog.db"]
    catalog = Catalog(folder)
    catalog.workspace("default").conversations.add("new")
    assert catalog.erase()
    assert files_with(folder, "Zorblatt") == []
    catalog.close()


def test_thumbs_lose_deleted_sources_and_go_with_their_last_one(opened: Catalog) -> None:
    log = opened.workspace("default").feedback

    def add(task: str, *documents: str) -> str:
        lists = (documents, documents, tuple(f"text of {name}" for name in documents))
        return log.add(Feedback(task, "What?", True, "answer", *lists, 1, "naive", "dense")).id

    both, single, none, other = add("qa", "gone", "stays"), add("qa", "gone"), add("qa"), add("faq", "gone")
    with log._db.write() as connection:
        log.forget(connection, "qa", {"gone"})
    thumbs = {thumb.id: thumb for thumb in log.list()}
    assert set(thumbs) == {both, none, other}
    assert single not in thumbs
    assert (thumbs[both].documents, thumbs[both].texts) == (("stays",), ("text of stays",))
    assert thumbs[other].texts == ("text of gone",)
