"""The fit of dense shares by agreement."""

import numpy as np
import pytest

from bench.shares import FittedSet, fit, left_out, shipped
from rag.retrieval.agreement import Agreement

WEIGHTS = np.array([round(0.05 * step, 2) for step in range(1, 21)])


def fitted(number: int, slope: float = 0.5) -> FittedSet:
    """A set whose best share grows with the agreement of its models."""
    models = 0.2 + 0.05 * number
    best = 0.5 + slope * (models - 0.5)
    return FittedSet(f"s{number}", 0.5, Agreement(0.4, models, 0.7), WEIGHTS, 0.8 - (WEIGHTS - best) ** 2)


def test_the_best_share_is_the_middle_of_those_that_are_as_good() -> None:
    flat = FittedSet("flat", 0.4, Agreement(0, 0, 0), WEIGHTS, np.where(abs(WEIGHTS - 0.6) < 0.11, 0.9, 0.5))
    assert flat.best == pytest.approx(0.2)
    assert flat.at(0.425) == pytest.approx(0.5)


def test_what_tells_the_sets_apart_gets_the_slope() -> None:
    coefficients = fit([fitted(number) for number in range(12)])
    assert coefficients.models > 0.3
    assert abs(coefficients.words) < 1e-6
    assert abs(coefficients.cosine) < 1e-6


def test_a_set_left_out_gains_by_the_others() -> None:
    sets = [fitted(number) for number in range(12)]
    rows = left_out(sets)
    assert [row[0] for row in rows] == [each.name for each in sets]
    assert all(own <= calibrated + 1e-3 <= best + 2e-3 for _, own, calibrated, best, _ in rows)
    assert shipped(sets).gain == pytest.approx(np.mean([row[2] - row[1] for row in rows]))
    assert shipped(sets).gain > 0
