"""The SQL engine: SQLite tuned for one writer and many readers, any other database by URL, and every error mapped."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from rag.catalog.migrations import is_current, migrate
from rag.errors import CatalogError

_BUSY_SECONDS = 15
_FAULTS_SHOWN = 5
_DAMAGED = ("malformed", "not a database", "no such table", "no such column", "disk I/O error")
"""What SQLite says of a file that something else wrote to, cut or emptied."""


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
            raise CatalogError(self._message(exc)) from exc

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
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    """Begin as a reader, or as a writer, which takes its lock at once: a reader that turns writer could not wait."""
    options = connection.get_execution_options()
    if not options.get("rag_write"):
        connection.exec_driver_sql("BEGIN")
        return
    # Before BEGIN: within a transaction the pragma does nothing. Each writer sets it, as connections are shared.
    connection.exec_driver_sql(f"PRAGMA foreign_keys={'OFF' if options.get('rag_migrates') else 'ON'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")
