"""Whether one system is better than another on the same questions, with how sure that is, in numbers and in words.

Intervals are 95% percentile bootstraps over questions (Efron and Tibshirani 1993, ch. 13), paired: every system is
resampled with the same questions. The p-value is a two-sided randomisation test that flips the sign of each question's
difference (Fisher; Smucker, Allan and Carterette 2007), corrected by Holm 1979 over the systems compared.

The number of questions that would be needed is that of a paired z test at power 0.8:
`((z(1 - a/2) + z(0.8)) * sd / gap)^2`, where `sd` is the standard deviation of the differences seen. To confirm the
difference seen, `gap` is that difference and `a` is 0.05 divided by the number of comparisons; to rule out a difference
that matters, `gap` is what is left of `MATTERS`. The smaller number is given.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from rag.evaluation.stats.metrics import Scores

Name = TypeVar("Name", bound=Hashable)

ALPHA = 0.05
POWER = 0.8
MATTERS = 0.01
"""A smaller difference in the metric than this is of no practical interest."""
RESAMPLES = 9_999
SEED = 20_260
_BLOCK = 4_000_000


class Verdict(StrEnum):
    """What the questions allow to say of a difference."""

    BETTER = "better"
    WORSE = "worse"
    SAME = "no difference that matters"
    UNSURE = "not enough questions to tell"


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95% interval."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """One system against a baseline on one metric.

    Attributes:
        system: The system's name.
        baseline: What it is compared with.
        questions: How many questions both answered.
        difference: Mean of the per-question differences, system minus baseline.
        interval: Of the difference.
        ratio: Mean of the system over mean of the baseline; None when the baseline's mean is 0.
        ratio_interval: Of the ratio.
        p: Of the randomisation test, uncorrected.
        p_corrected: After Holm's correction over the systems compared.
        verdict: The conclusion.
        needed: Questions that would be needed to tell, for `Verdict.UNSURE`, else None.
        words: The conclusion in a sentence.
    """

    system: str
    baseline: str
    questions: int
    difference: float
    interval: Interval
    ratio: float | None
    ratio_interval: Interval | None
    p: float
    p_corrected: float
    verdict: Verdict
    needed: int | None
    words: str


def bootstrap_means(values: NDArray[np.float64], resamples: int = RESAMPLES, seed: int = SEED) -> NDArray[np.float64]:
    """Means of resampled questions.

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
    """The interval of each mean; `values` are per-question scores by any name, of equal length."""
    names = list(values)
    means = bootstrap_means(np.column_stack([values[name] for name in names]), resamples, seed)
    return {name: percentile_interval(means[:, column]) for column, name in enumerate(names)}


def randomisation_test(differences: Scores, resamples: int = RESAMPLES, seed: int = SEED) -> float:
    """Two-sided p-value that per-question differences, shape (questions,), lie symmetrically around 0."""
    moved = differences[differences != 0]
    if not len(moved):
        return 1.0
    if len(moved) == 1:
        return 1.0  # both signs are as extreme; scipy wants two observations
    from scipy.stats import permutation_test

    def total(sample: NDArray[np.float64], axis: int = -1) -> NDArray[np.float64]:
        return np.asarray(np.sum(sample, axis=axis))

    block = max(1, _BLOCK // len(moved))
    found = permutation_test(
        (moved,), total, permutation_type="samples", n_resamples=resamples, batch=block, rng=np.random.default_rng(seed)
    )
    return float(found.pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction, in the order given. Source: Holm 1979."""
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    corrected = [0.0] * len(p_values)
    highest = 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        corrected[place] = highest
    return corrected


def questions_needed(differences: Scores, comparisons: int = 1, matters: float = MATTERS) -> int:
    """Questions needed to tell, at power 0.8, as the module's first lines define it.

    Args:
        differences: Per-question differences seen, shape (questions,).
        comparisons: Systems compared with the same baseline, for Holm's correction.
        matters: Smallest difference of interest.
    """
    from scipy.stats import norm

    floor = math.ceil(1 + math.log2(2 * comparisons / ALPHA))  # fewer can never reach significance by flipping signs
    if len(differences) < 2:
        return max(floor, len(differences) + 1)
    spread = float(np.std(differences, ddof=1))
    seen = abs(float(np.mean(differences)))
    beta = float(norm.ppf(POWER))
    found = math.inf
    if seen > 0:
        found = ((float(norm.ppf(1 - ALPHA / 2 / comparisons)) + beta) * spread / seen) ** 2
    if seen < matters:
        found = min(found, ((float(norm.ppf(1 - ALPHA / 2)) + beta) * spread / (matters - seen)) ** 2)
    return max(floor, len(differences) + 1, math.ceil(found))


def compare(
    values: Mapping[str, Scores], baseline: str, *, resamples: int = RESAMPLES, seed: int = SEED
) -> dict[str, Comparison]:
    """Every other system against the baseline, as `compare_pairs` does it.

    Returns:
        Comparison by system, without the baseline.
    """
    pairs = [(name, baseline) for name in values if name != baseline]
    found = compare_pairs(values, pairs, resamples=resamples, seed=seed)
    return {comparison.system: comparison for comparison in found}


def compare_pairs(
    values: Mapping[str, Scores],
    pairs: Sequence[tuple[str, str]],
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> list[Comparison]:
    """Systems against baselines, corrected for how many pairs there are.

    Args:
        values: Per-question scores by system, each of shape (questions,), the questions in one order.
        pairs: (system, baseline) names.
        resamples: Of the bootstrap and of the randomisation test.
        seed: Equal seeds and values give equal results.
    """
    if not pairs:
        return []
    names = list(values)
    column = {name: place for place, name in enumerate(names)}
    means = bootstrap_means(np.column_stack([values[name] for name in names]), resamples, seed)
    p_values = [randomisation_test(values[name] - values[base], resamples, seed) for name, base in pairs]
    found = []
    for (name, base), p, corrected in zip(pairs, p_values, holm(p_values), strict=True):
        differences = values[name] - values[base]
        ours, theirs = means[:, column[name]], means[:, column[base]]
        interval = percentile_interval(ours - theirs)
        verdict = _verdict(differences, interval, corrected)
        needed = questions_needed(differences, len(pairs)) if verdict is Verdict.UNSURE else None
        ratio, ratio_interval = _ratio(ours, theirs, values[name], values[base])
        difference, questions = float(np.mean(differences)), len(differences)
        words = _words(name, base, questions, difference, interval, verdict, needed)
        found.append(
            Comparison(
                name, base, questions, difference, interval, ratio, ratio_interval, p, corrected, verdict, needed, words
            )
        )
    return found


def _ratio(
    top: NDArray[np.float64], bottom: NDArray[np.float64], system: Scores, base: Scores
) -> tuple[float | None, Interval | None]:
    if float(np.mean(base)) == 0.0:
        return None, None
    ratio = float(np.mean(system) / np.mean(base))
    usable = bottom > 0
    return ratio, percentile_interval(top[usable] / bottom[usable])


def _verdict(differences: Scores, interval: Interval, corrected: float) -> Verdict:
    if corrected <= ALPHA and (interval.low > 0 or interval.high < 0):
        return Verdict.BETTER if interval.low > 0 else Verdict.WORSE
    enough = len(differences) >= questions_needed(np.zeros(1))
    return Verdict.SAME if enough and interval.low >= -MATTERS and interval.high <= MATTERS else Verdict.UNSURE


def _words(
    system: str,
    baseline: str,
    questions: int,
    difference: float,
    interval: Interval,
    verdict: Verdict,
    needed: int | None,
) -> str:
    figures = f"{difference:+.3f} [{interval.low:+.3f}, {interval.high:+.3f}] on {questions} questions"
    if verdict in (Verdict.BETTER, Verdict.WORSE):
        return f"{system} is {verdict} than {baseline}: {figures}."
    if verdict is Verdict.SAME:
        return (
            f"No difference that matters between {system} and {baseline}: {figures}; within {MATTERS} counts as equal."
        )
    return f"Not enough questions to tell {system} from {baseline}: {figures}; about {needed:,} would be needed."
