"""Choosing among measured candidates without fooling oneself: pure functions of scores.

Questions are split in two by a hash of their ids. The development half chooses, by five-fold cross-validation; the
other half, which had no part in choosing, says what the choice is worth. What choosing on all questions would have
claimed is shown beside it: the difference is the optimism of tuning without a split.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.evaluation.stats.metrics import Scores

FOLDS = 5
CandidateScores = NDArray[np.float64]
"""Scores, shape (candidates, questions)."""


@dataclass(frozen=True, slots=True)
class Selection:
    """A choice among candidates and what it is worth.

    Attributes:
        chosen: Number of the candidate chosen on the development half.
        development: Mean of each candidate on the development half, shape (candidates,).
        cross_validated: Mean gain over the shipped candidate on folds that had no part in choosing.
        held_out: Numbers of the questions that had no part in choosing at all.
        claimed: Gain that choosing and scoring on all questions would have claimed.
    """

    chosen: int
    development: Scores
    cross_validated: float
    held_out: tuple[int, ...]
    claimed: float


def split(ids: Sequence[str]) -> tuple[list[int], list[int]]:
    """Split questions into the development half and the held-out half, as numbers into `ids`.

    The halves depend on the ids alone, not on their order.
    """
    order = sorted(range(len(ids)), key=lambda number: hashlib.blake2b(ids[number].encode(), digest_size=8).digest())
    middle = len(order) // 2
    return sorted(order[:middle]), sorted(order[middle:])


def best(scores: CandidateScores, shipped: int) -> int:
    """Pick the candidate with the highest mean if it beats the shipped one by more than a standard error, else that.

    Args:
        scores: Shape (candidates, questions).
        shipped: Number of the shipped candidate; equal means are settled in its favour, then by number.
    """
    means = scores.mean(axis=1)
    highest = int(np.argmax(means))
    if highest == shipped or scores.shape[1] < 2:
        return shipped
    differences = scores[highest] - scores[shipped]
    error = float(np.std(differences, ddof=1)) / np.sqrt(len(differences))
    return highest if float(differences.mean()) > error else shipped


def choose(scores: CandidateScores, ids: Sequence[str], shipped: int) -> Selection:
    """Choose on the development half, by the rule that cross-validation scores.

    Args:
        scores: Shape (candidates, questions), in the order of `ids`.
        ids: Question ids.
        shipped: Number of the shipped candidate.
    """
    development, held_out = split(ids)
    on_development = scores[:, development]
    on_all = best(scores, shipped)
    return Selection(
        chosen=best(on_development, shipped),
        development=on_development.mean(axis=1),
        cross_validated=_cross_validated(on_development, shipped),
        held_out=tuple(held_out),
        claimed=float((scores[on_all] - scores[shipped]).mean()),
    )


def _cross_validated(scores: CandidateScores, shipped: int) -> float:
    """Mean gain of the rule over the shipped candidate, each question scored by a choice it had no part in."""
    folds = np.arange(scores.shape[1]) % FOLDS
    gains = []
    for fold in range(FOLDS):
        outside, inside = scores[:, folds != fold], scores[:, folds == fold]
        if outside.shape[1] and inside.shape[1]:
            gains.append(inside[best(outside, shipped)] - inside[shipped])
    return float(np.concatenate(gains).mean()) if gains else 0.0
