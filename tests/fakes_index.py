"""A vector index in memory: the whole Protocol, exact search, plain BM25. It passes the contract of real engines."""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from rag.errors import IndexClosedError
from rag.index import collection_name
from rag.index.ranking import check_searches
from rag.retrieval.analyser import terms_of
from rag.types import (
    Embedder,
    Filter,
    Mode,
    Point,
    Recipe,
    ScoredPoint,
    Search,
    StoredPoint,
    Vector,
    VectorIndex,
)
from tests.build import RECIPE, named

_MOST_REPEATS = 3


class FakeIndex:
    """One open collection in memory.

    Args:
        name: Name of the collection.
        recipe: Says the dimension.
        points: What was written before it was opened, by id.

    Attributes:
        upserts: Number of points in each call to `upsert`.
    """

    def __init__(self, name: str, recipe: Recipe, points: dict[str, Point] | None = None) -> None:
        self.name = name
        self.recipe = recipe
        self.upserts: list[int] = []
        self.closed = False
        self._points = {} if points is None else points
        self._lock = threading.Lock()

    def upsert(self, points: Sequence[Point]) -> None:
        self._check()
        for point in points:
            assert point.vectors, "a point without vectors"
            for name, vector in point.vectors.items():
                assert vector.shape == (self.recipe.sizes[name],)
                assert abs(float(np.linalg.norm(vector)) - 1) < 1e-4
        with self._lock:
            self.upserts.append(len(points))
            for point in points:
                payload = replace(point.payload, chunk=replace(point.payload.chunk, inputs=()))
                self._points[point.id] = replace(point, vectors=dict(point.vectors), payload=payload)

    def search(self, searches: Sequence[Search]) -> list[list[ScoredPoint]]:
        self._check()
        check_searches(searches, self.recipe.sizes)
        return [self._dense(search) if search.terms is None else self._bm25(search) for search in searches]

    def vectors_by_content(self, workspace: str, contents: Sequence[str]) -> dict[str, Mapping[str, Vector]]:
        self._check()
        points = [point for point in self._matching(Filter(workspace)) if point.payload.content in set(contents)]
        return {point.payload.content: point.vectors for point in sorted(points, key=lambda point: len(point.vectors))}

    def scroll(self, filter: Filter, batch: int = 256, with_vectors: bool = False) -> Iterator[list[StoredPoint]]:  # noqa: A002
        self._check()
        points = sorted(self._matching(filter), key=lambda point: point.id)
        for start in range(0, len(points), batch):
            yield [
                StoredPoint(p.id, p.vectors if with_vectors else {}, p.payload) for p in points[start : start + batch]
            ]

    def terms(self, filter: Filter, batch: int = 1024) -> Iterator[list[str]]:  # noqa: A002
        self._check()
        points = sorted(self._matching(filter), key=lambda point: point.id)
        for start in range(0, len(points), batch):
            yield [point.terms for point in points[start : start + batch]]

    def count(self, filter: Filter | None = None) -> int:  # noqa: A002
        self._check()
        return len(self._points) if filter is None else len(self._matching(filter))

    def versions(self) -> set[str]:
        return set(self.version_counts())

    def version_counts(self) -> dict[str, int]:
        self._check()
        with self._lock:
            return dict(Counter(point.payload.version for point in self._points.values()))

    def delete_versions(self, versions: Sequence[str]) -> None:
        self._check()
        with self._lock:
            for key in [key for key, point in self._points.items() if point.payload.version in set(versions)]:
                del self._points[key]

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
            and (where.versions is None or point.payload.version in where.versions)
        ]

    def _dense(self, search: Search) -> list[ScoredPoint]:
        scored = [
            ScoredPoint(p.id, float(vector @ search.vector), p.payload, vector if search.with_vectors else None)
            for p in self._matching(search.filter)
            if (vector := p.vectors.get(search.using)) is not None
        ]
        return _best(scored, search.limit)

    def _bm25(self, search: Search) -> list[ScoredPoint]:
        points = {point.id: point for point in self._matching(search.filter)}
        scores = _bm25_scores(search.terms or (), {key: point.terms.split() for key, point in points.items()})
        scored = [
            ScoredPoint(key, score, points[key].payload, None, points[key].terms) for key, score in scores.items()
        ]
        return _best(scored, search.limit)


class FakeEngine:
    """Collections in memory."""

    kind = "embedded"

    def __init__(self) -> None:
        self._points: dict[str, dict[str, Point]] = {}
        self._indexes: dict[str, FakeIndex] = {}
        self.optimised: list[str] = []
        self._owners: dict[str, str] = {}

    def open(self, recipe: Recipe) -> FakeIndex:
        name = collection_name(recipe)
        index = self._indexes.get(name)
        if index is None or index.closed:
            index = self._indexes[name] = FakeIndex(name, recipe, self._points.setdefault(name, {}))
        return index

    def open_as_built(self, name: str) -> FakeIndex | None:
        return self.open(self._indexes[name].recipe) if name in self._indexes else None

    def collections(self) -> list[str]:
        return sorted(self._indexes)

    def recipe(self, name: str) -> Recipe:
        return self._indexes[name].recipe

    def owner(self, name: str) -> str:
        return self._owners.get(name, "")

    def claim(self, name: str, owner: str) -> None:
        self._owners[name] = owner

    def drop(self, name: str) -> None:
        self._owners.pop(name, None)
        self._points.pop(name, None)
        if name in self._indexes:
            self._indexes.pop(name).close()

    def optimise(self, name: str) -> int:
        self.optimised.append(name)
        return 0

    def unerased(self) -> list[str]:
        return []

    def erase(self, name: str, cancel: threading.Event | None = None, *, thrifty: bool = False) -> bool:
        return False

    def close(self) -> None:
        for index in self._indexes.values():
            index.close()


class SpyIndex:
    """Passes everything on and remembers the searches."""

    def __init__(self, index: VectorIndex) -> None:
        self._index = index
        self.calls: list[list[Search]] = []

    def search(self, searches: list[Search]) -> object:
        self.calls.append(list(searches))
        return self._index.search(searches)

    def __getattr__(self, name: str) -> object:
        return getattr(self._index, name)


def filled_index(embedder: Embedder, texts: Mapping[str, str]) -> VectorIndex:
    """Return an index with one point a text, in both modes."""
    index = FakeIndex("qa-test", replace(RECIPE, dimension=embedder.dimension))
    for number, (name, text) in enumerate(texts.items()):
        aware, naive = embedder.encode([f"passage: {text}", text])
        payload = named(name, text)
        terms = " ".join(terms_of(payload, "prose"))
        key = f"00000000-0000-0000-0000-{number:012d}"
        index.upsert([Point(key, {Mode.TASK_AWARE: aware, Mode.NAIVE: naive}, payload, terms)])
    return index


def _best(points: Sequence[ScoredPoint], limit: int) -> list[ScoredPoint]:
    return sorted(points, key=lambda point: (-point.score, point.id))[:limit]


def _bm25_scores(
    terms: Sequence[str], texts: Mapping[str, Sequence[str]], k1: float = 1.2, b: float = 0.75
) -> dict[str, float]:
    counts = {key: Counter(words) for key, words in texts.items()}
    average = sum(map(len, texts.values())) / max(1, len(texts))
    scores: dict[str, float] = {}
    for term, repeats in Counter(terms).items():
        matches = [key for key, words in counts.items() if term in words]
        idf = math.log(1 + (len(texts) - len(matches) + 0.5) / (len(matches) + 0.5))
        for key in matches:
            count = counts[key][term]
            gain = idf * count * (k1 + 1) / (count + k1 * (1 - b + b * len(texts[key]) / average))
            scores[key] = scores.get(key, 0.0) + min(repeats, _MOST_REPEATS) * gain
    return scores
