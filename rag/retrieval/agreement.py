"""How far the signals of an index agree with each other over some questions: what its shares go by without labels.

Where two models that err differently find the same passages, they can be trusted; where they part, words can.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.recipes import DENSE, SECOND
from rag.retrieval.fusion import Mixture

TEN = 10
"""Passages of each list that are compared."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Means over questions, each in [0, 1] or a cosine.

    Attributes:
        words: Share of BM25's ten that are among the ten of the first model.
        models: Share of the first model's ten that are among the ten of the second.
        cosine: Cosine of the second model's best passage.
    """

    words: float
    models: float
    cosine: float

    @property
    def values(self) -> NDArray[np.float64]:
        """The three in order, shape (3,)."""
        return np.array([self.words, self.models, self.cosine])


def agreement_of(mixtures: Sequence[Mixture], first: str = DENSE, second: str = SECOND) -> tuple[Agreement, int]:
    """Average over the questions that both models have an opinion on.

    Args:
        mixtures: The candidates of each question.
        first: Name of the signal of the model in force.
        second: Name of the signal of the second model.

    Returns:
        The means, and how many questions they are of; all 0 for none.
    """
    rows = [_of_one(mixture, first, second) for mixture in mixtures if {first, second} <= set(mixture.signals)]
    if not rows:
        return Agreement(0.0, 0.0, 0.0), 0
    words, models, cosine = np.mean(rows, axis=0)
    return Agreement(float(words), float(models), float(cosine)), len(rows)


def _of_one(mixture: Mixture, first: str, second: str) -> tuple[float, float, float]:
    tens = [_ten(mixture.dense[mixture.signals.index(name)]) for name in (first, second)]
    return len(_ten(mixture.words) & tens[0]) / TEN, len(tens[0] & tens[1]) / TEN, mixture.best(second)


def _ten(column: NDArray[np.float64]) -> set[int]:
    """The rows of the ten highest values; rows that a list lacks have none."""
    order = np.argsort(-column, kind="stable")[:TEN]
    return {int(row) for row in order if column[row] > 0}
