"""`VectorIndex` over any engine: what engines do alike is here once; what differs is a `Driver`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TypeVar

import numpy as np

from rag.errors import IndexClosedError
from rag.index.driver import BATCH, Driver, Query, Row, Where, answers
from rag.index.payload import RETURNED, decode, encode, keyword
from rag.index.ranking import check, merge, text_queries
from rag.tasks import get_task
from rag.types import Filter, Mode, Point, Recipe, ScoredPoint, Search, StoredPoint, Vector

_T = TypeVar("_T")


class Collection:
    """An open collection. Reads run beside each other; writes are one at a time."""

    def __init__(self, name: str, recipe: Recipe, driver: Driver) -> None:
        self._name = name
        self._driver = driver
        self._dimension = recipe.dimension
        self._analyser = get_task(recipe.task).analyser
        self._writing = threading.Lock()
        self._closed = False

    @property
    def name(self) -> str:
        """Name of the collection."""
        return self._name

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def upsert(self, points: Sequence[Point]) -> None:
        """Write points in batches, each whole or absent after a kill; all are durable on return."""
        self._live()
        for batch in _slices(points):
            rows = [self._row(point) for point in batch]
            with self._writing:
                self._live().write(rows)
        with self._writing:
            self._live().flush()

    def search(self, searches: Sequence[Search]) -> list[list[ScoredPoint]]:
        """Run several searches in one call to the engine; best first, ties by id."""
        check(searches, self._dimension)
        queries: list[Query] = []
        spans = []
        for search in searches:
            start = len(queries)
            queries += self._queries(search)
            spans.append((start, len(queries), search.limit))
        lists = self._read(lambda driver: answers(driver, queries))
        return [_found(lists[start:end], limit) for start, end, limit in spans]

    def vectors_by_content(self, workspace: str, contents: Sequence[str]) -> dict[str, Mapping[Mode, Vector]]:
        """Vectors that exist already, by content hash. Missing hashes are left out."""
        self._live()
        found: dict[str, Mapping[Mode, Vector]] = {}
        for batch in _slices(list(dict.fromkeys(contents))):
            where = Where({"workspace": [workspace], "content": batch})
            for rows in self._pages(where, BATCH, ["content"], vectors=True):
                for row in rows:
                    content = str(row.payload["content"])
                    if len(row.vectors) > len(found.get(content, {})):
                        found[content] = _by_mode(row.vectors)
        return found

    def scroll(
        self,
        filter: Filter,  # noqa: A002 - the Protocol says so
        batch: int = BATCH,
        with_vectors: bool = False,
    ) -> Iterator[list[StoredPoint]]:
        """All matching points in id order, in batches. Vectors are empty unless asked for."""
        for rows in self._pages(_where(filter), batch, RETURNED, with_vectors):
            yield [StoredPoint(row.id, _by_mode(row.vectors), decode(row.payload)) for row in rows]

    def count(self, filter: Filter | None = None) -> int:  # noqa: A002 - the Protocol says so
        """Points that match, or all points of all workspaces."""
        where = Where() if filter is None else _where(filter)
        return self._read(lambda driver: 0 if where.impossible else driver.count(where))

    def versions(self) -> set[str]:
        """Every version id that has at least one point."""
        return self._read(lambda driver: driver.values("version"))

    def delete_versions(self, versions: Sequence[str]) -> None:
        """Remove all points of these versions."""
        self._live()
        for batch in _slices(versions):
            with self._writing:
                self._live().delete(Where({"version": batch}))

    def close(self) -> None:
        """Flush and release the collection. Later calls raise `IndexClosedError`; closing twice is closing once."""
        with self._writing:
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
        """The answer of the present driver; asked once more when it was exchanged meanwhile."""
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

    def _row(self, point: Point) -> Row:
        vectors = {mode.value: np.ascontiguousarray(vector, np.float32) for mode, vector in point.vectors.items()}
        return Row(point.id, encode(point.payload, self._analyser), vectors)

    def _queries(self, search: Search) -> list[Query]:
        where = _where(search.filter)
        if where.impossible:
            return []
        if search.vector is not None:
            vector = np.ascontiguousarray(search.vector, np.float32)
            return [Query(where, search.limit, vector=vector, using=search.using.value, vectors=search.with_vectors)]
        return [Query(where, limit, terms=terms) for terms, limit in text_queries(search, self._analyser)]

    def _pages(self, where: Where, size: int, fields: Sequence[str], vectors: bool) -> Iterator[list[Row]]:
        offset: str | None = None
        while True:
            self._live()
            if where.impossible:
                return
            rows, offset = self._read(partial(_page, where, size, offset, fields, vectors))
            if rows:
                yield rows
            if offset is None:
                return


def _page(
    where: Where, size: int, offset: str | None, fields: Sequence[str], vectors: bool, driver: Driver
) -> tuple[list[Row], str | None]:
    return driver.page(where, size, offset, fields, vectors)


def _where(wanted: Filter) -> Where:
    must: dict[str, Sequence[str]] = {"workspace": [wanted.workspace]}
    if wanted.documents is not None:
        must["document"] = wanted.documents
    if wanted.names is not None:
        must["name"] = [keyword(name) for name in wanted.names]
    return Where(must, {"version": wanted.hidden_versions} if wanted.hidden_versions else {})


def _found(answers: Sequence[Sequence[Row]], limit: int) -> list[ScoredPoint]:
    lists = [[(row.id, row.score, row.payload) for row in rows] for rows in answers]
    vectors = {row.id: vector for rows in answers for row in rows for vector in row.vectors.values()}
    return [
        ScoredPoint(point, score, decode(payload), vectors.get(point)) for point, score, payload in merge(lists, limit)
    ]


def _by_mode(vectors: Mapping[str, Vector]) -> dict[Mode, Vector]:
    return {Mode(name): np.asarray(vector, np.float32) for name, vector in vectors.items()}


def _slices(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))
