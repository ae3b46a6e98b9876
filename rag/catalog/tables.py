"""The tables of the newest schema. Any change here needs a file in `migrations/versions`: a test compares the two."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from rag.catalog.records import VersionState

metadata = MetaData()

# Version 0.1.0 reads its schema number here and refuses any but 1; Alembic's table counts since then.
schema = Table("rag_schema", metadata, Column("version", Integer, primary_key=True, autoincrement=False))

# One row. Originals and collections carry the id of the catalog that owns them.
identity = Table(
    "catalog_identity",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("created", Float, nullable=False),
)

# Originals that a run is about to store: after a kill, those without a version are known to be leftovers.
arrivals = Table("arrivals", metadata, Column("sha256", String(64), primary_key=True))

files = Table(
    "files",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("workspace", String(64), nullable=False),
    Column("task", String(32), nullable=False),
    Column("name", Text, nullable=False),
    Column("created", Float, nullable=False),
    UniqueConstraint("workspace", "task", "name"),
)

versions = Table(
    "versions",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("file", ForeignKey("files.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("workspace", String(64), nullable=False),
    Column("task", String(32), nullable=False),
    Column("state", String(8), nullable=False),
    Column("sha256", String(64), nullable=False, index=True),
    Column("size", BigInteger, nullable=False),
    Column("collection", String(128), nullable=False),
    Column("created", Float, nullable=False),
    Column("committed", Float, nullable=False, default=0.0),
    Column("documents", Integer, nullable=False, default=0),
    Column("chunks", Integer, nullable=False, default=0),
    Column("embedded", Integer, nullable=False, default=0),
    Column("reused", Integer, nullable=False, default=0),
    Index("versions_by_state", "workspace", "task", "state"),
)
_current = versions.c.state == VersionState.CURRENT.value
Index("one_current_version", versions.c.file, unique=True, sqlite_where=_current, postgresql_where=_current)

documents = Table(
    "documents",
    metadata,
    Column("version", ForeignKey("versions.id", ondelete="CASCADE"), primary_key=True),
    Column("id", String(36), primary_key=True, index=True),
    Column("key", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("chars", BigInteger, nullable=False),
    Column("pages", Integer, nullable=False),
    Column("chunks", Integer, nullable=False),
    Column("media_type", String(32), nullable=False),
    Column("language", String(32), nullable=False),
)

failures = Table(
    "failures",
    metadata,
    Column("workspace", String(64), primary_key=True),
    Column("task", String(32), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("sha256", String(64), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Float, nullable=False),
)

indexes = Table(
    "indexes",
    metadata,
    Column("task", String(32), primary_key=True),
    Column("collection", String(128), nullable=False),
    Column("recipe", Text, nullable=False),
    Column("fingerprint", String(128), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("switched", Float, nullable=False),
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("workspace", String(64), nullable=False, index=True),
    Column("title", Text, nullable=False),
    Column("created", Float, nullable=False),
    Column("updated", Float, nullable=False),
)

chat_messages = Table(
    "chat_messages",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("conversation", ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
    # No cascade: SQLite deletes a chain by recursion, at most 1,000 deep. Messages go with their conversation.
    Column("parent", ForeignKey("chat_messages.id"), nullable=True, index=True),
    Column("position", Integer, nullable=False),
    Column("role", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("details", JSON, nullable=False),
    Column("created", Float, nullable=False),
    Column("edited", Float, nullable=False, default=0.0),
    UniqueConstraint("conversation", "position"),
)

feedback = Table(
    "feedback",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("workspace", String(64), nullable=False),
    Column("task", String(32), nullable=False),
    Column("question", Text, nullable=False),
    Column("helpful", Boolean, nullable=False),
    Column("about", String(16), nullable=False),
    Column("points", Text, nullable=False),
    Column("documents", Text, nullable=False),
    Column("texts", Text, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("mode", String(16), nullable=False),
    Column("strategy", String(16), nullable=False),
    Column("recipe", String(128), nullable=False),
    Column("created", Float, nullable=False),
    Index("feedback_by_task", "workspace", "task", "created"),
)
