"""`VectorIndex` over any engine: what engines do alike is here once; what differs is a `Driver`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from functools import partial
from typing import TypeVar

import numpy as np

from rag.errors import DiskFullError, IndexClosedError, VectorIndexError
from rag.index.driver import BATCH, Driver, PointRow, Where
from rag.index.payload import TERMS, fields_of, keyword
from rag.index.ranking import rank_points
from rag.serialise import payloads_from
from rag.types import Filter, Point, ScoredPoint, Search, StoredPoint, Vector

_T = TypeVar("_T")
_TERMS = 1024
"""Points whose terms are read at once."""


class IndexCollection:
    """An open collection. Reads run beside each other; writes are one at a time.

    Args:
        name: Name of the collection.
        sizes: Length of each named vector.
        driver: The engine's side of it.
        writing: Lock that is held for each write; by default one of its own.
    """

    def __init__(
        self,
        name: str,
        sizes: Mapping[str, int],
        driver: Driver,
        writing: AbstractContextManager[object] | None = None,
    ) -> None:
        self._name = name
        self._sizes = sizes
        self._driver = driver
        self._writing = writing or threading.Lock()
        self._closed = False

    @property
    def name(self) -> str:
        """Name of the collection."""
        return self._name

    @property
    def sizes(self) -> Mapping[str, int]:
        """Length of each named vector."""
        return self._sizes

    @property
    def closed(self) -> bool:
        """True once `close` was called."""
        return self._closed

    def upsert(self, points: Sequence[Point]) -> None:
        """Write points in batches, each whole or absent after a kill; all are durable on return."""
        with self._writing:
            driver = self._live()
            for batch in _batches(points):
                driver.write([PointRow(p.id, vectors=_contiguous(p.vectors), payload=fields_of(p)) for p in batch])
            driver.flush()

    def search(self, searches: Sequence[Search]) -> list[list[ScoredPoint]]:
        """Run several searches in one call to the engine; best first, ties by id."""
        conditions = [_where(search.filter) for search in searches]
        return self._read(lambda driver: rank_points(driver, searches, conditions, self._sizes))

    def vectors_by_content(self, workspace: str, contents: Sequence[str]) -> dict[str, Mapping[str, Vector]]:
        """Return vectors that exist already, by content hash. Missing hashes are left out."""
        self._live()
        vectors: dict[str, Mapping[str, Vector]] = {}
        for batch in _batches(list(dict.fromkeys(contents))):
            where = Where({"workspace": [workspace], "content": batch})
            for rows in self._pages(where, BATCH, ["content"], vectors=True):
                for row in rows:
                    content = str(row.payload["content"])
                    # Of several points of one content, one may have been written without the naive vector.
                    if len(row.vectors) > len(vectors.get(content, {})):
                        vectors[content] = _contiguous(row.vectors)
        return vectors

    def scroll(
        self,
        filter: Filter,  # noqa: A002 - the Protocol says so
        batch: int = BATCH,
        with_vectors: bool = False,
    ) -> Iterator[list[StoredPoint]]:
        """Give all matching points in id order, in batches. Vectors are empty unless asked for."""
        for rows in self._pages(_where(filter), batch, None, with_vectors):
            payloads = payloads_from([row.payload for row in rows])
            yield [
                StoredPoint(r.id, _contiguous(r.vectors), payload) for r, payload in zip(rows, payloads, strict=True)
            ]

    def terms(self, filter: Filter, batch: int = _TERMS) -> Iterator[list[str]]:  # noqa: A002 - the Protocol says so
        """Give the BM25 terms of all matching points, between blanks, in id order and in batches; reads no more."""
        for rows in self._pages(_where(filter), batch, [TERMS], vectors=False):
            yield [str(row.payload[TERMS]) for row in rows]

    def count(self, filter: Filter | None = None) -> int:  # noqa: A002 - the Protocol says so
        """Count the points that match, or all points of all workspaces."""
        where = Where() if filter is None else _where(filter)
        return self._read(lambda driver: 0 if where is None else driver.count(where))

    def versions(self) -> set[str]:
        """Return every version id that has at least one point."""
        return set(self.version_counts())

    def version_counts(self) -> dict[str, int]:
        """Return how many points each version has; versions without points are left out."""
        return self._read(lambda driver: driver.counts("version"))

    def delete_versions(self, versions: Sequence[str]) -> None:
        """Remove all points of these versions."""
        self._live()
        for batch in _batches(versions):
            with self._writing:
                self._live().delete(Where({"version": batch}))

    def close(self) -> None:
        """Flush and release the collection. Later calls raise `IndexClosedError`; closing twice is closing once."""
        with ExitStack() as stack:
            with suppress(VectorIndexError, DiskFullError):  # a disk that fails keeps nobody from releasing it
                stack.enter_context(self._writing)
            if not self._closed:
                self._closed = True
                self._driver.close()

    def exchange(self, prepare: Callable[[Driver], Driver]) -> None:
        """Go on with the driver that `prepare` makes of the present one, which is closed. Writes wait, reads go on."""
        with self._writing:
            old = self._live()
            self._driver = prepare(old)
            old.close()

    def pause(self, work: Callable[[Driver], None]) -> None:
        """Run `work` while nobody writes; reads go on."""
        with self._writing:
            work(self._live())

    def _read(self, call: Callable[[Driver], _T]) -> _T:
        """Return what the present driver answers; it is asked once more when it was exchanged meanwhile."""
        driver = self._live()
        try:
            return call(driver)
        except IndexClosedError:
            if driver is self._driver:
                raise
            return call(self._live())

    def _live(self) -> Driver:
        if self._closed:
            raise IndexClosedError(f"The index {self._name} was closed; open it again before use.")
        return self._driver

    def _pages(
        self, where: Where | None, size: int, fields: Sequence[str] | None, vectors: bool
    ) -> Iterator[list[PointRow]]:
        self._live()
        if where is None:
            return
        offset: str | None = None
        while True:
            rows, offset = self._read(partial(_page, where, size, offset, fields, vectors))
            if rows:
                yield rows
            if offset is None:
                return


def _page(
    where: Where, size: int, offset: str | None, fields: Sequence[str] | None, vectors: bool, driver: Driver
) -> tuple[list[PointRow], str | None]:
    return driver.page(where, size, offset, fields, vectors)


def _where(requested: Filter) -> Where | None:
    """Return the filter as conditions on fields, or None when nothing can match: a field must be one of no values."""
    must: dict[str, Sequence[str]] = {"workspace": [requested.workspace]}
    if requested.documents is not None:
        must["document"] = requested.documents
    if requested.names is not None:
        must["name"] = [keyword(name) for name in requested.names]
    if requested.versions is not None:
        must["version"] = requested.versions
    if not all(must.values()):
        return None
    return Where(must, {"version": requested.hidden_versions} if requested.hidden_versions else {})


def _contiguous(vectors: Mapping[str, Vector]) -> dict[str, Vector]:
    return {str(name): np.ascontiguousarray(vector, np.float32) for name, vector in vectors.items()}


def _batches(items: Sequence[_T]) -> list[Sequence[_T]]:
    return [items[start : start + BATCH] for start in range(0, len(items), BATCH)]
