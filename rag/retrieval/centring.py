"""Taking out the common part of questions: a text that is near to many questions is less of an answer to one.

Questions share a direction that is not the documents' one, so some texts are near to whatever is asked. How near a text
is to the questions asked before says how far its score is owed to that; half of it is taken off. No labels are
needed, and nothing changes in the index. Before the first question, nothing is taken off.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rag.types import Matrix, ScoredPoint, Vector

SIZE = 256
"""Questions that are remembered: an even sample of all that were asked."""
STRENGTH = 0.5
SHARE = 0.1
"""A text is compared with the nearest tenth of the questions."""
PATIENCE = 10
"""Questions after which half of the strength is in force."""
_SAME = 0.9999


def discounts(questions: Matrix, documents: Matrix) -> NDArray[np.float32]:
    """Work out how much to take off the cosine of each document.

    Args:
        questions: Earlier questions, shape (questions, dimension).
        documents: Shape (documents, dimension).

    Returns:
        Shape (documents,): the mean cosine with the nearest tenth of the questions, times a strength that grows from 0
        to `STRENGTH` with their number.

    Source:
        Cross-domain similarity local scaling, Conneau et al. 2018, with a share in place of a count.
    """
    count = len(questions)
    if count == 0:
        return np.zeros(len(documents), np.float32)
    nearest = math.ceil(SHARE * count)
    cosines = np.partition(documents @ questions.T, count - nearest, axis=1)[:, count - nearest :]
    strength = STRENGTH * count / (count + PATIENCE)
    return np.asarray(strength * cosines.mean(axis=1), dtype=np.float32)


class QuestionMemory:
    """An even sample of the questions asked of one index in one workspace. Safe to call from many threads."""

    def __init__(self) -> None:
        self._questions: list[Vector] = []
        self._asked = 0
        self._lock = threading.Lock()

    @property
    def asked(self) -> int:
        """Questions seen so far, repeated ones left out."""
        return self._asked

    def add(self, question: Vector) -> None:
        """Remember a question, or leave it out: each one asked is kept with the same chance. A repeat is left out."""
        with self._lock:
            if self._questions and float(np.max(np.stack(self._questions) @ question)) > _SAME:
                return
            self._asked += 1
            if len(self._questions) < SIZE:
                self._questions.append(question)
                return
            slot = int(np.random.default_rng(self._asked).integers(self._asked))
            if slot < SIZE:  # reservoir sampling: every question so far stays with the same chance
                self._questions[slot] = question

    def discounts(self, points: Sequence[ScoredPoint]) -> dict[str, float]:
        """Work out how much to take off each point's cosine, by point id; points without a vector are left out."""
        with self._lock:
            questions = list(self._questions)
        vectors = {point.id: point.vector for point in points if point.vector is not None}
        if not questions or not vectors:
            return {}
        lowered = discounts(np.stack(questions), np.stack(list(vectors.values())))
        return dict(zip(vectors, lowered.tolist(), strict=True))
