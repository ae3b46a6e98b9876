import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rag.embedding.batching import padded_share, plan_batches

LENGTHS = st.lists(st.integers(1, 512), max_size=200)


@given(LENGTHS, st.integers(1, 4096))
def test_every_text_is_in_one_batch_and_no_batch_is_over_the_budget(lengths: list[int], budget: int) -> None:
    batches = plan_batches(lengths, budget)
    assert sorted(int(i) for batch in batches for i in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(lengths[i] for i in batch) <= budget


def test_texts_of_like_length_share_a_batch() -> None:
    lengths = [500, 20, 480, 22, 21]
    assert [sorted(int(i) for i in batch) for batch in plan_batches(lengths, 1000)] == [[0, 2], [1, 3, 4]]


def test_sorting_leaves_little_padding() -> None:
    lengths = np.random.default_rng(7).integers(20, 500, 1000).tolist()
    unsorted = [np.arange(start, min(start + 16, 1000)) for start in range(0, 1000, 16)]
    assert padded_share(lengths, plan_batches(lengths, 4096)) < 0.02
    assert padded_share(lengths, unsorted) > 0.4


def test_nothing_gives_no_batch() -> None:
    assert plan_batches([], 100) == []
    assert padded_share([], []) == 0.0
