"""A bundled model at work: tokenizer, memory-mapped word embedding, and an encoder in OpenVINO or torch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rag.embedding.batching import plan_batches
from rag.turns import TURNS
from rag.types import Matrix

TOKEN_BUDGET = 1024
"""Tokens in a batch, padding included: its activations stay in the processor's cache."""
WINDOW = 2048
"""Texts that are sorted by length together; the next window is tokenised while this one is computed."""


class Tokenizer(Protocol):
    """Text to ids. Safe to call from many threads."""

    def encode(self, text: str) -> list[int]:
        """Return the ids of the text's pieces, without special tokens, uncut."""
        ...

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Return the spans `(start, end)` of the pieces in the text, in order."""
        ...


class Encoder(Protocol):
    """The part of the model after the word embedding. Safe to call from many threads."""

    @property
    def workers(self) -> int:
        """Batches that it computes at the same time."""
        ...

    def run(self, states: NDArray[np.float32], mask: NDArray[np.float32], *, can_wait: bool = False) -> Matrix:
        """Return the mean over the tokens of the last hidden states, shape (texts, width).

        Args:
            states: Word, position and type embeddings summed, shape (texts, tokens, width).
            mask: 1 for a token, 0 for padding, shape (texts, tokens).
            can_wait: True for documents: work on questions, in other threads, is done first.
        """
        ...


@dataclass(frozen=True, slots=True)
class Frontend:
    """The part of the model before the encoder.

    Attributes:
        tokenizer: Text to ids.
        words: Word embedding as stored, memory-mapped: that of E5 would take 384 MB as float32.
        decode: Stored rows of it to float32, shape (rows, width).
        positions: Position plus type embedding, shape (positions, width).
        bos: Id in front of every text.
        eos: Id after every text.
    """

    tokenizer: Tokenizer
    words: NDArray[Any]
    decode: Callable[[NDArray[Any]], NDArray[np.float32]]
    positions: NDArray[np.float32]
    bos: int
    eos: int

    def ids(self, texts: Sequence[str]) -> list[NDArray[np.int32]]:
        """Return the ids of texts with special tokens, cut to the model's limit."""
        contents = []
        for text in texts:
            TURNS.give_way()
            contents.append(self.tokenizer.encode(text))
        limit = len(self.positions) - 2
        return [np.array([self.bos, *content[:limit], self.eos], dtype=np.int32) for content in contents]

    def states(self, batch: Sequence[NDArray[np.int32]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the inputs of the encoder: states (texts, tokens, width) and mask (texts, tokens)."""
        lengths = np.array([len(ids) for ids in batch])
        longest = int(lengths.max())
        mask = np.arange(longest) < lengths[:, None]
        states = np.zeros((len(batch), longest, self.positions.shape[1]), dtype=np.float32)
        states[mask] = self.decode(self.words[np.concatenate(batch)])
        states += self.positions[:longest]
        return states, mask.astype(np.float32)


class BundledEmbedder:
    """A bundled model, without a download. Safe to call from many threads.

    Args:
        frontend: Tokenizer and word embedding.
        encoder: The rest of the model.
        precision: Number format of the encoder.
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
        """Number format of the encoder, as a part of the recipe."""
        return self._precision

    def encode(self, texts: Sequence[str]) -> Matrix:
        """Embed texts exactly as given; rows have length one. Questions go first, between two batches of others."""
        can_wait = not TURNS.asking
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        pending: list[Future[None]] = []
        for start in range(0, len(texts), WINDOW):
            tokens = self._frontend.ids(texts[start : start + WINDOW])
            rows = vectors[start : start + WINDOW]
            if len(texts) == 1 or len(texts) * max(map(len, tokens)) <= TOKEN_BUDGET:
                # One batch, as a question is: nothing to group, and no other thread to wait for.
                self._fill(rows, tokens, np.arange(len(texts)), can_wait)
                return vectors
            batches = plan_batches([len(ids) for ids in tokens], TOKEN_BUDGET)
            previous, pending = pending, [self._pool.submit(self._fill, rows, tokens, b, can_wait) for b in batches]
            _wait(previous)
        _wait(pending)
        return vectors

    def _fill(self, rows: Matrix, tokens: Sequence[NDArray[np.int32]], batch: NDArray[np.intp], can_wait: bool) -> None:
        """Compute the vectors of one batch into their rows."""
        if can_wait:
            TURNS.give_way()
        pooled = self._encoder.run(*self._frontend.states([tokens[i] for i in batch]), can_wait=can_wait)
        rows[batch] = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        """Return the character spans of the text's tokens."""
        TURNS.give_way()
        return self._frontend.tokenizer.offsets(text)


def _wait(futures: Iterable[Future[None]]) -> None:
    """Wait for batches and raise the error of the first that failed."""
    for future in futures:
        future.result()
