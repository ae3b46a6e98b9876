"""Vectors of chunks: looked up by content where they exist, embedded where they do not."""

from __future__ import annotations

import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence

from rag.embedding import TaskEmbeddings
from rag.embedding.pooling import pool
from rag.types import Matrix, Mode, Recipe, Vector, VectorIndex

ENCODE_TEXTS = 64
"""Texts in one call to the model: enough to keep it busy, few enough to stop soon."""
_RECENT = 2048

Vectors = Mapping[Mode, Vector]


def vector_key(recipe: Recipe) -> str:
    """Hash of what turns an input into a vector: the recipe without the task, the question's side and the chunking."""
    parts = (recipe.model, recipe.revision, recipe.precision, recipe.pooling, recipe.normalised, recipe.dimension)
    return hashlib.sha256(json.dumps([*parts, recipe.document_prompt]).encode()).hexdigest()


def content_hash(key: str, inputs: Sequence[str]) -> str:
    """Content address of a chunk's vectors: equal for equal inputs and an equal `vector_key`."""
    return hashlib.blake2b(json.dumps([key, *inputs]).encode(), digest_size=16).hexdigest()


class Vectoriser:
    """Finds or makes the vectors of chunks.

    Args:
        encoders: What embeds documents, by mode. Modes with one and the same prompt are embedded once.
        indexes: Where vectors may exist already, the likeliest first.
        workspace: Only this tenant's vectors are reused.
        tick: Called after each call to the model; it may raise to stop.
    """

    def __init__(
        self,
        encoders: Mapping[Mode, TaskEmbeddings],
        indexes: Sequence[VectorIndex],
        workspace: str,
        tick: Callable[[], None],
    ) -> None:
        self._encoders = encoders
        self._indexes = indexes
        self._workspace = workspace
        self._tick = tick
        self._recent: OrderedDict[str, dict[Mode, Vector]] = OrderedDict()
        self.embed_seconds = 0.0
        self.lookup_seconds = 0.0

    def __call__(self, wanted: Mapping[str, Sequence[str]]) -> tuple[dict[str, Vectors], set[str]]:
        """Vectors of chunks given as inputs by content hash, in every mode.

        Returns:
            Vectors by content hash, and the hashes that had to be embedded.
        """
        known = self._known(wanted)
        embedded: set[str] = set()
        prompts = {encoder.document_prompt: encoder for encoder in self._encoders.values()}
        for prompt, encoder in prompts.items():
            modes = [mode for mode, other in self._encoders.items() if other.document_prompt == prompt]
            missing = {c: inputs for c, inputs in wanted.items() if not all(mode in known[c] for mode in modes)}
            embedded |= missing.keys()
            rows = self._encode(encoder, (text for inputs in missing.values() for text in inputs))
            for content, inputs in missing.items():
                vector = pool([rows[text] for text in inputs])
                known[content] |= dict.fromkeys(modes, vector)
        self._remember(known)
        return {content: {mode: known[content][mode] for mode in self._encoders} for content in wanted}, embedded

    def _known(self, wanted: Mapping[str, object]) -> dict[str, dict[Mode, Vector]]:
        started = time.perf_counter()
        known = {content: dict(self._recent.get(content, {})) for content in wanted}
        for index in self._indexes:
            missing = [content for content, vectors in known.items() if len(vectors) < len(self._encoders)]
            if missing:
                for content, vectors in index.vectors_by_content(self._workspace, missing).items():
                    known[content] = {**vectors, **known[content]}
        self.lookup_seconds += time.perf_counter() - started
        return known

    def _encode(self, encoder: TaskEmbeddings, texts: Iterable[str]) -> dict[str, Vector]:
        """Each text once, neighbours of about one length."""
        ordered = sorted(set(texts), key=lambda text: (len(text), text))
        rows: dict[str, Vector] = {}
        for start in range(0, len(ordered), ENCODE_TEXTS):
            batch = ordered[start : start + ENCODE_TEXTS]
            started = time.perf_counter()
            matrix: Matrix = encoder.documents(batch)
            self.embed_seconds += time.perf_counter() - started
            rows.update(zip(batch, matrix, strict=True))
            self._tick()
        return rows

    def _remember(self, known: Mapping[str, dict[Mode, Vector]]) -> None:
        """Keep the last ones: their points may not be in the index yet."""
        self._recent.update(known)
        while len(self._recent) > _RECENT:
            self._recent.popitem(last=False)
