"""Resampling of per-question scores: bootstrap intervals of means, and a randomisation test of differences.

Intervals are 95% percentile bootstraps over questions (Efron and Tibshirani 1993, ch. 13), paired: every system is
resampled with the same questions. The p-value is a two-sided randomisation test that flips the sign of each question's
difference (Fisher; Smucker, Allan and Carterette 2007).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from rag.evaluation.stats.metrics import Scores

Name = TypeVar("Name", bound=Hashable)

ALPHA = 0.05
RESAMPLES = 9_999
SEED = 20_260
_BLOCK = 4_000_000
"""Numbers held in memory at once."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95% interval."""

    low: float
    high: float


def bootstrap_means(values: NDArray[np.float64], resamples: int = RESAMPLES, seed: int = SEED) -> NDArray[np.float64]:
    """Resample the questions and take their means.

    Args:
        values: Shape (questions, columns); all columns are resampled with the same questions.
        resamples: How many resamples.
        seed: Equal seeds give equal resamples.

    Returns:
        Shape (resamples, columns).
    """
    questions = len(values)
    rng = np.random.default_rng(seed)
    means = np.empty((resamples, values.shape[1]))
    block = max(1, _BLOCK // questions)
    for start in range(0, resamples, block):
        size = min(block, resamples - start)
        drawn = rng.integers(0, questions, (size, questions)) + np.arange(size)[:, None] * questions
        counts = np.bincount(drawn.ravel(), minlength=size * questions).reshape(size, questions)
        means[start : start + size] = counts @ values / questions
    return means


def percentile_interval(samples: NDArray[np.float64]) -> Interval:
    """The 95% interval of bootstrap samples, shape (resamples,)."""
    low, high = np.percentile(samples, [100 * ALPHA / 2, 100 * (1 - ALPHA / 2)])
    return Interval(float(low), float(high))


def mean_intervals(values: Mapping[Name, Scores], resamples: int = RESAMPLES, seed: int = SEED) -> dict[Name, Interval]:
    """Find the interval of each mean; `values` are per-question scores by any name, of equal length."""
    names = list(values)
    means = bootstrap_means(np.column_stack([values[name] for name in names]), resamples, seed)
    return {name: percentile_interval(means[:, column]) for column, name in enumerate(names)}


def randomisation_test(differences: Scores, resamples: int = RESAMPLES, seed: int = SEED) -> float:
    """Two-sided p-value of the hypothesis that differences, shape (questions,), lie symmetrically around 0."""
    moved = differences[differences != 0]
    # With one difference both signs are as extreme, and scipy wants two observations.
    if len(moved) < 2:
        return 1.0
    from scipy.stats import permutation_test

    def total(sample: NDArray[np.float64], axis: int = -1) -> NDArray[np.float64]:
        return np.asarray(np.sum(sample, axis=axis))

    block = max(1, _BLOCK // len(moved))
    test = permutation_test(
        (moved,), total, permutation_type="samples", n_resamples=resamples, batch=block, rng=np.random.default_rng(seed)
    )
    return float(test.pvalue)
