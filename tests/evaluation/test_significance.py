"""Intervals cover, tests keep their level, and verdicts say what they can."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.evaluation.stats.resampling import (
    ALPHA,
    bootstrap_means,
    mean_intervals,
    percentile_interval,
    randomisation_test,
)
from rag.evaluation.stats.significance import Verdict, compare_all, holm, questions_needed


def skewed(rng: np.random.Generator, questions: int) -> np.ndarray:
    """Per-question scores as they look in practice: many zeros and ones, some between."""
    return np.where(rng.random(questions) < 0.4, 0.0, np.clip(rng.beta(2, 1, questions), 0, 1))


def test_the_bootstrap_covers_the_truth() -> None:
    rng = np.random.default_rng(5)
    truth = 0.6 * 2 / 3
    trials, covered = 600, 0
    for trial in range(trials):
        interval = percentile_interval(bootstrap_means(skewed(rng, 100)[:, None], 999, trial)[:, 0])
        covered += interval.low <= truth <= interval.high
    assert 0.92 <= covered / trials <= 0.975


def test_the_paired_difference_is_covered_too() -> None:
    rng = np.random.default_rng(6)
    trials, covered = 400, 0
    for trial in range(trials):
        base = skewed(rng, 80)
        lifted = np.clip(base + rng.normal(0.03, 0.2, 80), -1, 2)
        truth = 0.03
        interval = compare_all({"a": base, "b": lifted}, "a", resamples=499, seed=trial)["b"].interval
        covered += interval.low <= truth + 0.004 and interval.high >= truth - 0.004
    assert covered / trials >= 0.92


def test_the_randomisation_test_keeps_its_level() -> None:
    rng = np.random.default_rng(7)
    trials = 400
    rejected = sum(randomisation_test(rng.normal(0, 0.2, 40), 499, trial) <= ALPHA for trial in range(trials))
    assert 0.02 <= rejected / trials <= 0.085


def test_few_questions_enumerate_every_sign() -> None:
    assert randomisation_test(np.array([0.1, 0.2, 0.3, 0.4])) == pytest.approx(2 / 16)
    assert randomisation_test(np.array([0.5])) == 1.0
    assert randomisation_test(np.zeros(10)) == 1.0


def test_questions_without_a_difference_do_not_change_the_p_value() -> None:
    some = np.random.default_rng(8).normal(0.05, 0.2, 60)
    assert randomisation_test(np.concatenate([some, np.zeros(100)])) == randomisation_test(some)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=10))
def test_holm_is_between_the_raw_value_and_bonferroni_and_keeps_the_order(p_values: list[float]) -> None:
    corrected = holm(p_values)
    for raw, after in zip(p_values, corrected, strict=True):
        assert raw <= after <= min(1.0, len(p_values) * raw)
    by_raw = [after for _, after in sorted(zip(p_values, corrected, strict=True))]
    assert by_raw == sorted(by_raw)


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


def test_a_clear_difference_is_called() -> None:
    rng = np.random.default_rng(9)
    base = skewed(rng, 300)
    comparison = compare_all({"naive": base, "up": base + 0.05, "down": base - rng.uniform(0, 0.1, 300)}, "naive")
    assert comparison["up"].verdict is Verdict.BETTER
    assert comparison["up"].difference == pytest.approx(0.05)
    assert comparison["up"].needed is None
    assert comparison["down"].verdict is Verdict.WORSE
    assert comparison["down"].interval.high < 0
    assert comparison["up"].ratio == pytest.approx((base.mean() + 0.05) / base.mean())
    assert comparison["up"].ratio_interval is not None
    assert comparison["up"].ratio_interval.low <= comparison["up"].ratio <= comparison["up"].ratio_interval.high


def test_too_few_questions_say_how_many_are_needed() -> None:
    rng = np.random.default_rng(10)
    base = rng.random(12)
    comparison = compare_all({"naive": base, "other": base + rng.normal(0.03, 0.2, 12)}, "naive")["other"]
    assert comparison.verdict is Verdict.UNSURE
    assert comparison.needed is not None
    assert comparison.needed > 12
    assert f"{comparison.needed:,} would be needed" in comparison.words


def test_the_needed_number_has_the_power_it_promises() -> None:
    rng = np.random.default_rng(11)
    pilot = rng.normal(0, 0.2, 5000)
    pilot += 0.05 - pilot.mean()
    needed = questions_needed(pilot[:4])
    assert needed > 4
    needed = int(((1.96 + 0.8416) * 0.2 / 0.05) ** 2)
    trials = 300
    seen = sum(randomisation_test(rng.normal(0.05, 0.2, needed), 499, trial) <= ALPHA for trial in range(trials))
    assert 0.72 <= seen / trials <= 0.88
    assert questions_needed(np.resize(np.array([0.25, -0.15]), 100)) == pytest.approx(needed, abs=3)


@pytest.mark.parametrize("questions", [1, 2, 5])
def test_a_handful_of_questions_never_decides(questions: int) -> None:
    base = np.zeros(questions)
    comparison = compare_all({"naive": base, "same": base, "up": base + 1.0}, "naive")
    assert comparison["same"].verdict is Verdict.UNSURE
    assert comparison["up"].verdict is Verdict.UNSURE
    assert comparison["up"].ratio is None


def test_equal_systems_differ_by_nothing_that_matters() -> None:
    base = skewed(np.random.default_rng(12), 50)
    assert compare_all({"naive": base, "twin": base.copy()}, "naive")["twin"].verdict is Verdict.SAME


def test_results_do_not_change_from_run_to_run() -> None:
    rng = np.random.default_rng(13)
    values = {"a": rng.random(30), "b": rng.random(30)}
    assert compare_all(values, "a") == compare_all(values, "a")
    assert mean_intervals(values) == mean_intervals(values)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=40))
@settings(max_examples=50, deadline=None)
def test_the_interval_of_a_mean_lies_within_the_data(scores: list[float]) -> None:
    interval = mean_intervals({"a": np.array(scores)}, resamples=199)["a"]
    assert min(scores) - 1e-9 <= interval.low <= interval.high <= max(scores) + 1e-9
