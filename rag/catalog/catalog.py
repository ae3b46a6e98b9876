"""The catalog as a whole: its schema, its workspaces, the active index of each task, and what a sweep needs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Row, and_, bindparam, delete, exists, insert, or_, select, union, update

from rag.catalog.copying import Snapshot, is_empty
from rag.catalog.database import Database, sqlite_url
from rag.catalog.lock import WriterLock
from rag.catalog.originals import Originals
from rag.catalog.records import IndexRecord, VersionRecord, VersionState
from rag.catalog.tables import failures, files, indexes, versions
from rag.catalog.workspace import WorkspaceCatalog
from rag.errors import CatalogError

_VERSIONS = select(
    versions.c.id,
    versions.c.file,
    versions.c.workspace,
    versions.c.task,
    files.c.name,
    *(versions.c[name] for name in ("sha256", "size", "collection", "state", "created")),
).join(files)
_INDEX = ("task", "collection", "recipe", "fingerprint", "generation")
_ACTIVE = select(*(indexes.c[name] for name in _INDEX)).where(indexes.c.task == bindparam("task"))


class Catalog:
    """The record of what exists. Safe to call from many threads.

    Args:
        data_dir: Folder of the originals, the lock and, by default, the database. Made when absent.
        url: SQLAlchemy URL; empty means SQLite in the folder.

    Raises:
        CatalogError: The database cannot be used; the message says why and what to do.
    """

    def __init__(self, data_dir: Path, url: str = "") -> None:
        if not url:
            data_dir.mkdir(parents=True, exist_ok=True)
        self._db = Database(url or sqlite_url(data_dir / "catalog.db"))
        self._workspaces: dict[str, WorkspaceCatalog] = {}
        self.originals = Originals(data_dir / "files")
        self.writer = WriterLock(data_dir / "writer.lock")

    def workspace(self, name: str) -> WorkspaceCatalog:
        """Return the catalog of one tenant, the same object each time."""
        workspace = self._workspaces.get(name)
        return workspace or self._workspaces.setdefault(name, WorkspaceCatalog(self._db, name))

    def close(self) -> None:
        """Give every connection back."""
        self._db.close()

    # -- as a whole ----------------------------------------------------------------------------------------------------

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Read everything as of this moment."""
        with self._db.snapshot() as connection:
            yield Snapshot(connection)

    @contextmanager
    def filling(self, snapshot: Snapshot) -> Iterator[None]:
        """Take over another catalog in one commit, at the end of the block; nothing is changed when that fails.

        Raises:
            CatalogError: This one has rows of its own.
        """
        with self._db.write(migrates=True) as connection:
            if not is_empty(connection):
                raise CatalogError(
                    "The database that RAG_DATABASE_URL names holds a library already, expected an empty one. Nothing "
                    "was changed. Name another database, or remove its tables."
                )
            snapshot.copy_into(connection)
            yield

    # -- indexes -------------------------------------------------------------------------------------------------------

    def active_index(self, task: str) -> IndexRecord | None:
        """Return the task's active index, or None before the first one."""
        rows = self._db.rows(_ACTIVE, {"task": task})
        return IndexRecord(*rows[0]) if rows else None

    def switch(self, index: IndexRecord) -> None:
        """Make an index the active one, its ready versions current and all others of the task stale, in one commit."""
        inside = and_(versions.c.task == index.task, versions.c.collection == index.collection)
        outside = and_(versions.c.task == index.task, versions.c.collection != index.collection)
        ready = and_(inside, versions.c.state == VersionState.READY)
        unfinished = and_(inside, versions.c.state == VersionState.PENDING)
        row = {name: getattr(index, name) for name in _INDEX}
        with self._db.write() as connection:
            connection.execute(update(versions).where(or_(outside, unfinished)).values(state=VersionState.STALE))
            connection.execute(update(versions).where(ready).values(state=VersionState.CURRENT))
            connection.execute(delete(indexes).where(indexes.c.task == index.task))
            connection.execute(insert(indexes).values(**row, switched=time.time()))

    # -- over all workspaces -------------------------------------------------------------------------------------------

    def workspaces(self) -> list[str]:
        """Return the names of all workspaces that have files, sorted."""
        with self._db.read() as connection:
            query = select(files.c.workspace).distinct().order_by(files.c.workspace)
            return list(connection.execute(query).scalars())

    def versions(self, *states: VersionState, task: str | None = None) -> list[VersionRecord]:
        """Return versions in these states, of all workspaces, by workspace, task and name."""
        query = _VERSIONS.where(versions.c.state.in_(states))
        if task is not None:
            query = query.where(versions.c.task == task)
        query = query.order_by(versions.c.workspace, versions.c.task, files.c.name, versions.c.created)
        return list(map(_version, self._db.rows(query)))

    def version_ids(self, task: str, *states: VersionState) -> set[str]:
        """Return the ids of a task's versions in these states, or in any, of all workspaces."""
        query = select(versions.c.id).where(versions.c.task == task)
        if states:
            query = query.where(versions.c.state.in_(states))
        with self._db.read() as connection:
            return set(connection.execute(query).scalars())

    def retire(self, ids: Sequence[str]) -> None:
        """Mark versions as stale: no search returns them from now on."""
        with self._db.write() as connection:
            for version in ids:
                connection.execute(update(versions).where(versions.c.id == version).values(state=VersionState.STALE))

    def forget(self, ids: Sequence[str]) -> None:
        """Remove the rows of stale versions, and of files without any version, in one commit.

        Call it after the points are removed: until then the rows keep the points hidden.
        """
        with self._db.write() as connection:
            for version in ids:
                stale = and_(versions.c.id == version, versions.c.state == VersionState.STALE)
                connection.execute(delete(versions).where(stale))
            connection.execute(delete(files).where(~exists().where(versions.c.file == files.c.id)))

    def wanted_originals(self) -> set[str]:
        """Return the SHA-256 of every file that a version or a failure refers to."""
        with self._db.read() as connection:
            return set(connection.execute(union(select(versions.c.sha256), select(failures.c.sha256))).scalars())


def _version(row: Row[Any]) -> VersionRecord:
    fields: dict[str, Any] = dict(row._mapping)
    return VersionRecord(**{**fields, "state": VersionState(row.state)})
