"""What an engine has to do for a collection, in plain values: conditions, queries, rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from rag.types import Vector

BATCH = 256
"""Most points in one write, so that a batch is whole or absent after a kill and holds the interpreter only briefly."""


@dataclass(frozen=True, slots=True)
class Where:
    """Conditions on payload fields: each `must` field has one of its values, no `must_not` field has."""

    must: Mapping[str, Sequence[str]] = field(default_factory=dict)
    must_not: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Query:
    """One list of points by score: nearest to `vector` in the vectors named `using`, or BM25 of `terms`.

    Attributes:
        terms: Different terms between blanks.
        vectors: True when the rows shall carry the vectors named `using`.
    """

    where: Where
    limit: int
    vector: Vector | None = None
    using: str = ""
    terms: str = ""
    vectors: bool = False


@dataclass(frozen=True, slots=True)
class PointRow:
    """A point as an engine holds it: plain values."""

    id: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    vectors: Mapping[str, Vector] = field(default_factory=dict)
    score: float = 0.0


class Driver(Protocol):
    """One open collection of one engine. Errors of the vendor come out as errors of `rag.errors`."""

    def write(self, rows: Sequence[PointRow]) -> None:
        """Write at most `BATCH` rows, all or none; durable once `flush` returns."""
        ...

    def flush(self) -> None:
        """Return when all that was written is on disk."""
        ...

    def query(self, queries: Sequence[Query]) -> list[list[PointRow]]:
        """Run all queries in one call; rows come with payload, score, and vectors when asked.

        The payload of a dense query may lack the BM25 terms.
        """
        ...

    def page(
        self, where: Where, size: int, offset: str | None, fields: Sequence[str] | None, vectors: bool
    ) -> tuple[list[PointRow], str | None]:
        """Return rows in id order from `offset` on, and where the next page starts, or None.

        Args:
            where: Conditions that the rows meet.
            size: Most rows.
            offset: Where a page before said that this one starts; None for the first.
            fields: Payload fields to read, or None for all.
            vectors: True when the rows shall carry their vectors.
        """
        ...

    def count(self, where: Where) -> int:
        """Count the rows that match, exactly."""
        ...

    def counts(self, name: str) -> dict[str, int]:
        """Return how many rows have each value of a keyword field, exactly."""
        ...

    def delete(self, where: Where) -> None:
        """Remove matching rows, durably on return."""
        ...

    def close(self) -> None:
        """Release the collection."""
        ...
