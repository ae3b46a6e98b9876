"""Vectors of exact texts, kept on disk by what made them, so that a second run embeds nothing."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from rag.evaluation.files import write_output
from rag.evaluation.hashing import digest
from rag.jobs import Meter
from rag.models import EmbeddingModel
from rag.types import Embedder, Matrix, Vector

_BLOCK_TEXTS = 256


class VectorCache:
    """Embeds lists of texts in blocks; each block is one file, named by the hash of the model and the texts.

    Args:
        embedder: Runtime that embeds exact texts.
        model: Names the weights.
        folder: Where blocks are kept.
    """

    def __init__(self, embedder: Embedder, model: EmbeddingModel, folder: Path) -> None:
        self._embedder = embedder
        self.identity = (
            model.id, model.revision, model.pooling, embedder.precision, embedder.dimension, embedder.max_tokens,
        )  # fmt: skip
        self._folder = folder

    def missing(self, texts: Sequence[str]) -> list[str]:
        """The texts that `encode` would have to embed."""
        return [text for block in _blocks(texts) if not self._path(block).is_file() for text in block]

    def encode(self, texts: Sequence[str], meter: Meter) -> Matrix:
        """Embed texts exactly as they are, each distinct one once; shape (texts, dimension).

        Args:
            texts: Exact texts, prompts included.
            meter: Told of each distinct text, weighed by its length; may stop the work, and finished blocks stay.
        """
        vectors: dict[str, Vector] = {}
        for block in _blocks(texts):
            vectors.update(zip(block, self._encode_block(block), strict=True))
            meter.step(len(block), weight=float(sum(map(len, block))))
        return np.stack([vectors[text] for text in texts])

    def _path(self, block: Sequence[str]) -> Path:
        return self._folder / f"{digest(self.identity, list(block))}.npy"

    def _encode_block(self, block: Sequence[str]) -> Matrix:
        path = self._path(block)
        cached = _read(path, (len(block), self._embedder.dimension))
        if cached is not None:
            return cached
        vectors = self._embedder.encode(block)
        stream = io.BytesIO()
        np.save(stream, vectors)
        write_output(path, stream.getvalue())
        return vectors


def _blocks(texts: Sequence[str]) -> Iterator[list[str]]:
    """Blocks of distinct texts, neighbours of about one length."""
    ordered = sorted(set(texts), key=lambda text: (len(text), text))
    for start in range(0, len(ordered), _BLOCK_TEXTS):
        yield ordered[start : start + _BLOCK_TEXTS]


def _read(path: Path, shape: tuple[int, int]) -> Matrix | None:
    """Read a block; None when it is absent or damaged, so that it is made again."""
    try:
        vectors = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return np.asarray(vectors, np.float32) if vectors.shape == shape else None
