"""Two ranked lists become one: the task's weighted mean of scaled scores, and the reciprocal ranks that peers use.

Two signals that need no labels refine the mean: words that stand side by side in the question and in a text
(`phrase_shares`), and entries that are near each other and so answer for each other (`spread`). docs/evidence.md has
the worth of each.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from types import MappingProxyType

import numpy as np

from rag.tasks.spec import Mix
from rag.types import ScoredPoint, Vector

DENSE = "dense"
BM25 = "bm25"
_NONE: Mapping[str, float] = MappingProxyType({})
_WARMTH = 0.03
"""How fast nearness falls with the cosine: two entries at 0.97 are a third as near as two equal ones."""
_NEAR = 0.91
"""Cosine at which a single neighbour counts half: below it an entry is on its own."""


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


def mix(
    dense: Sequence[ScoredPoint],
    bm25: Sequence[ScoredPoint],
    how: Mix,
    question: Sequence[str],
    texts: Mapping[str, Sequence[str]],
    discounts: Mapping[str, float],
) -> list[Fused]:
    """Fuse the two lists as a task wants it.

    Args:
        dense: Best points by cosine.
        bm25: Best points by BM25.
        how: The task's mix.
        question: Terms of the question, in order.
        texts: Terms of the best BM25 points, in order, by point id.
        discounts: By point id, taken off the cosine.
    """
    if how.rrf is not None:
        return rrf([dense, bm25], how.rrf)
    phrases = phrase_shares(question, texts)
    return spread(convex(dense, bm25, how.dense_weight, phrases=phrases, discounts=discounts), how.spread)


def convex(
    dense: Sequence[ScoredPoint],
    bm25: Sequence[ScoredPoint],
    weight: float,
    *,
    phrases: Mapping[str, float] = _NONE,
    discounts: Mapping[str, float] = _NONE,
) -> list[Fused]:
    """Rank by `weight * dense + (1 - weight) * bm25`, each scaled to [0, 1] over its own list.

    Args:
        dense: Best points by cosine.
        bm25: Best points by BM25. An empty list leaves the other's order as it is.
        weight: Share of the dense signal, in [0, 1].
        phrases: By point id, added to the scaled BM25 score before it is scaled to 1 again.
        discounts: By point id, taken off the cosine before it is scaled.

    Returns:
        Every point of either list once, best first, ties by id. A point that one list lacks has 0 there.

    Raises:
        ValueError: The weight is outside [0, 1].
    """
    if not 0.0 <= weight <= 1.0:
        raise ValueError(f"weight is {weight}, expected a share from 0 (only BM25) to 1 (only dense)")
    lowered = [replace(point, score=point.score - discounts.get(point.id, 0.0)) for point in dense]
    totals = {point: weight * value for point, value in scaled(lowered).items()}
    words = {point: value + phrases.get(point, 0.0) for point, value in scaled(bm25).items()}
    best = max(words.values(), default=1.0)
    for point, value in words.items():
        totals[point] = totals.get(point, 0.0) + (1.0 - weight) * value / best
    return _ranked({DENSE: dense, BM25: bm25}, totals)


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


def spread(ranking: Sequence[Fused], strength: float, depth: int = 60) -> list[Fused]:
    """Let near entries answer for each other: one step of smoothing over their similarity.

    To the score of each of the best points, `strength` times the mean score of its near ones is added, weighted by
    nearness and damped, so that a point without near ones gains nothing. Points without a vector have no near ones.

    Args:
        ranking: Fused points, best first.
        strength: Weight of the neighbours; 0 changes nothing.
        depth: How many of the best points take part; the rest keeps its order behind them.

    Returns:
        The same points, best first, ties by id. Scores are comparable within the first `depth` only.

    Source:
        One step of score regularisation over a nearest-neighbour graph, Diaz 2005.
    """
    head = [fused for fused in ranking[:depth] if fused.point.vector is not None]
    if strength == 0 or not head:
        return list(ranking)
    scores = np.array([fused.score for fused in head])
    near = _nearness([fused.point.vector for fused in head if fused.point.vector is not None])
    alone = math.exp((_NEAR - 1.0) / _WARMTH)
    gains = strength * (near @ scores) / (near.sum(axis=1) + alone)
    gained = {fused.point.id: float(gain) for fused, gain in zip(head, gains, strict=True)}
    raised = [replace(fused, score=fused.score + gained.get(fused.point.id, 0.0)) for fused in ranking[:depth]]
    return sorted(raised, key=lambda fused: (-fused.score, fused.point.id)) + list(ranking[depth:])


def _nearness(vectors: Sequence[Vector]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    matrix = np.stack(vectors).astype(np.float64)
    near = np.exp((matrix @ matrix.T - 1.0) / _WARMTH)
    np.fill_diagonal(near, 0.0)
    return near


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
