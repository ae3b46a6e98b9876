"""One collection of the embedded engine: a qdrant-edge shard behind the `VectorIndex` Protocol."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

import numpy as np

from rag.errors import IndexClosedError, IndexLockedError, VectorIndexError
from rag.index.payload import RETURNED, decode, encode, keyword
from rag.index.ranking import BATCH, check, merge, text_queries
from rag.tasks import get_task
from rag.types import Filter, Found, Mode, Point, Recipe, Search, Stored, Vector

_ALL = 10_000_000
"""More versions than a shard can hold points; a facet wants a limit."""


class ShardIndex:
    """An open shard. Reads run beside each other; writes are one at a time, each on disk when the call returns."""

    def __init__(self, name: str, path: Path, recipe: Recipe) -> None:
        self.name = name
        self.closed = False
        self._edge = _edge()
        self._dimension = recipe.dimension
        self._analyser = get_task(recipe.task).analyser
        self._writing = threading.RLock()
        self._errors = vendor_errors(str(path))
        with self._errors:
            self._shard = self._edge.EdgeShard.load(str(path))

    def upsert(self, points: Sequence[Point]) -> None:
        """Write points in batches, each whole or absent after a kill; all are on disk on return."""
        edge = self._edge
        for start in range(0, len(points), BATCH):
            batch = [
                edge.Point(point.id, self._vectors(point), encode(point.payload, self._analyser))
                for point in points[start : start + BATCH]
            ]
            self._write(edge.UpdateOperation.upsert_points(batch))

    def search(self, searches: Sequence[Search]) -> list[list[Found]]:
        """Run several searches in one call to the engine; best first, ties by id."""
        check(searches, self._dimension)
        requests: list[Any] = []
        spans = []
        for search in searches:
            mine = [] if _empty(search.filter) else self._requests(search)
            spans.append((len(requests), len(requests) + len(mine)))
            requests += mine
        answers = self._query(requests)
        return [_found(answers[start:end], search.limit) for search, (start, end) in zip(searches, spans, strict=True)]

    def vectors_by_content(self, workspace: str, contents: Sequence[str]) -> dict[str, Mapping[Mode, Vector]]:
        """Vectors that exist already, by content hash. Missing hashes are left out."""
        found: dict[str, Mapping[Mode, Vector]] = {}
        edge = self._edge
        wanted = list(dict.fromkeys(contents))
        for start in range(0, len(wanted), BATCH):
            match = [_is(edge, "workspace", workspace), _any(edge, "content", wanted[start : start + BATCH])]
            for records in self._pages(edge.Filter(must=match), BATCH, ["content"], True):
                for record in records:
                    vectors = _read_vectors(record.vector)
                    if len(vectors) > len(found.get(record.payload["content"], {})):
                        found[record.payload["content"]] = vectors
        return found

    def scroll(
        self,
        filter: Filter,
        batch: int = BATCH,
        with_vectors: bool = False,  # noqa: A002 - the Protocol says so
    ) -> Iterator[list[Stored]]:
        """All matching points in id order, in batches. Vectors are empty unless asked for."""
        if _empty(filter):
            return
        for records in self._pages(_filter(self._edge, filter), batch, RETURNED, with_vectors):
            yield [Stored(str(r.id), _read_vectors(r.vector), decode(r.payload)) for r in records]

    def count(self, filter: Filter | None = None) -> int:  # noqa: A002 - the Protocol says so
        """Points that match, or all points of all workspaces."""
        if filter is not None and _empty(filter):
            return 0
        edge = self._edge
        chosen = None if filter is None else _filter(edge, filter)
        with self._errors:
            return int(self._live().count(edge.CountRequest(exact=True, filter=chosen)))

    def versions(self) -> set[str]:
        """Every version id that has at least one point."""
        with self._errors:
            response = self._live().facet(self._edge.FacetRequest("version", limit=_ALL, exact=True))
        return {str(hit.value) for hit in response.hits if hit.count}

    def delete_versions(self, versions: Sequence[str]) -> None:
        """Remove all points of these versions."""
        edge = self._edge
        for start in range(0, len(versions), BATCH):
            doomed = edge.Filter(must=[_any(edge, "version", versions[start : start + BATCH])])
            self._write(edge.UpdateOperation.delete_points_by_filter(doomed))

    def close(self) -> None:
        """Flush and release the shard. Later calls raise `IndexClosedError`; closing twice is closing once."""
        with self._writing:
            if self.closed:
                return
            self.closed = True
            with self._errors:
                self._shard.flush()
                self._shard.close()

    def _live(self) -> Any:
        if self.closed:
            raise closed(self.name)
        return self._shard

    def _write(self, operation: Any) -> None:
        with self._writing, self._errors:
            shard = self._live()
            shard.update(operation)
            shard.flush()

    def _query(self, requests: list[Any]) -> list[list[Any]]:
        with self._errors:
            shard = self._live()
            return list(shard.query_batch(self._edge.QueryBatchRequest(requests))) if requests else []

    def _vectors(self, point: Point) -> dict[str, Vector]:
        return {mode.value: np.ascontiguousarray(vector, np.float32) for mode, vector in point.vectors.items()}

    def _requests(self, search: Search) -> list[Any]:
        edge = self._edge
        chosen = _filter(edge, search.filter)
        if search.vector is not None:
            vector = np.ascontiguousarray(search.vector, np.float32)
            query = edge.Query.Nearest(vector, using=search.using.value)
            return [edge.QueryRequest(limit=search.limit, query=query, filter=chosen, with_payload=RETURNED)]
        return [
            edge.QueryRequest(limit=limit, query=edge.TextQuery("terms", terms), filter=chosen, with_payload=RETURNED)
            for terms, limit in text_queries(search, self._analyser)
        ]

    def _pages(self, chosen: Any, size: int, fields: list[str], vectors: bool) -> Iterator[list[Any]]:
        offset = None
        while True:
            request = self._edge.ScrollRequest(
                offset=offset, limit=size, filter=chosen, with_payload=fields, with_vector=vectors
            )
            with self._errors:
                records, offset = self._live().scroll(request)
            if records:
                yield records
            if offset is None:
                return


class vendor_errors:  # noqa: N801 - reads as a statement
    """Within it, the bare `Exception` that the engine raises becomes one of ours. Others pass."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not Exception:
            return
        text = str(exc)
        if "WouldBlock" in text:
            raise IndexLockedError(
                f"The index in {self._path} is open already, most likely in another process of this app. Stop that "
                "one, or run a Qdrant server, which many processes can share, and set RAG_QDRANT_URL."
            ) from exc
        if "not initialized" in text:
            raise closed(self._path) from exc
        raise VectorIndexError(
            f"The index in {self._path} failed: {text}. If it cannot be opened any more, move the folder away and "
            "run `python -m rag reindex`."
        ) from exc


def closed(name: str) -> IndexClosedError:
    """The error for a call after `close`."""
    return IndexClosedError(f"The index {name} was closed; open it again before use.")


def _empty(wanted: Filter) -> bool:
    return wanted.documents == () or wanted.names == ()


def _filter(edge: ModuleType, wanted: Filter) -> Any:
    must = [_is(edge, "workspace", wanted.workspace)]
    if wanted.documents is not None:
        must.append(_any(edge, "document", wanted.documents))
    if wanted.names is not None:
        must.append(_any(edge, "name", [keyword(name) for name in wanted.names]))
    must_not = [_any(edge, "version", wanted.hidden_versions)] if wanted.hidden_versions else None
    return edge.Filter(must=must, must_not=must_not)


def _is(edge: ModuleType, field: str, value: str) -> Any:
    return edge.FieldCondition(field, match=edge.MatchValue(value))


def _any(edge: ModuleType, field: str, values: Sequence[str]) -> Any:
    return edge.FieldCondition(field, match=edge.MatchAny(list(values)))


def _found(answers: list[list[Any]], limit: int) -> list[Found]:
    lists = [[(str(hit.id), float(hit.score), hit.payload) for hit in answer] for answer in answers]
    return [Found(point, score, decode(payload)) for point, score, payload in merge(lists, limit)] if lists else []


def _read_vectors(stored: Any) -> dict[Mode, Vector]:
    return {Mode(name): np.asarray(vector, np.float32) for name, vector in (stored or {}).items()}


def _edge() -> ModuleType:
    import qdrant_edge

    return qdrant_edge
