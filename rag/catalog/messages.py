"""The messages of one workspace's conversations. A conversation is a tree: an edit starts a branch beside the old one.

Positions count the messages of a conversation in the order they were written, whatever their branch. So a parent is
always before its children, and the message written last ends the newest branch.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, delete, insert, select

from rag.catalog.conversations import no_conversation
from rag.catalog.database import Database
from rag.catalog.records import StoredTurn
from rag.catalog.tables import chat_messages, conversations
from rag.errors import NotFoundError

_FIELDS = tuple(chat_messages.c[name] for name in ("role", "text", "details", "id", "parent", "created", "edited"))
_OWNED = and_(conversations.c.workspace == bindparam("workspace"), conversations.c.id == bindparam("conversation"))
# Locked on Postgres, so that two writers do not take the same position; SQLite has one writer anyway.
_CLAIM = select(conversations.c.id).where(_OWNED).with_for_update()
_TURNS = (
    select(*_FIELDS)
    .select_from(conversations.outerjoin(chat_messages))  # a conversation without messages is a row of nulls
    .where(_OWNED)
    .order_by(chat_messages.c.position)
)
_LAST = (
    select(chat_messages.c.id, chat_messages.c.position)
    .where(chat_messages.c.conversation == bindparam("conversation"))
    .order_by(chat_messages.c.position.desc())
    .limit(1)
)

_ANSWERS = (
    select(chat_messages.c.details)
    .join(conversations)
    .where(conversations.c.workspace == bindparam("workspace"), chat_messages.c.role == "assistant")
    .order_by(chat_messages.c.created.desc(), chat_messages.c.id)
    .limit(bindparam("latest"))
)


class Messages:
    """Messages of one workspace. Safe to call from many threads.

    Every method about a conversation raises `NotFoundError` for one, or a message in it, that this workspace does not
    have.
    """

    def __init__(self, database: Database, workspace: str) -> None:
        self._db = database
        self._workspace = workspace

    def turns(self, conversation: str, through: str = "") -> list[StoredTurn]:
        """Return one branch from its first message to its last.

        Args:
            conversation: Id of the conversation.
            through: Id of a message; the newest branch with it is returned, or the newest of all when empty.
        """
        return _branch(self._tree(conversation), through)

    def alternatives(self, conversation: str, message: str) -> list[StoredTurn]:
        """Return a message with those that were written in its stead, oldest first."""
        tree = self._tree(conversation)
        parent = _by_id(tree, message).parent
        return [turn for turn in tree if turn.parent == parent]

    def questions(self, task: str, latest: int = 400) -> list[str]:
        """Return the different questions that a task was searched by among the latest answers, the newest first.

        A follow-up is returned as it was searched, with what it refers to.
        """
        with self._db.read() as connection:
            rows = connection.execute(_ANSWERS, {"workspace": self._workspace, "latest": latest}).scalars().all()
        asked = [str(details.get("question", "")) for details in rows if details.get("task") == task]
        return [question for question in dict.fromkeys(asked) if question.strip()]

    def add(self, conversation: str, turns: Sequence[StoredTurn]) -> list[StoredTurn]:
        """Append messages to the newest branch, in one commit.

        Returns:
            The messages with the ids, parents and times that they were stored with.
        """
        with self._db.write() as connection:
            parent, position = self._claim(connection, conversation)
            stored: list[StoredTurn] = []
            for turn in turns:
                stored.append(_stored(turn.role, turn.text, turn.details, parent))
                parent = stored[-1].id
            _insert(connection, conversation, stored, position + 1)
        return stored

    def edit(self, conversation: str, message: str, text: str, details: Mapping[str, Any] | None = None) -> StoredTurn:
        """Put another message in the stead of one, on a branch of its own; the old branch stays.

        Args:
            conversation: Id of the conversation.
            message: Id of the message that is edited.
            text: The new text.
            details: The new details; those of the edited message when None.
        """
        with self._db.write() as connection:
            _, position = self._claim(connection, conversation)
            query = select(*_FIELDS).where(chat_messages.c.conversation == conversation, chat_messages.c.id == message)
            row = connection.execute(query).first()
            if row is None:
                raise _no_message(message)
            old = _turn(row)
            new = _stored(old.role, text, old.details if details is None else details, old.parent, old.created)
            _insert(connection, conversation, [new], position + 1)
        return new

    def clear(self, conversation: str) -> None:
        """Remove all messages of a conversation, which itself stays."""
        with self._db.write() as connection:
            self._claim(connection, conversation)
            connection.execute(delete(chat_messages).where(chat_messages.c.conversation == conversation))

    def _tree(self, conversation: str) -> list[StoredTurn]:
        """Return the messages of all branches by position."""
        with self._db.read() as connection:
            rows = connection.execute(_TURNS, self._key(conversation)).all()
        if not rows:
            raise no_conversation(conversation)
        return [_turn(row) for row in rows if row.id is not None]

    def _claim(self, connection: Connection, conversation: str) -> tuple[str, int]:
        """Keep other writers out of a conversation; return its last message and position, "" and 0 when empty."""
        if connection.execute(_CLAIM, self._key(conversation)).first() is None:
            raise no_conversation(conversation)
        last = connection.execute(_LAST, {"conversation": conversation}).first()
        return (last.id, last.position) if last else ("", 0)

    def _key(self, conversation: str) -> dict[str, str]:
        return {"workspace": self._workspace, "conversation": conversation}


def _no_message(message: str) -> NotFoundError:
    return NotFoundError(f"No message of this conversation has the id {message!r}.")


def _by_id(tree: Sequence[StoredTurn], message: str) -> StoredTurn:
    for turn in tree:
        if turn.id == message:
            return turn
    raise _no_message(message)


def _branch(tree: Sequence[StoredTurn], through: str) -> list[StoredTurn]:
    if through:
        leaf = _newest_below(tree, _by_id(tree, through))
    elif tree:
        leaf = tree[-1]
    else:
        return []
    turns = {turn.id: turn for turn in tree}
    branch = [leaf]
    while branch[-1].parent:
        branch.append(turns[branch[-1].parent])
    return branch[::-1]


def _newest_below(tree: Sequence[StoredTurn], root: StoredTurn) -> StoredTurn:
    below, newest = {root.id}, root
    for turn in tree:  # parents come first, so one pass meets all descendants
        if turn.parent in below:
            below.add(turn.id)
            newest = turn
    return newest


def _stored(role: str, text: str, details: Mapping[str, Any], parent: str, original: float | None = None) -> StoredTurn:
    """Return a new message; `original` is when the message was written that it replaces."""
    now = time.time()
    # A text column holds neither NUL (Postgres) nor half a surrogate pair, which a model's JSON may bring.
    text = text.replace("\0", "").encode("utf-8", "replace").decode()
    created, edited = (now, 0.0) if original is None else (original, now)
    return StoredTurn(role, text, dict(details), str(uuid.uuid4()), parent, created, edited)


def _insert(connection: Connection, conversation: str, turns: Sequence[StoredTurn], first: int) -> None:
    rows = [
        {column.name: getattr(turn, column.name) for column in _FIELDS}
        | {"conversation": conversation, "position": position, "parent": turn.parent or None}
        for position, turn in enumerate(turns, start=first)
    ]
    if rows:
        connection.execute(insert(chat_messages), rows)


def _turn(row: Row[Any]) -> StoredTurn:
    fields = dict(row._mapping)
    return StoredTurn(**{**fields, "parent": row.parent or ""})
