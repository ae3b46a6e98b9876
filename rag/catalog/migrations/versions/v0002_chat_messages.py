"""Messages in a table of our own, with branches; those of LangChain's message history are carried over."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_ROLES = {"human": "user", "ai": "assistant"}
_LANGCHAIN = sa.table("messages", sa.column("id"), sa.column("session_id"), sa.column("message"))
_CONVERSATIONS = sa.table("conversations", sa.column("id"), sa.column("created"))
_ROWS_AT_ONCE = 500


def upgrade() -> None:
    """Create the table, fill it and drop LangChain's."""
    op.execute("UPDATE rag_schema SET version = 2")
    chat_messages = op.create_table(
        "chat_messages",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("conversation", sa.String(36), sa.ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
        sa.Column("parent", sa.String(36), sa.ForeignKey("chat_messages.id"), nullable=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("details", sa.JSON, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("edited", sa.Float, nullable=False),
        sa.UniqueConstraint("conversation", "position"),
    )
    op.create_index("ix_chat_messages_parent", "chat_messages", ["parent"])
    connection = op.get_bind()
    if not _has_langchain_table(connection):  # it was made by the first message
        return
    for rows in _converted(connection):
        connection.execute(sa.insert(chat_messages), rows)
    op.drop_table("messages")


def _has_langchain_table(connection: sa.Connection) -> bool:
    inspector = sa.inspect(connection)
    if "messages" not in inspector.get_table_names():
        return False
    return {column["name"] for column in inspector.get_columns("messages")} == {"id", "session_id", "message"}


def _converted(connection: sa.Connection) -> Iterator[list[dict[str, Any]]]:
    """Yield the new rows of each conversation, parents first. Messages whose conversation was deleted are left out."""
    query = sa.select(_LANGCHAIN.c.session_id, _LANGCHAIN.c.message, _CONVERSATIONS.c.created)
    query = query.join(_CONVERSATIONS, _CONVERSATIONS.c.id == _LANGCHAIN.c.session_id)
    query = query.order_by(_LANGCHAIN.c.session_id, _LANGCHAIN.c.id).execution_options(yield_per=_ROWS_AT_ONCE)
    for conversation, messages in groupby(connection.execute(query), key=lambda row: row.session_id):
        rows: list[dict[str, Any]] = []
        for position, row in enumerate(messages, start=1):
            message = json.loads(row.message)
            rows.append(
                {
                    "id": str(uuid.uuid4()),
                    "conversation": conversation,
                    "parent": rows[-1]["id"] if rows else None,
                    "position": position,
                    "role": _ROLES.get(message["type"], message["type"]),
                    "text": _storable(str(message["data"]["content"])),
                    "details": message["data"].get("additional_kwargs", {}),
                    "created": row.created,  # LangChain kept no times
                    "edited": 0.0,
                }
            )
        yield rows


def _storable(text: str) -> str:
    """Drop what a text column cannot hold and LangChain's JSON could: NUL, and half a surrogate pair."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()
