"""Fits how the agreement of signals tells the dense share of an index: the constants of `rag/retrieval/shares.py`.

Each set gives one row: three means over its questions, and the share that is best for it, relative to its task's. With
a set left out of the fit, the share that the others predict for it is judged on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rag.retrieval.agreement import Agreement
from rag.retrieval.shares import Coefficients

PENALTY = 1.0
"""Of the ridge, on features of variance one."""
TOLERANCE = 0.002
"""nDCG@10 within which shares are as good as the best one; the middle of them is what is fitted."""


@dataclass(frozen=True, slots=True)
class FittedSet:
    """One judged set.

    Attributes:
        name: Of the set.
        prior: Dense share of its task.
        agreement: Means over its questions, or over made ones.
        weights: Dense shares that were tried, in order.
        means: Mean nDCG@10 of each.
    """

    name: str
    prior: float
    agreement: Agreement
    weights: NDArray[np.float64]
    means: NDArray[np.float64]

    def at(self, weight: float) -> float:
        """Return the mean nDCG@10 of a share, between those that were tried."""
        return float(np.interp(weight, self.weights, self.means))

    @property
    def best(self) -> float:
        """The middle of the shares that are as good as the best one, relative to the task's."""
        good = self.weights[self.means >= self.means.max() - TOLERANCE]
        return float((good.min() + good.max()) / 2 - self.prior)


def fit(sets: Sequence[FittedSet]) -> Coefficients:
    """Fit a ridge regression from agreements to the best shares; the constant is not penalised."""
    rows = np.array([each.agreement.values for each in sets])
    wanted = np.array([each.best for each in sets])
    centre, scale = rows.mean(axis=0), rows.std(axis=0) + 1e-9
    scaled = (rows - centre) / scale
    slopes = np.linalg.solve(scaled.T @ scaled + PENALTY * np.eye(3), scaled.T @ (wanted - wanted.mean())) / scale
    return Coefficients(float(wanted.mean() - slopes @ centre), *map(float, slopes))


def left_out(sets: Sequence[FittedSet]) -> list[tuple[str, float, float, float, float]]:
    """Judge each set by the fit of the others: name, task's share, calibrated share, best of all, and the move."""
    rows = []
    for judged in sets:
        move = fit([each for each in sets if each is not judged]).move(judged.agreement)
        weight = min(1.0, max(0.0, judged.prior + move))
        rows.append((judged.name, judged.at(judged.prior), judged.at(weight), float(judged.means.max()), move))
    return rows


def shipped(sets: Sequence[FittedSet]) -> Coefficients:
    """Fit on all sets, with what leaving one out says it gains."""
    gains = [calibrated - own for _, own, calibrated, _, _ in left_out(sets)]
    return replace(fit(sets), gain=float(np.mean(gains)))
