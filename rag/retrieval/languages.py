"""What a signal is worth when question and passages are in different languages: words match nothing there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.types import ScoredPoint

_HEAD = 10
"""Passages of the first dense list that say which languages the answers are in."""


@dataclass(frozen=True, slots=True)
class Say:
    """In how far the signals have a say in one question.

    Attributes:
        dense: A factor in [0, 1] for the share of each dense signal, shape (signals,).
        words: The factor for BM25.
    """

    dense: NDArray[np.float64]
    words: float = 1.0

    def weigh(self, shares: NDArray[np.float64], weight: float) -> tuple[NDArray[np.float64], float]:
        """Return shares that add up to one, and the share of the dense signals together, as this question has them.

        Args:
            shares: Of each dense signal, shape (signals,).
            weight: Share of the dense signals together.
        """
        kept = shares * self.dense
        if not kept.any():
            return shares, weight
        words = (1.0 - weight) * self.words
        return kept / kept.sum(), weight / (weight + words) if weight else weight


def say_of(head: Sequence[ScoredPoint], spoken: str, languages: Sequence[str], matched: float = 1.0) -> Say:
    """Work out the say of BM25, and of models of one language: the best passages tell which languages answer.

    Args:
        head: The best passages by a model that knows all languages.
        spoken: Language of the question; empty when it is not clear, which takes nothing from BM25.
        languages: The one language that the model of each dense signal knows, empty for many.
        matched: Share of the question's weight that the index has words for; BM25 knows nothing of the rest.
    """
    found = [point.payload.chunk.spoken for point in head[:_HEAD]]
    counts = Counter(language for language in found if language)

    def part(language: str) -> float:
        return counts[language] / counts.total() if language and counts else 1.0

    return Say(np.array([part(language) for language in languages]), part(spoken) * matched)
