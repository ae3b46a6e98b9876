"""Vectors of exact texts, kept on disk by what made them, so that a second run embeds nothing."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from rag.evaluation.files import write_output
from rag.evaluation.hashing import digest
from rag.jobs import Meter
from rag.models import EmbeddingModel
from rag.types import Embedder, Matrix, Vector

_BLOCK = 256


class VectorCache:
    """Embeds lists of texts in blocks; each block is one file, named by the hash of the model and the texts.

    Args:
        embedder: Runtime that embeds exact texts.
        model: Says which weights they are.
        folder: Where blocks are kept; None keeps nothing.
    """

    def __init__(self, embedder: Embedder, model: EmbeddingModel, folder: Path | None) -> None:
        self._embedder = embedder
        self.identity = (
            model.id, model.revision, model.pooling, embedder.precision, embedder.dimension, embedder.max_tokens,
        )  # fmt: skip
        self._folder = folder

    def missing(self, texts: Sequence[str]) -> list[str]:
        """The texts that `encode` would have to embed."""
        return [text for block in _blocks(texts) if not self._kept(block) for text in block]

    def encode(self, texts: Sequence[str], meter: Meter | None = None) -> Matrix:
        """Vectors of the texts as given, shape (texts, dimension); each text is embedded once.

        Args:
            texts: Exact texts, prompts included.
            meter: Told of each distinct text, weighed by its length; may stop the work, and finished blocks stay.
        """
        row: dict[str, Vector] = {}
        for block in _blocks(texts):
            row.update(zip(block, self._block(block), strict=True))
            if meter is not None:
                meter.step(len(block), weight=float(sum(map(len, block))))
        return np.stack([row[text] for text in texts]) if texts else np.zeros((0, self._embedder.dimension), np.float32)

    def _path(self, block: Sequence[str]) -> Path | None:
        return None if self._folder is None else self._folder / f"{digest(self.identity, list(block))}.npy"

    def _kept(self, block: Sequence[str]) -> bool:
        path = self._path(block)
        return path is not None and path.is_file()

    def _block(self, block: Sequence[str]) -> Matrix:
        path = self._path(block)
        if path is not None and path.is_file():
            kept = _read(path, (len(block), self._embedder.dimension))
            if kept is not None:
                return kept
        vectors = self._embedder.encode(block)
        if path is not None:
            stream = io.BytesIO()
            np.save(stream, vectors)
            write_output(path, stream.getvalue())
        return vectors


def _blocks(texts: Sequence[str]) -> Iterator[list[str]]:
    """Distinct texts, neighbours of about one length."""
    ordered = sorted(set(texts), key=lambda text: (len(text), text))
    for start in range(0, len(ordered), _BLOCK):
        yield ordered[start : start + _BLOCK]


def _read(path: Path, shape: tuple[int, int]) -> Matrix | None:
    """A kept block, or None when the file is damaged, so that it is made again."""
    try:
        vectors = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return np.asarray(vectors, np.float32) if vectors.shape == shape else None


class KnownTexts:
    """An `Embedder` that knows some vectors already and asks another one for the rest."""

    def __init__(self, embedder: Embedder, known: Mapping[str, Vector]) -> None:
        self._embedder = embedder
        self._known = known

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._embedder.dimension

    @property
    def max_tokens(self) -> int:
        """Longest text in tokens."""
        return self._embedder.max_tokens

    @property
    def precision(self) -> str:
        """What the runtime computes in."""
        return self._embedder.precision

    def encode(self, texts: Sequence[str]) -> Matrix:
        """Embed texts exactly as given; only unknown ones reach the model."""
        unknown = [text for text in dict.fromkeys(texts) if text not in self._known]
        found = dict(zip(unknown, self._embedder.encode(unknown), strict=True)) if unknown else {}
        rows = [self._known[text] if text in self._known else found[text] for text in texts]
        return np.stack(rows) if rows else np.zeros((0, self.dimension), np.float32)

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        """Character spans of the text's tokens."""
        return self._embedder.token_offsets(text)
