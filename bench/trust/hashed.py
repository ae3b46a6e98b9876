"""A library on an embedder without weights, so that an attack takes a moment and not the model's time."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rag import Rag
from rag.settings import load_settings
from rag.types import Matrix


@dataclass(frozen=True, slots=True)
class HashedWords:
    """Vectors that are counts of hashed words.

    Attributes:
        dimension: Length of a vector.
        precision: What it says that it computes in.
        mirrored: True for another model behind the same name: the same numbers in another order.
    """

    dimension: int = 64
    precision: str = "float32"
    mirrored: bool = False
    max_tokens: int = 512

    def encode(self, texts: Sequence[str]) -> Matrix:
        """One row a text, of length one."""
        rows = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in text.lower().split():
                row[hashlib.blake2b(word.encode(), digest_size=2).digest()[0] % self.dimension] += 1.0
            row /= np.linalg.norm(row) or 1.0
        return rows[:, ::-1] if self.mirrored else rows

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        """Spans of the words."""
        spans, start = [], 0
        for word in text.split():
            start = text.index(word, start)
            spans.append((start, start + len(word)))
            start += len(word)
        return spans


def opened(data: Path, embedder: HashedWords | None = None, **options: object) -> Rag:
    """Open a data folder."""
    settings = load_settings(data_dir=data, **options)
    return Rag(settings, embedder=embedder or HashedWords())
