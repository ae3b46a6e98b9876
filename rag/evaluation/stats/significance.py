"""Comparisons of systems on the same questions, with how sure they are, in numbers and in words.

Intervals and p-values are those of `resampling`; p-values are corrected by Holm 1979 over the systems compared.

The number of questions that would be needed is that of a paired z test at power 0.8:
`((z(1 - a/2) + z(0.8)) * sd / gap)^2`, where `sd` is the standard deviation of the differences seen. To confirm the
difference seen, `gap` is that difference and `a` is 0.05 divided by the number of comparisons; to rule out a difference
that matters, `gap` is `MATTERS` less that difference. The smaller number is given.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from rag.evaluation.stats.metrics import Scores
from rag.evaluation.stats.resampling import (
    ALPHA,
    RESAMPLES,
    SEED,
    Interval,
    bootstrap_means,
    percentile_interval,
    randomisation_test,
)

POWER = 0.8
MATTERS = 0.01
"""A smaller difference in the metric than this is of no practical interest."""


class Verdict(StrEnum):
    """The conclusion that the questions allow about a difference."""

    BETTER = "better"
    WORSE = "worse"
    SAME = "no difference that matters"
    UNSURE = "not enough questions to tell"


@dataclass(frozen=True, slots=True)
class SystemComparison:
    """One system against a baseline on one metric.

    Attributes:
        system: The system's name.
        baseline: The system it is compared with.
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


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p-values by Holm's step-down method, in the order given. Source: Holm 1979."""
    order = sorted(range(len(p_values)), key=lambda number: p_values[number])
    corrected = [0.0] * len(p_values)
    highest = 0.0
    for rank, number in enumerate(order):
        # No hypothesis may come out surer than one with a smaller p-value.
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[number]))
        corrected[number] = highest
    return corrected


def questions_needed(differences: Scores, comparisons: int = 1, matters: float = MATTERS) -> int:
    """Number of questions needed to tell, at power 0.8, as the module's first lines define it.

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
    needed = math.inf
    if seen > 0:
        needed = ((float(norm.ppf(1 - ALPHA / 2 / comparisons)) + beta) * spread / seen) ** 2
    if seen < matters:
        needed = min(needed, ((float(norm.ppf(1 - ALPHA / 2)) + beta) * spread / (matters - seen)) ** 2)
    return max(floor, len(differences) + 1, math.ceil(needed))


def compare_all(
    values: Mapping[str, Scores], baseline: str, *, resamples: int = RESAMPLES, seed: int = SEED
) -> dict[str, SystemComparison]:
    """Compare every other system with the baseline, as `compare_pairs` does it.

    Returns:
        Comparison by system, without the baseline.
    """
    pairs = [(name, baseline) for name in values if name != baseline]
    comparisons = compare_pairs(values, pairs, resamples=resamples, seed=seed)
    return {comparison.system: comparison for comparison in comparisons}


def compare_pairs(
    values: Mapping[str, Scores],
    pairs: Sequence[tuple[str, str]],
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> list[SystemComparison]:
    """Compare systems with baselines, corrected for how many pairs there are.

    Args:
        values: Per-question scores by system, each of shape (questions,), the questions in one order.
        pairs: (system, baseline) names.
        resamples: Of the bootstrap and of the randomisation test.
        seed: Equal seeds and values give equal results.
    """
    if not pairs:
        return []
    columns = np.column_stack(list(values.values()))
    means = dict(zip(values, bootstrap_means(columns, resamples, seed).T, strict=True))
    p_values = [randomisation_test(values[name] - values[base], resamples, seed) for name, base in pairs]
    comparisons = []
    for (name, base), p, corrected in zip(pairs, p_values, holm(p_values), strict=True):
        differences = values[name] - values[base]
        interval = percentile_interval(means[name] - means[base])
        verdict = _conclude(differences, interval, corrected)
        ratio, ratio_interval = _ratio(means[name], means[base], values[name], values[base])
        comparison = SystemComparison(
            system=name,
            baseline=base,
            questions=len(differences),
            difference=float(np.mean(differences)),
            interval=interval,
            ratio=ratio,
            ratio_interval=ratio_interval,
            p=p,
            p_corrected=corrected,
            verdict=verdict,
            needed=questions_needed(differences, len(pairs)) if verdict is Verdict.UNSURE else None,
            words="",
        )
        comparisons.append(replace(comparison, words=_sentence(comparison)))
    return comparisons


def _ratio(
    top: NDArray[np.float64], bottom: NDArray[np.float64], system: Scores, base: Scores
) -> tuple[float | None, Interval | None]:
    """The ratio of two means with its interval; `top` and `bottom` are their resamples."""
    if float(np.mean(base)) == 0.0:
        return None, None
    ratio = float(np.mean(system) / np.mean(base))
    usable = bottom > 0
    return ratio, percentile_interval(top[usable] / bottom[usable])


def _conclude(differences: Scores, interval: Interval, corrected: float) -> Verdict:
    if corrected <= ALPHA and (interval.low > 0 or interval.high < 0):
        return Verdict.BETTER if interval.low > 0 else Verdict.WORSE
    # A handful of equal questions has a narrow interval too, and says nothing.
    enough = len(differences) >= questions_needed(np.zeros(1))
    return Verdict.SAME if enough and interval.low >= -MATTERS and interval.high <= MATTERS else Verdict.UNSURE


def _sentence(comparison: SystemComparison) -> str:
    """The conclusion in a sentence."""
    system, baseline, interval = comparison.system, comparison.baseline, comparison.interval
    figures = (
        f"{comparison.difference:+.3f} [{interval.low:+.3f}, {interval.high:+.3f}] on {comparison.questions} questions"
    )
    if comparison.verdict in (Verdict.BETTER, Verdict.WORSE):
        return f"{system} is {comparison.verdict} than {baseline}: {figures}."
    if comparison.verdict is Verdict.SAME:
        return (
            f"No difference that matters between {system} and {baseline}: {figures}; within {MATTERS} counts as equal."
        )
    needed = f"about {comparison.needed:,} would be needed"
    return f"Not enough questions to tell {system} from {baseline}: {figures}; {needed}."
