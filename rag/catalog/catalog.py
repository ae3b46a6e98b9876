"""The catalog as a whole: its schema, its workspaces, the active index of each task, and what a sweep needs."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Row, and_, bindparam, delete, exists, insert, or_, select, union, update

from rag.catalog.copying import Snapshot, is_empty
from rag.catalog.database import Database, sqlite_url
from rag.catalog.lock import WriterLock
from rag.catalog.originals import Originals
from rag.catalog.records import IndexRecord, VersionRecord, VersionState
from rag.catalog.recovery import Recovery
from rag.catalog.tables import arrivals, failures, files, identity, indexes, versions
from rag.catalog.workspace import WorkspaceCatalog
from rag.disk import Reserve, disk_full, is_disk_full
from rag.errors import CatalogError
from rag.files import private_folder

_VERSIONS = select(
    versions.c.id,
    versions.c.file,
    versions.c.workspace,
    versions.c.task,
    files.c.name,
    *(versions.c[name] for name in ("sha256", "size", "collection", "state", "created", "chunks")),
).join(files)
_INDEX = ("task", "collection", "recipe", "fingerprint", "generation")
_ACTIVE = select(*(indexes.c[name] for name in _INDEX)).where(indexes.c.task == bindparam("task"))


class Catalog:
    """The record of what exists. Safe to call from many threads.

    Args:
        data_dir: Folder of the originals, the lock and, by default, the database. Made when absent.
        url: SQLAlchemy URL; empty means SQLite in the folder.
        reserve: Disk space that adding files leaves free; by default that of the settings.

    Attributes:
        id: Says which catalog this is, for what it owns. Made with the database; a copy of the database keeps it.
        recovery: What it takes to rebuild a catalog.

    Raises:
        CatalogError: The database cannot be used; the message says why and what to do.
    """

    def __init__(self, data_dir: Path, url: str = "", reserve: Reserve | None = None) -> None:
        reserve = reserve or Reserve(data_dir)
        if not url:
            make_data_folder(data_dir)
        with reserve.spare():
            self._db = Database(url or sqlite_url(data_dir / "catalog.db"))
        self._workspaces: dict[str, WorkspaceCatalog] = {}
        self._unknown: dict[str, tuple[str, ...]] = {}
        self.originals = Originals(data_dir / "files", reserve)
        self.writer = WriterLock(data_dir / "writer.lock")
        self.recovery = Recovery(self._db)
        self.id = str(self._db.rows(select(identity.c.id))[0][0])

    def workspace(self, name: str) -> WorkspaceCatalog:
        """Return the catalog of one tenant, the same object each time."""
        workspace = self._workspaces.get(name)
        return workspace or self._workspaces.setdefault(name, WorkspaceCatalog(self._db, name, self._unknown))

    def hide(self, task: str, unknown: Sequence[str]) -> None:
        """Hide versions that are in the task's index and not in this catalog from every search of this process."""
        self._unknown[task] = tuple(unknown)

    def faults(self) -> list[str]:
        """Return what is wrong with the database's file, in its own words."""
        return self._db.faults()

    def unerased(self) -> bool:
        """True when the files of the database may hold deleted contents."""
        return self._db.unerased()

    def erase(self) -> bool:
        """Remove deleted contents from the files of the database; False when it has to be tried again."""
        return self._db.erase()

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

    def version_ids(self, task: str | None = None, *states: VersionState) -> set[str]:
        """Return the ids of versions of a task, or of all, in these states, or in any, of all workspaces."""
        query = select(versions.c.id)
        if task is not None:
            query = query.where(versions.c.task == task)
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

    # -- originals -----------------------------------------------------------------------------------------------------

    def wanted_originals(self, among: Collection[str] | None = None) -> set[str]:
        """Return the SHA-256 of every file that a version or a failure refers to, or of those among some."""
        columns = [versions.c.sha256, failures.c.sha256]
        queries = [select(c) if among is None else select(c).where(c.in_(list(among))) for c in columns]
        with self._db.read() as connection:
            return set(connection.execute(union(*queries)).scalars())

    @contextmanager
    def arriving(self, hashes: Collection[str]) -> Iterator[None]:
        """Record which originals are stored meanwhile, so that those which no version comes of can be removed.

        Only the writer may call it. After a kill the record is there, and `sweep_arrivals` uses it.
        """
        self.sweep_arrivals()
        if hashes:
            self._expect(hashes)
        yield
        self.sweep_arrivals()

    def sweep_arrivals(self) -> None:
        """Remove originals that were stored and that neither a version nor a failure refers to. Only for the writer.

        One that a card refers to stays: then this is an older copy of the catalog, and a newer one knew it.
        """
        referred = (select(c).where(c == arrivals.c.sha256).exists() for c in (versions.c.sha256, failures.c.sha256))
        query = select(arrivals.c.sha256)
        expected = self._db.rows(query)
        if not expected:
            return
        for (sha256,) in self._db.rows(query.where(~or_(*referred))):
            if not self.originals.cards.refers_to(sha256):
                self.originals.remove(sha256)
        self._expect(())

    def _expect(self, hashes: Iterable[str]) -> None:
        rows = [{"sha256": sha256} for sha256 in sorted(set(hashes))]
        with self._db.write() as connection:
            connection.execute(delete(arrivals))
            if rows:
                connection.execute(insert(arrivals), rows)


def make_data_folder(data_dir: Path) -> Path:
    """Make the data folder if it is absent, and close it to everybody but its owner.

    Raises:
        CatalogError: It cannot be made.
    """
    try:
        return private_folder(data_dir)
    except FileExistsError:
        raise CatalogError(
            f"RAG_DATA_DIR names {data_dir}, which is a file or lies below one; expected a folder. Move the file away, "
            "or set RAG_DATA_DIR to a folder."
        ) from None
    except OSError as exc:
        if is_disk_full(exc):
            raise disk_full(data_dir) from exc
        raise CatalogError(
            f"The data folder {data_dir} cannot be made ({exc.strerror}). Set RAG_DATA_DIR to a folder that this user "
            "may write to."
        ) from exc


def _version(row: Row[Any]) -> VersionRecord:
    fields: dict[str, Any] = dict(row._mapping)
    return VersionRecord(**{**fields, "state": VersionState(row.state)})
