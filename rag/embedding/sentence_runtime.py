"""Any sentence-transformers model: a hub id or a local folder."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rag.embedding.batching import plan_batches
from rag.errors import EmbeddingError
from rag.models import EmbeddingModel
from rag.types import Matrix

TOKEN_BUDGET = 8192
"""Tokens that are computed at once, padding included."""
_DEFAULT_MAX_TOKENS = 512


class SentenceTransformerEmbedder:
    """Embeds exact texts with a loaded `SentenceTransformer`; prompts in the model's configuration are not used.

    Args:
        model: A `sentence_transformers.SentenceTransformer`.
        max_tokens: Longest text in tokens; 0 means the model's own limit.
        prompts: Prompts that texts may begin with. A model that leaves its prompt out of the pooling (INSTRUCTOR) has
            to know where the prompt ends; the text that reaches it stays the same.
    """

    def __init__(self, model: Any, max_tokens: int = 0, prompts: Sequence[str] = ()) -> None:
        self._model = model
        limits = [limit for limit in (int(model.max_seq_length or 0), max_tokens) if limit]
        self._max_tokens = min(limits, default=_DEFAULT_MAX_TOKENS)
        model.max_seq_length = self._max_tokens
        self._dimension = int(model.get_embedding_dimension())
        leaves_out = any(not getattr(module, "include_prompt", True) for module in model)
        self._prompts = sorted({p for p in prompts if p}, key=len, reverse=True) if leaves_out else []
        self._lock = threading.Lock()  # tokenizers of transformers are not safe to share

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._dimension

    @property
    def max_tokens(self) -> int:
        """Longest text in tokens, special tokens included."""
        return self._max_tokens

    @property
    def precision(self) -> str:
        """The type of the model's weights, e.g. `float32`."""
        return str(next(self._model.parameters()).dtype).removeprefix("torch.")

    def encode(self, texts: Sequence[str]) -> Matrix:
        """Embed texts exactly as given; rows have length one."""
        vectors = np.empty((len(texts), self._dimension), dtype=np.float32)
        for prompt, members in self._by_prompt(texts).items():
            rests = [texts[i][len(prompt) :] for i in members]
            for batch in plan_batches(self._lengths(rests), TOKEN_BUDGET):
                with self._lock:
                    rows = self._model.encode(
                        [rests[i] for i in batch],
                        prompt=prompt,
                        batch_size=len(batch),
                        normalize_embeddings=True,
                        show_progress_bar=False,
                    )
                vectors[[members[i] for i in batch]] = rows
        return vectors

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        """Return the character spans of the text's tokens."""
        tokenizer = self._model.tokenizer
        with self._lock:
            encoding = tokenizer(text, return_offsets_mapping=True, add_special_tokens=False, truncation=False)
        return [(int(start), int(end)) for start, end in encoding["offset_mapping"]]

    def _by_prompt(self, texts: Sequence[str]) -> dict[str, list[int]]:
        """Group the positions of texts by the prompt they begin with, the longest that fits."""
        groups: dict[str, list[int]] = {}
        for index, text in enumerate(texts):
            prompt = next((p for p in self._prompts if text.startswith(p)), "")
            groups.setdefault(prompt, []).append(index)
        return groups

    def _lengths(self, texts: Sequence[str]) -> list[int]:
        with self._lock:
            encoding = self._model.tokenizer(list(texts), truncation=True, max_length=self._max_tokens)
        return [len(ids) for ids in encoding["input_ids"]]


def open_sentence_transformer(
    model: EmbeddingModel, threads: int = 0, prompts: Sequence[str] = ()
) -> SentenceTransformerEmbedder:
    """Load a model from the hub, its cache, or a folder.

    Raises:
        EmbeddingError: It cannot be loaded; the message names what to do without a network.
    """
    try:
        import torch
        from sentence_transformers import SentenceTransformer
    except ImportError as exc:
        raise EmbeddingError(
            f"The model {model.id!r} needs sentence-transformers: {exc}. "
            "Install it with `pip install sentence-transformers`."
        ) from exc
    if threads:
        torch.set_num_threads(threads)
    revision = None if Path(model.id).is_dir() else model.revision or None
    try:
        loaded = SentenceTransformer(model.id, revision=revision, trust_remote_code=model.trust_remote_code)
    except (OSError, ValueError, RuntimeError, ImportError, KeyError) as exc:
        reason = (str(exc).strip() or type(exc).__name__).splitlines()[0]
        raise EmbeddingError(
            f"The embedding model {model.id!r} cannot be loaded: {reason}. Without a network, copy the model's folder "
            "here and set RAG_MODEL to its path (RAG_MODEL_FAMILY for its prompts), set RAG_EMBEDDINGS_BASE_URL to an "
            "endpoint that serves it, or unset RAG_MODEL for the bundled model, which needs no download."
        ) from exc
    return SentenceTransformerEmbedder(loaded.eval(), model.max_tokens, prompts)
