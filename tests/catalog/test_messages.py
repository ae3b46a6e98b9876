"""Conversations: ordered, edited on branches, seen by their workspace only, and gone with one commit."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import select

from rag.catalog import Catalog, Messages, StoredTurn, WorkspaceCatalog
from rag.catalog.tables import chat_messages
from rag.errors import CatalogError, NotFoundError

QUESTION = StoredTurn("user", "How long?", {"task": "qa"})
ANSWER = StoredTurn("assistant", "Two years [1].", {"sources": [{"name": "a.md", "rank": 1, "page_end": None}]})


@pytest.fixture
def messages(workspace: WorkspaceCatalog) -> Messages:
    return workspace.messages


@pytest.fixture
def conversation(workspace: WorkspaceCatalog) -> str:
    return workspace.conversations.add("Warranty").id


def texts(turns: list[StoredTurn]) -> list[str]:
    return [turn.text for turn in turns]


def rows(catalog: Catalog) -> int:
    with catalog._db.read() as connection:
        return len(connection.execute(select(chat_messages.c.id)).all())


def test_turns_come_back_in_order_with_what_was_shown(
    messages: Messages, conversation: str, workspace: WorkspaceCatalog
) -> None:
    other = workspace.conversations.add("Other").id
    stored = messages.add(conversation, [QUESTION, ANSWER])
    messages.add(other, [StoredTurn("user", "Other")])
    stored += messages.add(conversation, [StoredTurn("user", "And the battery?")])
    turns = messages.turns(conversation)
    assert turns == stored
    assert [(turn.role, turn.text, turn.details) for turn in turns[:2]] == [
        ("user", "How long?", {"task": "qa"}),
        ("assistant", "Two years [1].", ANSWER.details),
    ]
    assert [turn.parent for turn in turns] == ["", turns[0].id, turns[1].id]
    assert 0 < turns[0].created <= turns[2].created
    assert messages.add(conversation, []) == []


def test_a_conversation_that_has_just_begun_is_empty(messages: Messages, conversation: str) -> None:
    assert messages.turns(conversation) == []
    with pytest.raises(NotFoundError, match="nothing"):
        messages.turns(conversation, through="nothing")


def test_an_edit_starts_a_branch_and_the_old_one_stays(messages: Messages, conversation: str) -> None:
    question, answer, second = messages.add(conversation, [QUESTION, ANSWER, StoredTurn("user", "And then?")])
    edited = messages.edit(conversation, second.id, "And before?")
    assert (edited.role, edited.parent, edited.details, edited.created) == ("user", answer.id, {}, second.created)
    assert edited.edited > 0 == second.edited
    (reply,) = messages.add(conversation, [StoredTurn("assistant", "Nothing.")])
    assert reply.parent == edited.id
    assert messages.turns(conversation) == [question, answer, edited, reply]
    assert messages.turns(conversation, through=second.id) == [question, answer, second]
    assert messages.turns(conversation, through=answer.id) == [question, answer, edited, reply]
    assert messages.alternatives(conversation, second.id) == [second, edited]
    assert messages.alternatives(conversation, answer.id) == [answer]


def test_the_first_message_can_be_edited_and_details_replaced(messages: Messages, conversation: str) -> None:
    question, _ = messages.add(conversation, [QUESTION, ANSWER])
    edited = messages.edit(conversation, question.id, "How short?", {"task": "faq"})
    assert messages.turns(conversation) == [edited]
    assert (edited.parent, edited.details) == ("", {"task": "faq"})
    assert texts(messages.turns(conversation, through=question.id)) == ["How long?", "Two years [1]."]
    assert messages.alternatives(conversation, edited.id) == [question, edited]


def test_only_messages_of_the_conversation_can_be_edited(
    messages: Messages, conversation: str, workspace: WorkspaceCatalog
) -> None:
    (other,) = messages.add(workspace.conversations.add("Other").id, [QUESTION])
    for act in (
        lambda: messages.edit(conversation, other.id, "Mine now"),
        lambda: messages.turns(conversation, through=other.id),
        lambda: messages.alternatives(conversation, other.id),
    ):
        with pytest.raises(NotFoundError, match=other.id):
            act()
    assert messages.turns(conversation) == []


def test_clearing_leaves_the_conversation_and_all_others(
    messages: Messages, conversation: str, workspace: WorkspaceCatalog
) -> None:
    other = workspace.conversations.add("Other").id
    question, _ = messages.add(conversation, [QUESTION, ANSWER])
    messages.edit(conversation, question.id, "How short?")
    messages.add(other, [QUESTION])
    messages.clear(conversation)
    assert messages.turns(conversation) == []
    assert len(messages.turns(other)) == 1


def test_messages_go_with_their_conversation_however_many(
    catalog: Catalog, workspace: WorkspaceCatalog, conversation: str
) -> None:
    workspace.messages.add(conversation, [QUESTION, ANSWER] * 600)  # deeper than SQLite lets a deletion recurse
    workspace.conversations.delete(conversation)
    assert rows(catalog) == 0
    with pytest.raises(NotFoundError):
        workspace.messages.turns(conversation)


def test_another_workspace_has_no_such_conversation(catalog: Catalog, conversation: str) -> None:
    (question,) = catalog.workspace("default").messages.add(conversation, [QUESTION])
    theirs = catalog.workspace("theirs")
    for act in (
        lambda: theirs.messages.turns(conversation),
        lambda: theirs.messages.alternatives(conversation, question.id),
        lambda: theirs.messages.add(conversation, [ANSWER]),
        lambda: theirs.messages.edit(conversation, question.id, "Ours now"),
        lambda: theirs.messages.clear(conversation),
    ):
        with pytest.raises(NotFoundError, match=conversation):
            act()
    theirs.conversations.delete(conversation)
    assert catalog.workspace("default").messages.turns(conversation) == [question]


def test_text_that_no_column_holds_is_stored_without_it(messages: Messages, conversation: str) -> None:
    details = {"sources": [{"text": "a\0b \ud83d \N{BATTERY} 中", "score": 0.1}]}
    messages.add(conversation, [StoredTurn("user", "a\0b \ud83d \N{BATTERY} 中", details)])
    (turn,) = messages.turns(conversation)
    assert turn.text == "ab ? \N{BATTERY} 中"
    assert turn.details == details


def test_questions_of_a_task_are_those_that_were_searched_each_once(
    messages: Messages, conversation: str, workspace: WorkspaceCatalog
) -> None:
    def answer(question: str, task: str = "qa") -> StoredTurn:
        return StoredTurn("assistant", "x", {"task": task, "question": question})

    for question in ("How long?", "How far?", "How long?", " "):
        messages.add(conversation, [QUESTION, answer(question)])
    messages.add(conversation, [QUESTION, answer("How wide?", "faq"), StoredTurn("assistant", "stopped", {})])
    assert sorted(messages.questions("qa")) == ["How far?", "How long?"]
    assert messages.questions("faq") == ["How wide?"]
    assert messages.questions("qa", latest=1) == []
    workspace.conversations.delete(conversation)
    assert messages.questions("qa") == []


def test_writers_at_the_same_time_get_positions_of_their_own(messages: Messages, conversation: str) -> None:
    threads = [threading.Thread(target=messages.add, args=(conversation, [QUESTION, ANSWER])) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts(messages.turns(conversation)) == ["How long?", "Two years [1]."] * 6


def test_reading_waits_for_no_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.catalog.database._BUSY_SECONDS", 0.1)
    catalog, other = Catalog(tmp_path), Catalog(tmp_path)
    workspace = catalog.workspace("default")
    conversation = workspace.conversations.add("Warranty").id
    workspace.messages.add(conversation, [QUESTION])
    with other._db.write() as connection:
        connection.execute(select(chat_messages))
        assert texts(workspace.messages.turns(conversation)) == ["How long?"]
        assert workspace.hidden_versions("qa") == ()
        assert Catalog(tmp_path).workspace("default").conversations.list()
        with pytest.raises(CatalogError, match="locked by another process"):
            workspace.messages.add(conversation, [ANSWER])
