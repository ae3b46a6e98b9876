"""The conversations of one workspace, without their messages."""

from __future__ import annotations

import time
import uuid
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, insert, select, update

from rag.catalog.database import Database
from rag.catalog.records import ConversationRecord
from rag.catalog.tables import conversations
from rag.errors import NotFoundError

_FIELDS = (conversations.c.id, conversations.c.title, conversations.c.created, conversations.c.updated)


class Conversations:
    """Conversations of one workspace. Safe to call from many threads."""

    def __init__(self, database: Database, workspace: str) -> None:
        self._db = database
        self._workspace = workspace

    def add(self, title: str) -> ConversationRecord:
        """Start a conversation."""
        now = time.time()
        record = ConversationRecord(str(uuid.uuid4()), title, now, now)
        row = {"id": record.id, "workspace": self._workspace, "title": title, "created": now, "updated": now}
        with self._db.write() as connection:
            connection.execute(insert(conversations).values(**row))
        return record

    def list(self) -> list[ConversationRecord]:
        """Return all conversations, last used first."""
        query = select(*_FIELDS).where(conversations.c.workspace == self._workspace)
        query = query.order_by(conversations.c.updated.desc(), conversations.c.id)
        with self._db.read() as connection:
            return [ConversationRecord(*row) for row in connection.execute(query)]

    def get(self, conversation: str) -> ConversationRecord:
        """Return a conversation.

        Raises:
            NotFoundError: This workspace has none.
        """
        with self._db.read() as connection:
            row = connection.execute(select(*_FIELDS).where(self._of(conversation))).first()
        if row is None:
            raise no_conversation(conversation)
        return ConversationRecord(*row)

    def touch(self, conversation: str, title: str | None = None) -> None:
        """Record that a conversation was used, and rename it if a title is given.

        Raises:
            NotFoundError: This workspace has none of that id.
        """
        values: dict[str, Any] = {"updated": time.time()} | ({} if title is None else {"title": title})
        with self._db.write() as connection:
            if not connection.execute(update(conversations).where(self._of(conversation)).values(**values)).rowcount:
                raise no_conversation(conversation)

    def delete(self, conversation: str) -> None:
        """Remove a conversation with its messages, when it exists, in one commit."""
        with self._db.write() as connection:
            connection.execute(delete(conversations).where(self._of(conversation)))  # cascades to the messages

    def _of(self, conversation: str) -> ColumnElement[bool]:
        return and_(conversations.c.workspace == self._workspace, conversations.c.id == conversation)


def no_conversation(conversation: str) -> NotFoundError:
    """Return the error for a conversation that the workspace does not have."""
    return NotFoundError(f"No conversation has the id {conversation!r}. It may have been deleted.")
