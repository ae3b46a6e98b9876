"""Driver of the server engine: one collection, by qdrant-client."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.errors import IndexUnavailableError, VectorIndexError
from rag.index.driver import PointRow, Query, Where
from rag.index.payload import TERMS
from rag.types import Vector

if TYPE_CHECKING:
    from qdrant_client import QdrantClient, models

_ALL = 1_000_000
"""More versions than a workplace has; a facet wants a limit."""


class RemoteCollection:
    """A collection on a server. As safe to call from many threads as the client is: a real one is, a local one not."""

    def __init__(self, client: QdrantClient, name: str, errors: client_errors) -> None:
        self._client = client
        self._name = name
        self._errors = errors

    def write(self, rows: Sequence[PointRow]) -> None:
        """Write rows in one request and wait until the server has applied it."""
        from qdrant_client import models

        points = [
            models.PointStruct(
                id=row.id,
                vector={name: vector.tolist() for name, vector in row.vectors.items()},
                payload=dict(row.payload),
            )
            for row in rows
        ]
        with self._errors:
            self._client.upsert(self._name, points, wait=True)

    def flush(self) -> None:
        """Do nothing: the server has applied a write, and logged it, before it answers."""

    def query(self, queries: Sequence[Query]) -> list[list[PointRow]]:
        """Run all queries in one request."""
        with self._errors:
            answers = self._client.query_batch_points(self._name, [_request(query) for query in queries])
        return [
            [PointRow(str(p.id), p.payload or {}, _arrays(p.vector), p.score) for p in answer.points]
            for answer in answers
        ]

    def page(
        self, where: Where, size: int, offset: str | None, fields: Sequence[str] | None, vectors: bool
    ) -> tuple[list[PointRow], str | None]:
        """Return rows in id order."""
        with self._errors:
            records, following = self._client.scroll(
                self._name,
                scroll_filter=_filter(where),
                limit=size,
                offset=offset,
                with_payload=True if fields is None else list(fields),
                with_vectors=vectors,
            )
        rows = [PointRow(str(record.id), record.payload or {}, _arrays(record.vector)) for record in records]
        return rows, None if following is None else str(following)

    def count(self, where: Where) -> int:
        """Count the rows that match."""
        with self._errors:
            return self._client.count(self._name, _filter(where), exact=True).count

    def counts(self, name: str) -> dict[str, int]:
        """Count the rows of each value of an indexed field."""
        with self._errors:
            answer = self._client.facet(self._name, name, limit=_ALL, exact=True)
        return {str(entry.value): entry.count for entry in answer.hits if entry.count}

    def delete(self, where: Where) -> None:
        """Remove matching rows and wait until the server has done so."""
        from qdrant_client import models

        with self._errors:
            self._client.delete(self._name, models.FilterSelector(filter=_filter(where)), wait=True)

    def close(self) -> None:
        """Release nothing: the engine owns the connection."""


class client_errors:  # noqa: N801 - reads as a statement
    """Within it, errors of qdrant-client become ours. The key never stands in a message."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if exc is None:
            return
        from qdrant_client.http.exceptions import ApiException, ResponseHandlingException, UnexpectedResponse

        if isinstance(exc, ResponseHandlingException):
            raise IndexUnavailableError(
                f"The Qdrant server at {self._url} cannot be reached ({type(exc.source).__name__}: {exc.source}). "
                "Start it, or set RAG_QDRANT_URL to where it is, or unset it to use the embedded engine."
            ) from exc
        if isinstance(exc, UnexpectedResponse):
            raise _refused(self._url, exc.status_code, exc.reason_phrase, exc.content) from exc
        if isinstance(exc, ApiException):
            raise IndexUnavailableError(f"The Qdrant server at {self._url} failed: {exc}.") from exc


def _refused(url: str, status: int | None, reason: str, content: bytes) -> VectorIndexError:
    reply = content[:300].decode("utf-8", "replace")
    if status in (401, 403):
        return IndexUnavailableError(
            f"The Qdrant server at {url} refused the key (status {status}). Set RAG_QDRANT_API_KEY to a key that may "
            "read and write."
        )
    if status is not None and (status >= 500 or status == 429):
        return IndexUnavailableError(
            f"The Qdrant server at RAG_QDRANT_URL ({url}) is not ready (status {status} {reason}): {reply}. Try again."
        )
    return VectorIndexError(
        f"The Qdrant server at RAG_QDRANT_URL ({url}) answered {status} {reason}: {reply}. "
        "Expected Qdrant 1.20 or newer."
    )


def _request(query: Query) -> models.QueryRequest:
    from qdrant_client import models

    scored: Any = (
        models.TextQuery(text=query.terms)
        if query.vector is None
        else models.NearestQuery(nearest=query.vector.tolist())
    )
    return models.QueryRequest(
        query=scored,
        using=TERMS if query.vector is None else query.using,
        filter=_filter(query.where),
        limit=query.limit,
        with_payload=True if query.vector is None else models.PayloadSelectorExclude(exclude=[TERMS]),
        with_vector=[query.using] if query.vectors else False,
    )


def _filter(where: Where) -> models.Filter:
    from qdrant_client import models

    return models.Filter(must=_conditions(where.must), must_not=_conditions(where.must_not))


def _conditions(fields: Mapping[str, Sequence[str]]) -> list[Any]:
    from qdrant_client import models

    return [models.FieldCondition(key=key, match=models.MatchAny(any=list(values))) for key, values in fields.items()]


def _arrays(vectors: Any) -> dict[str, Vector]:
    return {name: np.asarray(vector, np.float32) for name, vector in (vectors or {}).items()}
