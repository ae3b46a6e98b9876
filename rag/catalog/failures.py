"""Files of one workspace that could not be read, until they are read or somebody dismisses them."""

from __future__ import annotations

from itertools import starmap

from sqlalchemy import Connection, bindparam, delete, insert, select

from rag.catalog.database import Database
from rag.catalog.records import FailureRecord
from rag.catalog.tables import failures

_FIELDS = (failures.c.task, failures.c.name, failures.c.sha256, failures.c.kind, failures.c.reason, failures.c.at)
CLEAR_FAILURE = delete(failures).where(
    failures.c.workspace == bindparam("tenant"),
    failures.c.task == bindparam("failed_task"),
    failures.c.name == bindparam("failed_name"),
)


class Failures:
    """Failures of one workspace, at most one of a file name in a task. Safe to call from many threads."""

    def __init__(self, database: Database, workspace: str) -> None:
        self._db = database
        self._workspace = workspace

    def add(self, failure: FailureRecord) -> None:
        """Record that a file could not be read; an older failure of the same name is replaced."""
        row = {column.name: getattr(failure, column.name) for column in _FIELDS}
        with self._db.write() as connection:
            self.clear(connection, failure.task, failure.name)
            connection.execute(insert(failures).values(workspace=self._workspace, **row))

    def list(self, task: str | None = None) -> list[FailureRecord]:
        """Return all failures, or those of a task, by task and name."""
        query = select(*_FIELDS).where(failures.c.workspace == self._workspace)
        if task is not None:
            query = query.where(failures.c.task == task)
        return list(starmap(FailureRecord, self._db.rows(query.order_by(failures.c.task, failures.c.name))))

    def dismiss(self, task: str, name: str) -> None:
        """Remove a failure, when it exists."""
        with self._db.write() as connection:
            self.clear(connection, task, name)

    def clear(self, connection: Connection, task: str, name: str) -> int:
        """Remove a failure as a part of another commit; return how many rows that were, 0 or 1."""
        parameters = {"tenant": self._workspace, "failed_task": task, "failed_name": name}
        return connection.execute(CLEAR_FAILURE, parameters).rowcount
