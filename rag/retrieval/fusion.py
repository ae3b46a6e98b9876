"""Two ranked lists become one: the task's weighted mean of scaled scores, and the reciprocal ranks that peers use.

Two signals that need no labels refine the mean: words that stand side by side in the question and in a text
(`phrase_shares`), and entries that are near each other and so answer for each other (`Mixture.order`).
docs/evidence.md has the worth of each.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from types import MappingProxyType
from typing import cast

import numpy as np
from numpy.typing import NDArray

from rag.types import ScoredPoint, Vector

DENSE = "dense"
BM25 = "bm25"
_NONE: Mapping[str, float] = MappingProxyType({})
_WARMTH = 0.03
"""How fast nearness falls with the cosine: two entries at 0.97 are a third as near as two equal ones."""
_NEAR = 0.91
"""Cosine at which a single neighbour counts half: below it an entry is on its own."""
_ALONE = math.exp((_NEAR - 1.0) / _WARMTH)


@dataclass(frozen=True, slots=True)
class Fused:
    """A point of at least one of the lists.

    Attributes:
        point: The point; its own `score` is the one of the first list that has it.
        score: The score it is ranked by, higher is better; comparable only within one ranking.
        scores: The engine's score by signal; a signal that did not find the point is missing.
    """

    point: ScoredPoint
    score: float
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Ranked:
    """The list of one dense signal.

    Attributes:
        name: Name of the signal.
        points: Best points by cosine.
        share: Share of the dense score, in [0, 1].
        discounts: By point id, taken off the cosine before it is scaled.
    """

    name: str
    points: Sequence[ScoredPoint]
    share: float = 1.0
    discounts: Mapping[str, float] = field(default_factory=dict)

    def scaled(self) -> dict[str, float]:
        """Return the scores in [0, 1] by point id."""
        taken = self.discounts
        return scaled([replace(p, score=p.score - taken.get(p.id, 0.0)) for p in self.points] if taken else self.points)


class Mixture:
    """The lists of one question, each scaled to [0, 1] over itself, to be mixed once or many times.

    Args:
        dense: The lists of the dense signals.
        bm25: Best points by BM25. An empty list leaves the order of a lone other as it is.
        phrases: By point id, added to the scaled BM25 score before it is scaled to 1 again.

    Attributes:
        signals: Names of the dense signals.
        ids: Every point of any list once, sorted.
        dense: Scaled scores, shape (signals, points); a point that a list lacks has 0 there.
        words: Scaled scores by BM25 and phrases, shape (points,).
    """

    def __init__(
        self, dense: Sequence[Ranked], bm25: Sequence[ScoredPoint], phrases: Mapping[str, float] = _NONE
    ) -> None:
        self.signals = tuple(signal.name for signal in dense)
        self._lists = {**{signal.name: signal.points for signal in dense}, BM25: bm25}
        self._points = {point.id: point for points in reversed(self._lists.values()) for point in points}
        self.ids = sorted(self._points)
        self._rows = {point: row for row, point in enumerate(self.ids)}
        self.dense = np.array([self._column(signal.scaled()) for signal in dense]).reshape(len(dense), len(self.ids))
        words = {point: value + phrases.get(point, 0.0) for point, value in scaled(bm25).items()}
        self.words = self._column(words) / max(words.values(), default=1.0)

    @property
    def documents(self) -> list[str]:
        """The document of each of `ids`."""
        return [self._points[key].payload.document for key in self.ids]

    def best(self, signal: str) -> float:
        """Return the engine's score of a signal's first point, as it is before any scaling; 0 without points."""
        return max((point.score for point in self._lists[signal]), default=0.0)

    def ranking(self, shares: NDArray[np.float64], weight: float, spread: float = 0.0) -> list[Fused]:
        """Rank by `weight * (shares @ dense) + (1 - weight) * words`, and let near entries answer for each other.

        Args:
            shares: Share of each dense signal, shape (signals,).
            weight: Share of the dense signals together, in [0, 1].
            spread: See `order`.

        Returns:
            Best first, ties by id.

        Raises:
            ValueError: The weight is outside [0, 1].
        """
        if not 0.0 <= weight <= 1.0:
            raise ValueError(f"weight is {weight}, expected a share from 0 (only BM25) to 1 (only dense)")
        order, totals = self.order(self.totals(shares, weight), spread)
        scores: dict[str, dict[str, float]] = {}
        for signal, points in self._lists.items():
            for point in points:
                scores.setdefault(point.id, {})[signal] = point.score
        ids = [self.ids[row] for row in order]
        return [Fused(self._points[key], float(total), scores[key]) for key, total in zip(ids, totals, strict=True)]

    def totals(self, shares: NDArray[np.float64], weight: float) -> NDArray[np.float64]:
        """Return the mixed score of each of `ids`."""
        return np.asarray(weight * (shares @ self.dense) + (1.0 - weight) * self.words, np.float64)

    def order(
        self, totals: NDArray[np.float64], spread: float, depth: int = 60
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Rank by totals, after one step of smoothing over the similarity of the best points.

        To the score of each of the best, `spread` times the mean score of its near ones is added, weighted by nearness
        and damped, so that a point without near ones, or without a vector, gains nothing.

        Args:
            totals: A score for each of `ids`.
            spread: Weight of the neighbours; 0 changes nothing.
            depth: How many of the best take part; the rest keeps its order behind them.

        Returns:
            Rows of `ids`, best first, ties by id, and their scores, comparable within the first `depth` only.

        Source:
            One step of score regularisation over a nearest-neighbour graph, Diaz 2005.
        """
        order = np.argsort(-totals, kind="stable")
        head = order[:depth]
        nearness, seats = self._nearness
        placed = head[seats[head] >= 0]
        if spread and len(placed):
            totals = totals.copy()
            among = nearness[np.ix_(seats[placed], seats[placed])]
            totals[placed] += spread * (among @ totals[placed]) / (among.sum(axis=1) + _ALONE)
            head = np.sort(head)  # so that ties go by id
            head = head[np.argsort(-totals[head], kind="stable")]
            order = np.concatenate([head, order[depth:]])
        return order, totals[order]

    @cached_property
    def _nearness(self) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """Nearness of the points that have a vector to each other, and the row of each of `ids` there, -1 for none."""
        rows = [row for row, point in enumerate(self.ids) if self._points[point].vector is not None]
        seats = np.full(len(self.ids), -1, np.intp)
        seats[rows] = np.arange(len(rows))
        if not rows:
            return np.zeros((0, 0)), seats
        matrix = np.stack([cast("Vector", self._points[self.ids[row]].vector) for row in rows]).astype(np.float64)
        nearness = np.exp((matrix @ matrix.T - 1.0) / _WARMTH)
        np.fill_diagonal(nearness, 0.0)
        return nearness, seats

    def _column(self, values: Mapping[str, float]) -> NDArray[np.float64]:
        column = np.zeros(len(self.ids))
        for point, value in values.items():
            column[self._rows[point]] = value
        return column


def rrf(lists: Sequence[Sequence[ScoredPoint]], k: int = 60) -> list[Fused]:
    """Reciprocal rank fusion: the sum of `1 / (k + rank)`, with ranks from 1.

    Args:
        lists: Rankings, best first. Two are taken as dense and BM25; more are named `list0`, `list1`, ...
        k: How little the first ranks stand out.

    Returns:
        Every point of any list once, best first, ties by id.

    Raises:
        ValueError: `k` is negative.

    Source:
        Cormack, Clarke and Büttcher 2009.
    """
    if k < 0:
        raise ValueError(f"k is {k}, expected 0 or more")
    names = [DENSE, BM25] if len(lists) == 2 else [f"list{number}" for number in range(len(lists))]
    totals: dict[str, float] = {}
    for points in lists:
        for rank, point in enumerate(points, start=1):
            totals[point.id] = totals.get(point.id, 0.0) + 1.0 / (k + rank)
    return _ranked(dict(zip(names, lists, strict=True)), totals)


def scaled(points: Sequence[ScoredPoint]) -> dict[str, float]:
    """Scale the scores of one list to [0, 1], by point id; all 1 where they are all equal."""
    if not points:
        return {}
    low = min(point.score for point in points)
    span = max(point.score for point in points) - low
    return {point.id: (point.score - low) / span if span > 0 else 1.0 for point in points}


def phrase_shares(question: Sequence[str], texts: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """Share of the question's neighbouring terms that stand side by side in each text.

    A pair weighs as BM25 would weigh it among these texts, so that a pair that all of them have counts little.

    Args:
        question: Terms of the question, in order.
        texts: Terms of the best texts, in order, by point id.

    Returns:
        By point id a share in [0, 1]; all 0 when the question has fewer than two terms.
    """
    wanted = set(pairwise(question))
    held = {point: wanted.intersection(pairwise(terms)) for point, terms in texts.items()}
    counts = Counter(pair for pairs in held.values() for pair in pairs)
    weights = {pair: math.log1p((len(texts) - counts[pair] + 0.5) / (counts[pair] + 0.5)) for pair in wanted}
    whole = sum(sorted(weights.values()))
    return {
        point: sum(sorted(weights[pair] for pair in pairs)) / whole if pairs else 0.0 for point, pairs in held.items()
    }


def _ranked(lists: Mapping[str, Sequence[ScoredPoint]], totals: Mapping[str, float]) -> list[Fused]:
    """The points with their scores by signal, by total and then by id."""
    by_id: dict[str, ScoredPoint] = {}
    scores: dict[str, dict[str, float]] = {}
    for signal, points in lists.items():
        for point in points:
            by_id.setdefault(point.id, point)
            scores.setdefault(point.id, {})[signal] = point.score
    order = sorted(totals, key=lambda point: (-totals[point], point))
    return [Fused(by_id[point], totals[point], scores[point]) for point in order]
