"""A vector index in memory: the whole Protocol, exact search, plain BM25 over words."""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from rag.errors import IndexClosedError
from rag.index import collection_name
from rag.types import Filter, Mode, Point, Recipe, ScoredPoint, Search, StoredPoint, Vector


class FakeIndex:
    """One collection in memory.

    Attributes:
        upserts: Number of points in each call to `upsert`.
    """

    def __init__(self, name: str, recipe: Recipe) -> None:
        self.name = name
        self.recipe = recipe
        self.upserts: list[int] = []
        self.closed = False
        self._points: dict[str, Point] = {}
        self._lock = threading.Lock()

    def upsert(self, points: Sequence[Point]) -> None:
        self._check()
        for point in points:
            assert point.vectors, "a point without vectors"
            for vector in point.vectors.values():
                assert vector.shape == (self.recipe.dimension,)
                assert abs(float(np.linalg.norm(vector)) - 1) < 1e-4
        with self._lock:
            self.upserts.append(len(points))
            for point in points:
                payload = replace(point.payload, chunk=replace(point.payload.chunk, inputs=()))
                self._points[point.id] = Point(point.id, dict(point.vectors), payload, point.terms)

    def search(self, searches: Sequence[Search]) -> list[list[ScoredPoint]]:
        self._check()
        return [self._search(search) for search in searches]

    def vectors_by_content(self, workspace: str, contents: Sequence[str]) -> dict[str, Mapping[Mode, Vector]]:
        self._check()
        wanted = set(contents)
        found = self._matching(Filter(workspace))
        return {point.payload.content: point.vectors for point in found if point.payload.content in wanted}

    def scroll(self, filter: Filter, batch: int = 256, with_vectors: bool = False) -> Iterator[list[StoredPoint]]:  # noqa: A002
        self._check()
        points = sorted(self._matching(filter), key=lambda point: point.id)
        for start in range(0, len(points), batch):
            yield [
                StoredPoint(p.id, p.vectors if with_vectors else {}, p.payload) for p in points[start : start + batch]
            ]

    def count(self, filter: Filter | None = None) -> int:  # noqa: A002
        self._check()
        return len(self._points) if filter is None else len(self._matching(filter))

    def versions(self) -> set[str]:
        self._check()
        with self._lock:
            return {point.payload.version for point in self._points.values()}

    def delete_versions(self, versions: Sequence[str]) -> None:
        self._check()
        with self._lock:
            self._points = {i: p for i, p in self._points.items() if p.payload.version not in set(versions)}

    def close(self) -> None:
        self.closed = True

    def _check(self) -> None:
        if self.closed:
            raise IndexClosedError(f"The index {self.name} was closed.")

    def _matching(self, where: Filter) -> list[Point]:
        with self._lock:
            points = list(self._points.values())
        return [
            point
            for point in points
            if point.payload.workspace == where.workspace
            and point.payload.version not in where.hidden_versions
            and (where.documents is None or point.payload.document in where.documents)
            and (where.names is None or point.payload.name in where.names)
        ]

    def _search(self, search: Search) -> list[ScoredPoint]:
        points = self._matching(search.filter)
        if search.vector is not None:
            dense = [p for p in points if search.using in p.vectors]
            scores = {p.id: float(p.vectors[search.using] @ search.vector) for p in dense}
        else:
            scores = _bm25(search.terms or (), {p.id: p.terms for p in points})
        best = sorted((p for p in points if p.id in scores), key=lambda p: (-scores[p.id], p.id))
        shown = search.with_vectors and search.vector is not None
        return [
            ScoredPoint(p.id, scores[p.id], p.payload, p.vectors[search.using] if shown else None)
            for p in best[: search.limit]
        ]


class FakeEngine:
    """Collections in memory."""

    kind = "embedded"

    def __init__(self) -> None:
        self._indexes: dict[str, FakeIndex] = {}
        self.optimised: list[str] = []

    def open(self, recipe: Recipe) -> FakeIndex:
        return self._indexes.setdefault(collection_name(recipe), FakeIndex(collection_name(recipe), recipe))

    def open_as_built(self, name: str) -> FakeIndex | None:
        return self._indexes.get(name)

    def exists(self, recipe: Recipe) -> bool:
        return collection_name(recipe) in self._indexes

    def collections(self) -> list[str]:
        return sorted(self._indexes)

    def recipes(self) -> dict[str, Recipe]:
        return {name: index.recipe for name, index in self._indexes.items()}

    def drop(self, name: str) -> None:
        self._indexes.pop(name).close()

    def optimise(self, name: str) -> int:
        self.optimised.append(name)
        return 0

    def close(self) -> None:
        for index in self._indexes.values():
            index.close()


def _bm25(query: Sequence[str], texts: Mapping[str, str], k1: float = 1.2, b: float = 0.75) -> dict[str, float]:
    words = {key: Counter(text.split()) for key, text in texts.items()}
    average = sum(sum(counts.values()) for counts in words.values()) / max(1, len(words))
    scores: dict[str, float] = {}
    for term, repeats in Counter(query).items():
        having = [key for key, counts in words.items() if term in counts]
        idf = math.log(1 + (len(words) - len(having) + 0.5) / (len(having) + 0.5))
        for key in having:
            count, length = words[key][term], sum(words[key].values())
            scores[key] = scores.get(key, 0.0) + min(repeats, 3) * idf * count * (k1 + 1) / (
                count + k1 * (1 - b + b * length / average)
            )
    return scores
