"""Real, small implementations of the package's Protocols: no network, no weights, the same result every time."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np

from rag.types import Matrix

_WORD = re.compile(r"\w+")
_SUFFIXES = ("ing", "ed", "es", "s")


class FakeEmbedder:
    """A hashed bag of stemmed words: texts that share words are close, so ranking tests mean something.

    Args:
        dimension: Length of a vector.
        max_tokens: Words a text may have, two special ones included; the rest is cut.

    Attributes:
        seen: The exact texts that reached `encode`, in order, over all calls.
        calls: Number of texts in each call to `encode`.
    """

    def __init__(self, dimension: int = 64, max_tokens: int = 512) -> None:
        self._dimension = dimension
        self._max_tokens = max_tokens
        self.seen: list[str] = []
        self.calls: list[int] = []

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._dimension

    @property
    def max_tokens(self) -> int:
        """Longest text in words, two special ones included."""
        return self._max_tokens

    @property
    def precision(self) -> str:
        """What the fake computes in."""
        return "float32"

    def encode(self, texts: Sequence[str]) -> Matrix:
        """One row a text: counts of hashed stems, length one; a text without words has its own direction."""
        self.seen.extend(texts)
        self.calls.append(len(texts))
        rows = np.zeros((len(texts), self._dimension), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in _WORD.findall(text.lower())[: self._max_tokens - 2] or [""]:
                slot, sign = _slot(_stem(word), self._dimension)
                row[slot] += sign
            if not row.any():
                row[0] = 1.0
            row /= np.linalg.norm(row)
        return rows

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        """Spans of the words."""
        return [match.span() for match in _WORD.finditer(text)]


def _stem(word: str) -> str:
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            return word[: -len(suffix)]
    return word


def _slot(word: str, dimension: int) -> tuple[int, float]:
    digest = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little")
    return digest % dimension, 1.0 if (digest >> 32) & 1 else -1.0
