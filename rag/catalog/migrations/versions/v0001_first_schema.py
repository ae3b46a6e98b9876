"""The schema of version 0.1.0, without the table of messages that LangChain made beside it."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table("rag_schema", sa.Column("version", sa.Integer, primary_key=True, autoincrement=False))
    op.execute("INSERT INTO rag_schema (version) VALUES (1)")
    _create_versions()
    _create_people_tables()


def _create_versions() -> None:
    op.create_table(
        "files",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("workspace", sa.String(64), nullable=False),
        sa.Column("task", sa.String(32), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
        sa.UniqueConstraint("workspace", "task", "name"),
    )
    op.create_table(
        "versions",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("file", sa.String(36), sa.ForeignKey("files.id", ondelete="CASCADE"), nullable=False),
        sa.Column("workspace", sa.String(64), nullable=False),
        sa.Column("task", sa.String(32), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("collection", sa.String(128), nullable=False),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("committed", sa.Float, nullable=False),
        sa.Column("documents", sa.Integer, nullable=False),
        sa.Column("chunks", sa.Integer, nullable=False),
        sa.Column("embedded", sa.Integer, nullable=False),
        sa.Column("reused", sa.Integer, nullable=False),
    )
    op.create_index("versions_by_state", "versions", ["workspace", "task", "state"])
    op.create_index("ix_versions_file", "versions", ["file"])
    op.create_index("ix_versions_sha256", "versions", ["sha256"])
    current = sa.text("state = 'current'")
    op.create_index(
        "one_current_version", "versions", ["file"], unique=True, sqlite_where=current, postgresql_where=current
    )
    op.create_table(
        "documents",
        sa.Column("version", sa.String(36), sa.ForeignKey("versions.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("chars", sa.BigInteger, nullable=False),
        sa.Column("pages", sa.Integer, nullable=False),
        sa.Column("chunks", sa.Integer, nullable=False),
        sa.Column("media_type", sa.String(32), nullable=False),
        sa.Column("language", sa.String(32), nullable=False),
    )
    op.create_index("ix_documents_id", "documents", ["id"])
    op.create_table(
        "failures",
        sa.Column("workspace", sa.String(64), primary_key=True),
        sa.Column("task", sa.String(32), primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
    )
    op.create_table(
        "indexes",
        sa.Column("task", sa.String(32), primary_key=True),
        sa.Column("collection", sa.String(128), nullable=False),
        sa.Column("recipe", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.String(128), nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("switched", sa.Float, nullable=False),
    )


def _create_people_tables() -> None:
    op.create_table(
        "conversations",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("workspace", sa.String(64), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("updated", sa.Float, nullable=False),
    )
    op.create_index("ix_conversations_workspace", "conversations", ["workspace"])
    op.create_table(
        "feedback",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("workspace", sa.String(64), nullable=False),
        sa.Column("task", sa.String(32), nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("helpful", sa.Boolean, nullable=False),
        sa.Column("about", sa.String(16), nullable=False),
        sa.Column("points", sa.Text, nullable=False),
        sa.Column("documents", sa.Text, nullable=False),
        sa.Column("texts", sa.Text, nullable=False),
        sa.Column("rank", sa.Integer, nullable=False),
        sa.Column("mode", sa.String(16), nullable=False),
        sa.Column("strategy", sa.String(16), nullable=False),
        sa.Column("recipe", sa.String(128), nullable=False),
        sa.Column("created", sa.Float, nullable=False),
    )
    op.create_index("feedback_by_task", "feedback", ["workspace", "task", "created"])
