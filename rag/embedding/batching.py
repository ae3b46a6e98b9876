"""Group texts for a model by length, so that little is computed on padding."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def plan_batches(lengths: Sequence[int], budget: int) -> list[NDArray[np.intp]]:
    """Group texts of similar length so that no padded batch is over the budget.

    Args:
        lengths: Tokens of each text.
        budget: Most tokens in a batch, padding included; a longer text is a batch of its own.

    Returns:
        Positions in `lengths`, longest texts first; every position occurs once.
    """
    order = np.argsort(-np.asarray(lengths, dtype=np.int64), kind="stable")
    batches = []
    start = 0
    while start < len(order):
        rows = max(1, budget // max(1, int(lengths[order[start]])))
        batches.append(order[start : start + rows])
        start += rows
    return batches


def padded_share(lengths: Sequence[int], batches: Sequence[NDArray[np.intp]]) -> float:
    """Return the share of the computed tokens that are padding, in [0, 1)."""
    computed = sum(len(batch) * max(lengths[i] for i in batch) for batch in batches)
    return 1.0 - sum(lengths) / computed if computed else 0.0
