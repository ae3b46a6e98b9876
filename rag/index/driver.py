"""What an engine has to do for a collection, in plain values: conditions, queries, rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from rag.types import Vector

BATCH = 256
"""Most points in one write, so that a batch is whole or absent after a kill and holds the interpreter only briefly."""

_SPARE = 16
"""Rows fetched beyond twice the limit when some may be hidden."""


@dataclass(frozen=True, slots=True)
class Where:
    """Conditions on payload fields: each `must` field has one of its values, no `must_not` field has."""

    must: Mapping[str, Sequence[str]] = field(default_factory=dict)
    must_not: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def impossible(self) -> bool:
        """Whether nothing can match: a field must be one of no values."""
        return any(not values for values in self.must.values())


@dataclass(frozen=True, slots=True)
class Query:
    """One list of points by score: nearest to `vector` in the vectors named `using`, or BM25 of `terms`.

    With `vectors` the rows carry the vectors named `using`.
    """

    where: Where
    limit: int
    vector: Vector | None = None
    using: str = ""
    terms: str = ""
    vectors: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A point as an engine holds it: plain values."""

    id: str
    payload: Mapping[str, object] = field(default_factory=dict)
    vectors: Mapping[str, Vector] = field(default_factory=dict)
    score: float = 0.0


class Driver(Protocol):
    """One open collection of one engine. Errors of the vendor come out as errors of `rag.errors`."""

    def write(self, rows: Sequence[Row]) -> None:
        """Write at most `BATCH` rows, all or none; durable once `flush` returns."""
        ...

    def flush(self) -> None:
        """Return when all that was written is on disk."""
        ...

    def query(self, queries: Sequence[Query]) -> list[list[Row]]:
        """Run all queries in one call; rows come with `RETURNED` fields, scores, and vectors when asked."""
        ...

    def page(
        self, where: Where, size: int, offset: str | None, fields: Sequence[str], vectors: bool
    ) -> tuple[list[Row], str | None]:
        """Rows in id order from `offset` on, and where the next page starts, or None."""
        ...

    def count(self, where: Where) -> int:
        """Rows that match, exactly."""
        ...

    def values(self, name: str) -> set[str]:
        """All values of a keyword field that some row has."""
        ...

    def delete(self, where: Where) -> None:
        """Remove matching rows, durably on return."""
        ...

    def close(self) -> None:
        """Release the collection."""
        ...


def answers(driver: Driver, queries: Sequence[Query]) -> list[list[Row]]:
    """The rows of all queries, in one call unless hidden rows fill a list.

    Excluding values costs an engine ten times a plain scan, and hidden versions are few. So the lists are fetched
    longer without the exclusion, hidden rows are dropped here, and only a list that comes out too short is asked for
    again.
    """
    if not queries:
        return []
    wider = [_unrestricted(query) for query in queries]
    lists = []
    short = []
    for number, (query, wide, rows) in enumerate(zip(queries, wider, driver.query(wider), strict=True)):
        seen = [row for row in rows if not _excluded(row, query.where)]
        lists.append(seen[: query.limit])
        if len(seen) < query.limit and len(rows) == wide.limit:
            short.append(number)
    if short:
        for number, rows in zip(short, driver.query([queries[number] for number in short]), strict=True):
            lists[number] = rows
    return lists


def _unrestricted(query: Query) -> Query:
    if not query.where.must_not:
        return query
    return replace(query, where=Where(query.where.must), limit=2 * query.limit + _SPARE)


def _excluded(row: Row, where: Where) -> bool:
    return any(row.payload[name] in values for name, values in where.must_not.items())
