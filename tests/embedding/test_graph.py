import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.embedding.bundles import BUNDLES
from rag.embedding.graph import Rounding, input_of, load_ranges, round_matrix, round_pairs

SEEDS = st.integers(0, 2**32 - 1)


def matrix(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.standard_normal((8, 32)) ** 3).astype(np.float32)


@pytest.mark.parametrize("rounding", [round_matrix, round_pairs])
@given(SEEDS)
def test_a_rounded_matrix_is_within_half_a_step(rounding: Rounding, seed: int) -> None:
    steps, scale = rounding(matrix(seed))
    assert steps.min() >= -127
    assert (np.abs(steps * scale - matrix(seed)) <= 0.5001 * scale).all()


@given(SEEDS)
def test_two_neighbours_fit_sixteen_bits_at_the_largest_input(seed: int) -> None:
    steps = np.abs(round_pairs(matrix(seed))[0].astype(int))
    assert 255 * (steps[:, ::2] + steps[:, 1::2]).max() <= 2**15 - 1


def test_a_row_of_zeros_stays_one() -> None:
    for rounding in (round_matrix, round_pairs):
        assert not rounding(np.zeros((2, 4), np.float32))[0].any()


@pytest.mark.parametrize("model", BUNDLES)
def test_every_range_is_of_an_input_and_wide_enough(model: str) -> None:
    layers = BUNDLES[model].read().sizes.layers
    ranges = load_ranges(BUNDLES[model].ranges)
    assert {name.partition(".")[0] for name in ranges} == {f"l{layer}" for layer in range(layers)}
    for name, limits in ranges.items():
        assert input_of(name) == name
        assert limits.low < 0 < limits.high
        assert limits.smoothing.min() > 0
