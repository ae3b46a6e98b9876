"""The conversations of one workspace. Their messages are in LangChain's SQL message history under the same ids."""

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
        """All conversations, the one used last first."""
        query = select(*_FIELDS).where(conversations.c.workspace == self._workspace)
        query = query.order_by(conversations.c.updated.desc(), conversations.c.id)
        with self._db.read() as connection:
            return [ConversationRecord(*row) for row in connection.execute(query)]

    def get(self, conversation: str) -> ConversationRecord:
        """The conversation of that id.

        Raises:
            NotFoundError: This workspace has none.
        """
        with self._db.read() as connection:
            row = connection.execute(select(*_FIELDS).where(self._of(conversation))).first()
        if row is None:
            raise _missing(conversation)
        return ConversationRecord(*row)

    def touch(self, conversation: str, title: str | None = None) -> None:
        """Note that a conversation was used, and rename it if a title is given.

        Raises:
            NotFoundError: This workspace has none of that id.
        """
        values: dict[str, Any] = {"updated": time.time()} | ({} if title is None else {"title": title})
        with self._db.write() as connection:
            if not connection.execute(update(conversations).where(self._of(conversation)).values(**values)).rowcount:
                raise _missing(conversation)

    def delete(self, conversation: str) -> None:
        """Remove a conversation, when it is there. Its messages are the message history's to clear."""
        with self._db.write() as connection:
            connection.execute(delete(conversations).where(self._of(conversation)))

    def _of(self, conversation: str) -> ColumnElement[bool]:
        return and_(conversations.c.workspace == self._workspace, conversations.c.id == conversation)


def _missing(conversation: str) -> NotFoundError:
    return NotFoundError(f"No conversation has the id {conversation!r}. It may have been deleted.")
