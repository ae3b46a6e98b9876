"""Several vectors of one text as one: the mean, brought to length one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rag.types import Matrix, Vector


def pool(rows: Sequence[Vector] | Matrix) -> Vector:
    """Return the direction of the mean of some vectors.

    Args:
        rows: At least one vector, shape (texts, dimension).

    Returns:
        A vector of length one; a single row as it is; the first row when the rows cancel out.
    """
    if len(rows) == 1:
        return rows[0]
    total: Vector = np.sum(rows, axis=0, dtype=np.float32)  # its length cancels out, so there is no need to divide
    length = float(np.linalg.norm(total))
    return total / np.float32(length) if length > 0 else rows[0]


def pool_groups(rows: Matrix, sizes: Sequence[int]) -> Matrix:
    """Pool consecutive rows, group by group.

    Args:
        rows: Shape (texts, dimension).
        sizes: Rows of each group, at least one each; they add up to all rows.

    Returns:
        Shape (groups, dimension); `rows` itself when every group has one row.
    """
    if len(sizes) == len(rows):
        return rows
    ends = np.cumsum(sizes)
    return np.stack([pool(rows[end - size : end]) for size, end in zip(sizes, ends, strict=True)])
