"""From how far the signals of an index agree to the dense share that suits it: what `bench.choose --shares` fitted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rag.retrieval.agreement import Agreement

LIMIT = 0.25
"""Largest move that a prediction may ask for."""
SHRINKAGE = 0.5
"""Share of it that is made: the fit has seen few corpora."""


@dataclass(frozen=True, slots=True)
class Coefficients:
    """A ridge regression from an agreement to the best dense share, relative to the task's own.

    Attributes:
        constant: Value where all of the agreement is 0.
        words: Slope by `Agreement.words`.
        models: Slope by `Agreement.models`.
        cosine: Slope by `Agreement.cosine`.
        gain: Mean nDCG@10 that calibrated shares gained on judged sets, each left out of the fit in turn.
    """

    constant: float
    words: float
    models: float
    cosine: float
    gain: float = 0.0

    def move(self, agreement: Agreement) -> float:
        """Return how much to add to the dense share of the task."""
        wanted = self.constant + float(np.dot((self.words, self.models, self.cosine), agreement.values))
        return SHRINKAGE * max(-LIMIT, min(LIMIT, wanted))


MADE = Coefficients(constant=-0.105, words=-0.477, models=0.098, cosine=0.315, gain=-0.0013)
"""For questions made of an index's passages. On nine sets it does not pay: see docs/tried.md."""
ASKED = Coefficients(constant=-0.459, words=-0.477, models=0.853, cosine=0.263, gain=-0.0004)
"""For questions that people asked. On nine sets it does not pay either."""
