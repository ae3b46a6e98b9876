"""Driver of the embedded engine: one qdrant-edge shard in a folder."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from rag.disk import Reserve, disk_errors, disk_full
from rag.errors import DiskFullError, IndexClosedError, IndexLockedError, VectorIndexError
from rag.index.driver import PointRow, Query, Where
from rag.index.edge.layout import CONFIG, SEAL_FROM, create_indexes, growing
from rag.index.edge.residue import note_clean, note_deletion
from rag.index.edge.space import CREATION_BYTES, ShardSpace
from rag.index.payload import TERMS
from rag.types import Recipe, Vector

_ALL = 10_000_000
"""More versions than a shard can hold points; a facet wants a limit."""
_CLOSING = 30.0
"""Seconds that closing waits for reads in other threads."""
_BYTES_A_CHARACTER = 4
_PANIC = "PanicException"
"""The engine's, by name: no module has it, and it is no `Exception`."""
_WIDTH = 128
_OVERSAMPLING = 2.0
"""For a built shard: how far its graph is searched, and how many times the limit is rescored by exact vectors."""


class Shard:
    """An open shard. Safe to call from many threads; one at a time may write.

    Args:
        path: Its folder.
        reserve: Disk space that writing leaves free; by default that of the settings.

    Attributes:
        touched: Versions written or deleted; whoever copies the shard empties it first and reads it afterwards.
    """

    def __init__(self, path: Path, reserve: Reserve | None = None) -> None:
        import qdrant_edge

        self._edge: Any = qdrant_edge
        self._path = path
        self._errors = edge_errors(path)
        self._params = self._edge.SearchParams(
            hnsw_ef=_WIDTH, quantization=self._edge.QuantizationSearchParams(rescore=True, oversampling=_OVERSAMPLING)
        )
        self.touched: set[str] = set()
        self._space = ShardSpace(path, reserve or Reserve(path))
        self._unflushed = False
        self._space.claim_small()
        with self._errors:
            self._shard = self._edge.EdgeShard.load(str(path))
            self._growing = self._unsealed()

    def write(self, rows: Sequence[PointRow]) -> None:
        """Write rows as one entry of the log: all or none of them."""
        self.touched.update(str(row.payload["version"]) for row in rows)
        self._space.claim(_most_bytes(rows))
        self._unflushed = True
        with self._errors:
            points = [self._edge.Point(row.id, dict(row.vectors), dict(row.payload)) for row in rows]
            self._shard.update(self._edge.UpdateOperation.upsert_points(points))
        self._growing += len(rows)

    def flush(self) -> None:
        """Wait for the disk: the log alone survives a kill, a flush survives a power cut. Seals a full segment."""
        with self._errors:
            self._flush()
            # Sealing copies; without the room for that the segment grows on.
            if self._growing >= SEAL_FROM and self._space.allows(self._space.size() + CREATION_BYTES):
                self._shard.optimize()
                self._shard.flush()
                self._growing = 0

    def query(self, queries: Sequence[Query]) -> list[list[PointRow]]:
        """Run all queries as one planned batch."""
        with self._errors:
            batch = self._edge.QueryBatchRequest([self._request(query) for query in queries])
            answers = self._shard.query_batch(batch)
        return [[PointRow(str(p.id), p.payload, _arrays(p.vector), p.score) for p in points] for points in answers]

    def page(
        self, where: Where, size: int, offset: str | None, fields: Sequence[str] | None, vectors: bool
    ) -> tuple[list[PointRow], str | None]:
        """Return rows in id order."""
        request = self._edge.ScrollRequest(
            offset=offset,
            limit=size,
            filter=self._filter(where),
            with_payload=True if fields is None else list(fields),
            with_vector=vectors,
        )
        with self._errors:
            records, following = self._shard.scroll(request)
        rows = [PointRow(str(record.id), record.payload, _arrays(record.vector)) for record in records]
        return rows, None if following is None else str(following)

    def count(self, where: Where) -> int:
        """Count the rows that match."""
        with self._errors:
            return int(self._shard.count(self._edge.CountRequest(exact=True, filter=self._filter(where))))

    def counts(self, name: str) -> dict[str, int]:
        """Count the rows of each value of an indexed field."""
        with self._errors:
            answer = self._shard.facet(self._edge.FacetRequest(name, limit=_ALL, exact=True))
        # The engine also lists the values of deleted rows, with a count of none.
        return {str(entry.value): int(entry.count) for entry in answer.hits if entry.count}

    def delete(self, where: Where) -> None:
        """Remove matching rows."""
        self.touched.update(where.must.get("version", ()))
        self._space.claim_small()
        with disk_errors(self._path, VectorIndexError):
            note_deletion(self._path, self.count(where))
        self._unflushed = True
        with self._errors:
            self._shard.update(self._edge.UpdateOperation.delete_points_by_filter(self._filter(where)))
            self._flush()

    def close(self) -> None:
        """Flush and release the folder, once the reads that are under way have ended."""
        with suppress(VectorIndexError, DiskFullError), self._errors:
            # A write that failed is not flushed; whoever asked for it knows, and the log has what was acknowledged.
            if self._unflushed:
                self._flush()
        with self._errors:
            end = time.monotonic() + _CLOSING
            while not self._try_close():
                if time.monotonic() > end:
                    raise VectorIndexError(f"A search did not end in {_CLOSING:g} s, so the index could not be closed.")
                time.sleep(0.01)

    def _flush(self) -> None:
        self._shard.flush()
        self._unflushed = False

    def _try_close(self) -> bool:
        # A shard that another thread reads at this moment refuses to be closed; it cannot be asked to wait.
        try:
            self._shard.close()
        except RuntimeError as exc:
            if not _in_use(exc):
                raise
            return False
        return True

    def _vector_names(self) -> list[str]:
        return list(json.loads((self._path / CONFIG).read_text(encoding="utf-8"))["vectors"])

    def _unsealed(self) -> int:
        """Estimate how many points are in the growing segment."""
        edge = self._edge
        filters = [edge.Filter(must=[edge.HasVectorCondition(name)]) for name in self._vector_names()]
        counts = [int(self._shard.count(edge.CountRequest(exact=False, filter=condition))) for condition in filters]
        # The engine counts what it has sealed in vectors, and a point has one or several of them.
        unsealed = sum(counts) - int(self._shard.info().indexed_vectors_count)
        return max(0, unsealed) // max(1, sum(count > 0 for count in counts))

    def _request(self, query: Query) -> Any:
        edge = self._edge
        scored = (
            edge.TextQuery(TERMS, query.terms)
            if query.vector is None
            else edge.Query.Nearest(query.vector, using=query.using)
        )
        return edge.QueryRequest(
            limit=query.limit,
            query=scored,
            filter=self._filter(query.where),
            with_payload=True,  # to choose among nested fields takes longer than to return the terms as well
            with_vector=[query.using] if query.vectors else False,
            params=self._params,
        )

    def _filter(self, where: Where) -> Any:
        return self._edge.Filter(
            must=[self._condition(field, values) for field, values in where.must.items()],
            must_not=[self._condition(field, values) for field, values in where.must_not.items()],
        )

    def _condition(self, field: str, values: Sequence[str]) -> Any:
        edge = self._edge
        match = edge.MatchValue(values[0]) if len(values) == 1 else edge.MatchAny(list(values))
        return edge.FieldCondition(field, match=match)


def create_shard(path: Path, recipe: Recipe, reserve: Reserve | None = None) -> None:
    """Make an empty shard with its vectors and all its payload indexes, on disk on return.

    Raises:
        DiskFullError: There is too little room for it.
        VectorIndexError: The engine failed.
    """
    import qdrant_edge

    edge: Any = qdrant_edge
    reserve = reserve or Reserve(path)
    reserve.check(CREATION_BYTES)
    path.mkdir(parents=True)
    with edge_errors(path):
        shard = edge.EdgeShard.create(str(path), growing(edge, recipe.sizes))
        create_indexes(edge, shard)
        shard.flush()
        shard.close()
    ShardSpace(path, reserve).claim_created()
    note_clean(path)


def _most_bytes(rows: Sequence[PointRow]) -> int:
    """Return how many bytes rows can add to one file: the log has them whole, with each number in five bytes."""
    texts = sum(len(str(row.payload)) for row in rows)
    vectors = sum(vector.nbytes for row in rows for vector in row.vectors.values())
    return _BYTES_A_CHARACTER * texts + 2 * vectors


class edge_errors:  # noqa: N801 - reads as a statement
    """Within it, the bare `Exception` and the panic that the engine raises become errors of ours. Others pass."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(exc, RuntimeError) and _in_use(exc):
            raise IndexClosedError(f"The index in {self._path} is being closed; open it again before use.") from exc
        if kind is not Exception and getattr(kind, "__name__", "") != _PANIC:
            return
        text = str(exc)
        if "No space left" in text or "quota exceeded" in text:
            raise disk_full(self._path) from exc
        if "WouldBlock" in text:
            raise IndexLockedError(
                f"The index in {self._path} is open already, most likely in another process of this app. Stop that "
                "one, or run a Qdrant server, which many processes can share, and set RAG_QDRANT_URL."
            ) from exc
        if "not initialized" in text:
            raise IndexClosedError(f"The index in {self._path} was closed; open it again before use.") from exc
        raise VectorIndexError(
            f"The index in {self._path} failed: {text}. If it goes on to fail, it is damaged: run "
            "`python -m rag reindex`, which builds it again from the originals."
        ) from exc


def _in_use(exc: BaseException) -> bool:
    """True when the engine refused because another thread is in it: to close it, or to use it while it closes."""
    return isinstance(exc, RuntimeError) and "borrowed" in str(exc)


def _arrays(vectors: Any) -> dict[str, Vector]:
    return {name: np.asarray(vector, np.float32) for name, vector in (vectors or {}).items()}
