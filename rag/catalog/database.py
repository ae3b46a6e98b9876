"""The SQL engine: SQLite tuned for one writer and many readers, any other database by URL, and every error mapped."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, create_engine, event, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from rag.catalog.migrations import is_current, migrate, stamps
from rag.catalog.shared_memory import allocate_shared_memory, has_small_blocks
from rag.disk import MEGABYTE, disk_full, disk_of
from rag.errors import CatalogError, RagError

_BUSY_SECONDS = 15
_FAULTS_SHOWN = 5
_FULL = re.compile("disk is full|disk I/O error|unable to open")
_DAMAGED = ("malformed", "not a database", "no such table", "no such column")
"""What SQLite says of a file that something else wrote to, cut or emptied."""
_ERASING_MS = 200
"""How long erasing waits for readers, during which no writer gets in."""
_ZEROED = 1
"""SQLite's `user_version` of a file that has no deleted contents from before `secure_delete` was on."""


class Database:
    """An engine on a database with the newest schema. Safe to call from many threads.

    Args:
        url: SQLAlchemy URL; `postgresql://` is taken to mean the psycopg driver.

    Raises:
        CatalogError: The URL is wrong, the server is away, or the file is locked, damaged or of a newer schema.
    """

    def __init__(self, url: str) -> None:
        self._url = _parse(url)
        self._file: tuple[Path, int] | None = None
        with self._mapped():
            self._engine = _engine(self._url)
        self._prepare()
        if self._url.get_backend_name() == "sqlite" and self._url.database not in (None, "", ":memory:"):
            path = Path(str(self._url.database))
            self._file = path, path.stat().st_ino

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a connection to read with. It waits for no writer."""
        self._require_file()
        with self._mapped(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Open a connection whose reads all see the database as of this moment. It waits for no writer."""
        with self._mapped(), self._engine.connect() as connection:
            if self._url.get_backend_name() != "sqlite":  # where a transaction is a snapshot from its first read on
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            connection.execute(select(stamps.c.version_num))
            yield connection

    def rows(self, query: Select[Any], parameters: Mapping[str, Any] | None = None) -> Sequence[Row[Any]]:
        """Run one query and return all its rows."""
        with self.read() as connection:
            return connection.execute(query, parameters).all()

    @contextmanager
    def write(self, *, migrates: bool = False) -> Iterator[Connection]:
        """Open a transaction: all of it is committed at the end, or none of it.

        Args:
            migrates: SQLite does not enforce foreign keys meanwhile. It changes a table by copying it, and dropping the
                old one would otherwise delete the rows that refer to it.
        """
        self._require_file()
        with self._mapped(), self._engine.connect() as connection:
            connection.execution_options(rag_write=True, rag_migrates=migrates)
            with connection.begin():
                yield connection

    def faults(self) -> list[str]:
        """Return what SQLite finds wrong with its file, most of it; nothing for a sound one and other databases."""
        if self._url.get_backend_name() != "sqlite":
            return []
        with self.read() as connection:
            lines = connection.exec_driver_sql(f"PRAGMA integrity_check({_FAULTS_SHOWN})").scalars().all()
        return [str(line) for line in lines if line != "ok"]

    def unerased(self) -> bool:
        """True when the log of SQLite may hold deleted contents; other databases see to that by themselves."""
        log = Path(f"{self._url.database}-wal")
        try:
            return self._url.get_backend_name() == "sqlite" and log.stat().st_size > 0
        except OSError:
            return False

    def erase(self) -> bool:
        """Empty the write-ahead log of SQLite, which holds pages as they were, and once the free pages of the file.

        Returns:
            True when it is done; False when somebody was reading, so that it has to be tried again.
        """
        if self._url.get_backend_name() != "sqlite":
            return True
        with self._mapped(), closing(self._engine.raw_connection()) as connection:
            cursor = connection.cursor()
            if cursor.execute("PRAGMA user_version").fetchone()[0] < _ZEROED:
                cursor.execute("VACUUM")
                cursor.execute(f"PRAGMA user_version={_ZEROED}")
            cursor.execute(f"PRAGMA busy_timeout={_ERASING_MS}")
            try:
                is_busy = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            finally:
                cursor.execute(f"PRAGMA busy_timeout={_BUSY_SECONDS * 1000}")
        return not is_busy

    def close(self) -> None:
        """Give every connection back."""
        self._engine.dispose()

    def _prepare(self) -> None:
        with self.read() as connection:
            if is_current(connection):
                return
        with self.write(migrates=True) as connection:
            migrate(connection, self._name)

    def _require_file(self) -> None:
        """Refuse to go on with a file that is gone: SQLite would write to what nobody finds again, or make a new one.

        Raises:
            CatalogError: The file was removed or replaced since it was opened.
        """
        if self._file is None:
            return
        path, inode = self._file
        try:
            is_same = path.stat().st_ino == inode
        except OSError:
            is_same = False
        if not is_same:
            raise CatalogError(
                f"The database {path} was removed or replaced while this program had it open. Stop the program, put "
                "the file back with its -wal file if it has one, and start again. If it is lost, run "
                "`python -m rag check --repair`, which rebuilds it from index and originals."
            )

    @property
    def _name(self) -> str:
        """The database as messages may show it: without a password."""
        if self._url.get_backend_name() == "sqlite":
            return str(self._url.database or ":memory:")
        return self._url.render_as_string(hide_password=True)

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error, ImportError) as exc:
            raise self._error(exc) from exc

    def _error(self, exc: Exception) -> RagError:
        reason = str(getattr(exc, "orig", None) or exc)
        if self._url.get_backend_name() == "sqlite" and _FULL.search(reason):
            folder = Path(self._name).parent
            # SQLite has its own words for a full disk only when it writes, not when it opens.
            if "full" in reason or disk_of(folder).free < MEGABYTE:
                return disk_full(folder)
        return CatalogError(self._message(exc))

    def _message(self, exc: Exception) -> str:
        reason = str(getattr(exc, "orig", None) or exc).strip().splitlines()[0]
        if self._url.password:
            reason = reason.replace(str(self._url.password), "***")
        if isinstance(exc, (NoSuchModuleError, ImportError)):
            return (
                f"No driver for {self._name}: {reason}. For Postgres install `psycopg[binary]` and use a URL that "
                "begins with postgresql+psycopg://."
            )
        if "locked" in reason:
            return f"The database {self._name} is locked by another process. Wait for it to end, then try again."
        if any(words in reason for words in _DAMAGED):
            return (
                f"The database {self._name} is damaged ({reason}). Restore it from a backup; or move it away, with its "
                "-wal and -shm files, and run `python -m rag check --repair`, which rebuilds it from index and "
                "originals, without the conversations."
            )
        if "I/O error" in reason:
            return f"The database {self._name} cannot be written or read ({reason}). Check the disk it is on."
        if "unable to open" in reason or "readonly" in reason:
            return f"The database {self._name} cannot be written ({reason}). Check RAG_DATA_DIR and its permissions."
        return f"The database {self._name} failed: {reason}. Check that it runs and what RAG_DATABASE_URL says."


def sqlite_url(path: Path) -> str:
    """Return the URL of a SQLite file."""
    return URL.create("sqlite", database=str(path)).render_as_string()


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise CatalogError(
            "RAG_DATABASE_URL is not a database URL. Expected for example postgresql://user:password@host/name or "
            "sqlite:////folder/catalog.db; special characters of a password must be percent-encoded."
        ) from None
    return parsed.set(drivername="postgresql+psycopg") if parsed.drivername in {"postgres", "postgresql"} else parsed


def _engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        arguments = {"connect_timeout": 10} if url.get_backend_name() == "postgresql" else {}
        return create_engine(url, pool_pre_ping=True, connect_args=arguments, hide_parameters=True)
    # As many connections as threads ask for: writers that wait for their turn hold one each, and none may be missing
    # for a reader.
    options = {"max_overflow": -1} if url.database not in {None, "", ":memory:"} else {}
    engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS}, hide_parameters=True, **options)
    event.listen(engine, "connect", _tune_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _tune_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # `_begin_sqlite` says when a transaction starts
    # What is deleted is overwritten with zeros: a conversation that somebody removed shall not be readable in the file.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")
    file = connection.execute("PRAGMA database_list").fetchone()[2]
    if file and has_small_blocks(Path(file).parent):
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()  # maps the shared memory
        allocate_shared_memory(Path(file))


def _begin_sqlite(connection: Connection) -> None:
    """Begin as a reader, or as a writer, which takes its lock at once: a reader that turns writer could not wait."""
    options = connection.get_execution_options()
    if not options.get("rag_write"):
        connection.exec_driver_sql("BEGIN")
        return
    # Before BEGIN: within a transaction the pragma does nothing. Each writer sets it, as connections are shared.
    connection.exec_driver_sql(f"PRAGMA foreign_keys={'OFF' if options.get('rag_migrates') else 'ON'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")
