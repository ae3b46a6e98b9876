"""Two ranked lists become one: the task's weighted mean of scaled scores, and the reciprocal ranks that peers use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag.types import Found

DENSE = "dense"
BM25 = "bm25"


@dataclass(frozen=True, slots=True)
class Fused:
    """A point of at least one of the lists.

    Attributes:
        found: The point; its own `score` is the one of the first list that has it.
        score: What it is ranked by, higher is better; comparable only within one ranking.
        scores: The engine's score by signal; a signal that did not find the point is missing.
    """

    found: Found
    score: float
    scores: Mapping[str, float]


def convex(dense: Sequence[Found], bm25: Sequence[Found], weight: float) -> list[Fused]:
    """Rank by `weight * dense + (1 - weight) * bm25`, each scaled to [0, 1] over its own list.

    Args:
        dense: Best points by cosine.
        bm25: Best points by BM25. An empty list leaves the other's order as it is.
        weight: Share of the dense signal, in [0, 1].

    Returns:
        Every point of either list once, best first, ties by id. A point that one list lacks has 0 there.

    Raises:
        ValueError: The weight is outside [0, 1].
    """
    if not 0.0 <= weight <= 1.0:
        raise ValueError(f"weight is {weight}, expected a share from 0 (only BM25) to 1 (only dense)")
    totals: dict[str, float] = {}
    for found, share in ((dense, weight), (bm25, 1.0 - weight)):
        for point, value in scaled(found).items():
            totals[point] = totals.get(point, 0.0) + share * value
    return _ranked({DENSE: dense, BM25: bm25}, totals)


def rrf(lists: Sequence[Sequence[Found]], k: int = 60) -> list[Fused]:
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
    for found in lists:
        for rank, item in enumerate(found, start=1):
            totals[item.id] = totals.get(item.id, 0.0) + 1.0 / (k + rank)
    return _ranked(dict(zip(names, lists, strict=True)), totals)


def scaled(found: Sequence[Found]) -> dict[str, float]:
    """Scores of one list moved and stretched to [0, 1], by point id; all 1 where they are all equal."""
    if not found:
        return {}
    low = min(item.score for item in found)
    span = max(item.score for item in found) - low
    return {item.id: (item.score - low) / span if span > 0 else 1.0 for item in found}


def _ranked(lists: Mapping[str, Sequence[Found]], totals: Mapping[str, float]) -> list[Fused]:
    """The points with their scores by signal, by total and then by id."""
    points: dict[str, Found] = {}
    scores: dict[str, dict[str, float]] = {}
    for name, found in lists.items():
        for item in found:
            points.setdefault(item.id, item)
            scores.setdefault(item.id, {})[name] = item.score
    order = sorted(totals, key=lambda point: (-totals[point], point))
    return [Fused(points[point], totals[point], scores[point]) for point in order]
