"""The parts that every run uses, in one value."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rag.evaluation.run.vectors import VectorCache
from rag.evaluation.stats.resampling import RESAMPLES
from rag.jobs import Meter, OnProgress
from rag.models import EmbeddingModel
from rag.settings import Settings
from rag.types import Embedder, Reranker

CACHE = Path("cache") / "evaluation"
"""Folder of vectors and rankings inside the data folder; it may be removed at any time."""
_STOPPED = "The evaluation was stopped; vectors made so far are kept for the next run."


@dataclass(frozen=True, slots=True)
class EvaluationContext:
    """The product's parts as an evaluation uses them.

    Attributes:
        settings: Model, prompts, strategy and data folder.
        embedder: The model in force.
        others: The other models of the recipes, by id.
        reranker: For systems with `+rerank` behind their name.
        meter: Counts every step and stops the work when asked to.
        resamples: Of the bootstrap and of the randomisation test.
    """

    settings: Settings
    embedder: Embedder
    reranker: Reranker | None = None
    meter: Meter = field(default_factory=Meter)
    resamples: int = RESAMPLES
    others: Mapping[str, Embedder] = field(default_factory=dict)

    @property
    def vectors(self) -> VectorCache:
        """Embeds exact texts by the model in force and keeps their vectors in the data folder."""
        return self.vectors_of(self.settings.embedding_model)

    def vectors_of(self, model: EmbeddingModel) -> VectorCache:
        """Embeds exact texts by a model and keeps their vectors in the data folder."""
        embedder = self.embedder if model.id == self.settings.embedding_model.id else self.others[model.id]
        return VectorCache(embedder, model, self.cache / "vectors")

    @property
    def cache(self) -> Path:
        """Folder of vectors and rankings."""
        return self.settings.data_dir / CACHE


def evaluation_meter(progress: OnProgress | None = None, cancel: threading.Event | None = None) -> Meter:
    """A meter whose message, when the work is stopped, says what is kept."""
    return Meter(progress, cancel, _STOPPED)
