"""Every read and write of one workspace: the workspace is in every query."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from itertools import starmap
from types import MappingProxyType

from sqlalchemy import ColumnElement, Update, and_, bindparam, func, insert, select, update

from rag.catalog.conversations import Conversations
from rag.catalog.database import Database
from rag.catalog.failures import CLEAR_FAILURE, Failures
from rag.catalog.feedback import FeedbackLog
from rag.catalog.messages import Messages
from rag.catalog.records import (
    DocumentRecord,
    FileRecord,
    Finished,
    IndexRecord,
    NewDocument,
    NewVersion,
    TaskView,
    VersionState,
)
from rag.catalog.tables import documents, files, indexes, versions
from rag.errors import CatalogError, NotFoundError

_FILES = select(
    files.c.id,
    files.c.task,
    files.c.name,
    versions.c.id,
    *(versions.c[name] for name in ("sha256", "size", "collection", "documents", "chunks", "committed")),
).join(versions)
_DOCUMENTS = (
    select(documents.c.id, files.c.id, files.c.task, files.c.name, versions.c.id, versions.c.sha256)
    .add_columns(*(documents.c[name] for name in ("key", "title", "chars", "pages", "chunks")))
    .add_columns(documents.c.media_type, documents.c.language, versions.c.committed)
    .select_from(documents.join(versions).join(files))
)
# Built once: every question runs these two, and building a query costs more than SQLite takes to run it.
_HIDDEN = (
    select(versions.c.id)
    .join(indexes, and_(indexes.c.task == versions.c.task, indexes.c.collection == versions.c.collection))
    .where(versions.c.workspace == bindparam("workspace"), versions.c.task == bindparam("task"))
    .where(versions.c.state.in_((VersionState.PENDING, VersionState.STALE)))
    .order_by(versions.c.id)
)
_CURRENT = (
    select(versions.c.id)
    .where(versions.c.workspace == bindparam("workspace"), versions.c.state == VersionState.CURRENT)
    .where(versions.c.id.in_(bindparam("ids", expanding=True)))
)
_FILE_OF_VERSION = (
    select(files.c.id, files.c.name, files.c.task)
    .join(versions)
    .where(versions.c.workspace == bindparam("tenant"), versions.c.id == bindparam("version_id"))
)
_RETIRE_OTHERS = (
    update(versions)
    .where(versions.c.file == bindparam("file_id"), versions.c.id != bindparam("version_id"))
    .values(state=VersionState.STALE)
)
_DELETED = "A file was deleted while it was ingested. Ingest it again if it is still wanted."
_ACTIVE = select(*(indexes.c[field.name] for field in fields(IndexRecord))).where(indexes.c.task == bindparam("task"))


class WorkspaceCatalog:
    """The catalog of one workspace. Safe to call from many threads.

    Args:
        database: The database with the tables.
        workspace: The tenant.
        unknown: Versions by task that are in its index and in no catalog; they are hidden as well.
    """

    def __init__(
        self, database: Database, workspace: str, unknown: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    ) -> None:
        self._db = database
        self._unknown = unknown
        self.workspace = workspace
        self.failures = Failures(database, workspace)
        self.conversations = Conversations(database, workspace)
        self.messages = Messages(database, workspace)
        self.feedback = FeedbackLog(database, workspace)

    # -- reading -------------------------------------------------------------------------------------------------------

    def files(self, task: str | None = None, names: Sequence[str] | None = None) -> list[FileRecord]:
        """Return all files with their current versions, or those of a task, or of some names, by task and name."""
        query = _FILES.where(self._current(task)).order_by(files.c.task, files.c.name)
        if names is not None:
            query = query.where(files.c.name.in_(names))
        return list(starmap(FileRecord, self._db.rows(query)))

    def file_ids(self, task: str) -> dict[str, str]:
        """Return the ids of the task's files by name, those without a current version included."""
        query = select(files.c.name, files.c.id).where(files.c.workspace == self.workspace, files.c.task == task)
        return dict(map(tuple, self._db.rows(query)))

    def documents(self, task: str | None = None) -> list[DocumentRecord]:
        """Return the documents of current versions, or those of a task, by task, name and key."""
        query = _DOCUMENTS.where(self._current(task)).order_by(files.c.task, files.c.name, documents.c.key)
        return list(starmap(DocumentRecord, self._db.rows(query)))

    def document(self, document: str) -> DocumentRecord:
        """Return a document.

        Raises:
            NotFoundError: This workspace has none.
        """
        with self._db.read() as connection:
            row = connection.execute(_DOCUMENTS.where(self._current(None), documents.c.id == document)).first()
        if row is None:
            raise NotFoundError(f"No document has the id {document!r}. `python -m rag documents` lists them.")
        return DocumentRecord(*row)

    def counts(self, task: str | None = None) -> tuple[int, int, int]:
        """Return how many files, documents and chunks are current."""
        query = select(func.count(), func.coalesce(func.sum(versions.c.documents), 0)).add_columns(
            func.coalesce(func.sum(versions.c.chunks), 0)
        )
        with self._db.read() as connection:
            row = connection.execute(query.where(self._current(task))).one()
        return int(row[0]), int(row[1]), int(row[2])

    def hidden_versions(self, task: str) -> tuple[str, ...]:
        """Return versions in the active index that a search must not return: unfinished, replaced or unknown."""
        with self._db.read() as connection:
            hidden = connection.execute(_HIDDEN, {"workspace": self.workspace, "task": task}).scalars()
            return (*hidden, *self._unknown.get(task, ()))

    def view(self, task: str) -> TaskView:
        """Return the task's active index with the versions hidden in it, as of one moment."""
        with self._db.read() as connection:
            row = connection.execute(_ACTIVE, {"task": task}).first()
            hidden = connection.execute(_HIDDEN, {"workspace": self.workspace, "task": task}).scalars()
            return TaskView(IndexRecord(*row) if row else None, (*hidden, *self._unknown.get(task, ())))

    def current_among(self, candidates: Iterable[str]) -> set[str]:
        """Return those of the versions that are current. A search checks its hits: a commit may come in between."""
        parameters = {"workspace": self.workspace, "ids": list(set(candidates))}
        with self._db.read() as connection:
            return set(connection.execute(_CURRENT, parameters).scalars())

    # -- writing versions ----------------------------------------------------------------------------------------------

    def begin(self, started: Sequence[NewVersion], contained: Sequence[NewDocument]) -> None:
        """Record versions that start, as pending, and documents of pending versions, in one commit."""
        shared = {"workspace": self.workspace, "created": time.time()}
        rows = [{**asdict(version), **shared, "state": VersionState.PENDING} for version in started]
        file_rows = [{"id": row["file"], "task": row["task"], "name": row.pop("name"), **shared} for row in rows]
        document_rows = [asdict(document) for document in contained]
        with self._db.write() as connection:
            for file, row in zip(file_rows, rows, strict=True):
                if connection.execute(select(files.c.id).where(files.c.id == file["id"])).first() is None:
                    connection.execute(insert(files), file)
                connection.execute(insert(versions), row)
            if document_rows:
                connection.execute(insert(documents), document_rows)

    def commit(self, finished: Sequence[Finished]) -> None:
        """Make pending versions current and everything else of their files stale, all in one commit.

        Raises:
            CatalogError: A version is not pending any more; nothing is committed.
        """
        updates = [self._finish(version, VersionState.CURRENT) for version in finished]
        with self._db.write() as connection:
            for version, becomes_current in zip(finished, updates, strict=True):
                owned = {"tenant": self.workspace, "version_id": version.version}
                file = connection.execute(_FILE_OF_VERSION, owned).first()
                if file is None:
                    raise CatalogError(f"Version {version.version} is not in the catalog.")
                # First the others: a unique index allows a file only one current version at any time.
                connection.execute(_RETIRE_OTHERS, {"file_id": file.id, "version_id": version.version})
                if not connection.execute(becomes_current).rowcount:
                    raise CatalogError(_DELETED)
                failure = {"tenant": self.workspace, "failed_task": file.task, "failed_name": file.name}
                connection.execute(CLEAR_FAILURE, failure)

    def make_ready(self, finished: Sequence[Finished]) -> None:
        """Mark pending versions as complete in an index that becomes active later, in one commit."""
        with self._db.write() as connection:
            for version in finished:
                file = select(versions.c.file).where(self._version(version.version)).scalar_subquery()
                others = and_(versions.c.file == file, versions.c.state == VersionState.READY)
                connection.execute(update(versions).where(others).values(state=VersionState.STALE))
                if not connection.execute(self._finish(version, VersionState.READY)).rowcount:
                    raise CatalogError(_DELETED)

    def retire(self, ids: Sequence[str]) -> None:
        """Mark versions of any state as stale: no search returns them from now on."""
        with self._db.write() as connection:
            for version in ids:
                connection.execute(update(versions).where(self._version(version)).values(state=VersionState.STALE))

    def retire_files(self, task: str, names: Sequence[str]) -> None:
        """Mark every version of these files as stale and remove their failures and thumbs, in one commit.

        Raises:
            NotFoundError: A name has neither a file nor a failure; nothing is changed.
        """
        with self._db.write() as connection:
            for name in names:
                ids = select(files.c.id).where(files.c.workspace == self.workspace, files.c.task == task)
                owned = versions.c.file.in_(ids.where(files.c.name == name))
                gone = connection.execute(select(documents.c.id).join(versions).where(owned)).scalars()
                self.feedback.forget(connection, task, set(gone))
                changed = connection.execute(update(versions).where(owned).values(state=VersionState.STALE)).rowcount
                cleared = self.failures.clear(connection, task, name)
                if not changed and not cleared:
                    raise NotFoundError(f"No file {name!r} in task {task}. `python -m rag documents` lists the names.")

    # -- scoping -------------------------------------------------------------------------------------------------------

    def _current(self, task: str | None) -> ColumnElement[bool]:
        current = and_(versions.c.workspace == self.workspace, versions.c.state == VersionState.CURRENT)
        return current if task is None else and_(current, versions.c.task == task)

    def _version(self, version: str) -> ColumnElement[bool]:
        return and_(versions.c.workspace == self.workspace, versions.c.id == version)

    def _finish(self, finished: Finished, state: VersionState) -> Update:
        """The statement that ends a pending version, which changes no row when it is not pending any more."""
        pending = and_(self._version(finished.version), versions.c.state == VersionState.PENDING)
        counts = {name: getattr(finished, name) for name in ("documents", "chunks", "embedded", "reused")}
        return update(versions).where(pending).values(state=state, committed=time.time(), **counts)
