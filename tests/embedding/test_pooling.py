import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rag.embedding.pooling import pool, pool_groups
from rag.types import Matrix


def unit_rows(count: int, seed: int = 3) -> Matrix:
    rows = np.random.default_rng(seed).normal(size=(count, 16)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_one_vector_stays_as_it_is_and_several_give_their_direction() -> None:
    rows = unit_rows(3)
    np.testing.assert_array_equal(pool(rows[:1]), rows[0])
    mean = rows.astype(np.float64).mean(axis=0)
    np.testing.assert_allclose(pool(list(rows)), mean / np.linalg.norm(mean), atol=1e-6)
    assert pool(rows).dtype == np.float32


def test_vectors_that_cancel_out_give_the_first() -> None:
    row = unit_rows(1)[0]
    np.testing.assert_array_equal(pool([row, -row]), row)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=12))
def test_groups_are_pooled_each_by_itself(sizes: list[int]) -> None:
    rows = unit_rows(sum(sizes))
    pooled = pool_groups(rows, sizes)
    assert pooled.shape == (len(sizes), 16)
    start = 0
    for vector, size in zip(pooled, sizes, strict=True):
        np.testing.assert_array_equal(vector, pool(rows[start : start + size]))
        start += size
    np.testing.assert_allclose(np.linalg.norm(pooled, axis=1), 1, atol=1e-6)
