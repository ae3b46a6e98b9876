"""All rows of a catalog as of one moment, from one database into another, of whatever kind each is."""

from __future__ import annotations

from sqlalchemy import Connection, Select, Table, delete, func, insert, select, union

from rag.catalog.records import VersionState
from rag.catalog.tables import conversations, failures, feedback, files, metadata, versions

_ROWS = 500
_CHAINS = {"chat_messages": ("conversation", "position")}
"""Order of the rows of a table that refers to itself: those that are referred to come first."""
_CONTENTS = (files, failures, conversations, feedback)


class Snapshot:
    """A catalog as of one moment: whatever is committed later is not in it. Used by one thread.

    Args:
        connection: Within a transaction whose reads all see the same rows.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.files, self.conversations, self.chunks = (connection.execute(query).scalar() or 0 for query in _COUNTS)
        """Files and conversations, and chunks of current versions, of all workspaces."""

    def originals(self) -> dict[str, bool]:
        """Return the SHA-256 of every original that is referred to, and whether a current version does."""
        referred = self._connection.execute(union(select(versions.c.sha256), select(failures.c.sha256))).scalars()
        current = select(versions.c.sha256).where(versions.c.state == VersionState.CURRENT)
        needed = set(self._connection.execute(current).scalars())
        return {sha256: sha256 in needed for sha256 in referred}

    def copy_into(self, target: Connection) -> None:
        """Put all rows in the place of those that the target has; it is in a transaction, and has the same tables."""
        for table in reversed(metadata.sorted_tables):
            target.execute(delete(table))
        for table in metadata.sorted_tables:
            rows = self._connection.execution_options(yield_per=_ROWS).execute(_ordered(table))
            for part in rows.mappings().partitions():
                target.execute(insert(table), [dict(row) for row in part])


def is_empty(connection: Connection) -> bool:
    """True when a catalog has neither files nor failures, conversations or thumbs."""
    return not any(connection.execute(select(func.count()).select_from(table)).scalar() for table in _CONTENTS)


def _ordered(table: Table) -> Select[tuple[object, ...]]:
    names = _CHAINS.get(table.name) or [column.name for column in table.primary_key]
    return select(table).order_by(*(table.c[name] for name in names))


_COUNTS = (
    select(func.count()).where(versions.c.state == VersionState.CURRENT),
    select(func.count()).select_from(conversations),
    select(func.sum(versions.c.chunks)).where(versions.c.state == VersionState.CURRENT),
)
