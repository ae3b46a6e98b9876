"""The history of the schema: one file a revision in `versions/`, run by Alembic when an older database is opened.

A revision is the number in the name of its file, `v0002_chat_messages.py`; the highest is `HEAD`, the schema of
`rag/catalog/tables.py`. Alembic is imported only when there is something to migrate: it costs a start more than the
whole catalog does.
"""

from __future__ import annotations

import threading
import time
import uuid
from pathlib import Path

from sqlalchemy import Column, Connection, MetaData, String, Table, delete, func, insert, inspect, select
from sqlalchemy.exc import OperationalError, ProgrammingError

from rag.catalog.tables import identity, metadata, schema
from rag.errors import CatalogError

REVISIONS = tuple(sorted(path.name[1:5] for path in (Path(__file__).parent / "versions").glob("v[0-9]*.py")))
"""Every revision of this program, oldest first."""
HEAD = REVISIONS[-1]

# Alembic's own table, outside of `metadata`: autogenerate would take it for one of ours.
stamps = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))

_SCHEMA_NUMBER = 2
"""Number in `rag_schema` that version 0.1.0 refuses; the same for all later revisions."""
_LOCK_KEY = 0x7261675F
"""Key of the advisory lock under which one process at a time migrates a Postgres database."""
_ALEMBIC = threading.Lock()  # its `op` and `context` are global: one migration at a time in this process


def is_current(connection: Connection) -> bool:
    """True when the database is at `HEAD`: one query, whatever the answer."""
    try:
        return connection.execute(select(stamps.c.version_num)).scalar() == HEAD
    except (OperationalError, ProgrammingError):  # no such table; a real fault is met again by `migrate`
        return False


def migrate(connection: Connection, database: str) -> None:
    """Bring a database to `HEAD`, as a part of the caller's transaction. Does nothing when it is there already.

    Args:
        connection: In a transaction that no other writer can enter on SQLite.
        database: Name of the database, for the message.

    Raises:
        CatalogError: The database is of a newer program, or Alembic is not installed.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK_KEY)))
    revision = _revision(connection)  # read under the lock: another process may have migrated since `is_current`
    if revision == "":
        # Alembic's cookbook: a new database is built from the tables, and stamped, rather than taken through history.
        metadata.create_all(connection)
        connection.execute(insert(schema).values(version=_SCHEMA_NUMBER))
        connection.execute(insert(identity).values(id=str(uuid.uuid4()), created=time.time()))
        _stamp(connection, HEAD)
    elif revision not in REVISIONS:
        raise CatalogError(
            f"Found schema version {revision} in {database}, expected at most {HEAD}. "
            "Install a newer program, or let RAG_DATABASE_URL or RAG_DATA_DIR name another place."
        )
    elif revision != HEAD:
        _stamp(connection, revision)  # version 0.1.0 left no stamp
        _upgrade(connection)


def _revision(connection: Connection) -> str:
    """Return the revision of a database, "" for a new one. Schema 1 of version 0.1.0 is revision 0001."""
    tables = inspect(connection).get_table_names()
    if stamps.name in tables and (stamp := connection.execute(select(stamps.c.version_num)).scalar()):
        return str(stamp)
    number = connection.execute(select(schema.c.version)).scalar() if schema.name in tables else None
    return "" if number is None else f"{number:04d}"


def _stamp(connection: Connection, revision: str) -> None:
    stamps.create(connection, checkfirst=True)
    connection.execute(delete(stamps))
    connection.execute(insert(stamps).values(version_num=revision))


def _upgrade(connection: Connection) -> None:
    try:
        from alembic import command
        from alembic.config import Config
    except ImportError as exc:
        raise CatalogError(
            "The data are of an older version, and Alembic, which carries them over, is not installed. "
            "Run `pip install -r requirements.txt`."
        ) from exc
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "rag.catalog:migrations")
    with _ALEMBIC:
        command.upgrade(config, "head")
