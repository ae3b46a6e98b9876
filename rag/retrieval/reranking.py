"""An optional cross-encoder that reads question and text together. Off unless `RAG_RERANKER` names a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rag.errors import SettingsError
from rag.retrieval.fusion import Fused
from rag.types import Reranker

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

RERANKED = 30
"""How many of the first hits a reranker reads."""
_BATCH = 16


def rerank(reranker: Reranker, question: str, ranking: list[Fused]) -> list[Fused]:
    """Order the first hits of a ranking by the reranker's scores; the rest stays behind them as it is."""
    head, tail = ranking[:RERANKED], ranking[RERANKED:]
    if not head:
        return ranking
    scores = reranker.scores(question, [fused.point.payload.chunk.text for fused in head])
    rescored = [
        Fused(fused.point, score, {**fused.scores, "reranker": score})
        for fused, score in zip(head, scores, strict=True)
    ]
    return sorted(rescored, key=lambda fused: (-fused.score, fused.point.id)) + tail


class CrossEncoderReranker:
    """Any sentence-transformers cross-encoder, loaded on first use.

    Args:
        model: Hub id or local folder.
    """

    def __init__(self, model: str) -> None:
        self._name = model
        self._model: CrossEncoder | None = None

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        """Relevance of each text to the question, higher is better.

        Raises:
            SettingsError: The model cannot be loaded.
        """
        if self._model is None:
            self._model = self._load()
        values = self._model.predict([(question, text) for text in texts], batch_size=_BATCH, show_progress_bar=False)
        return [float(value) for value in values]

    def _load(self) -> CrossEncoder:
        from sentence_transformers import CrossEncoder

        try:
            model: CrossEncoder = CrossEncoder(self._name)
        except (OSError, ValueError) as exc:
            raise SettingsError(
                f"The reranker {self._name!r} cannot be loaded ({type(exc).__name__}). Expected a cross-encoder on the "
                "hub or in a local folder: correct RAG_RERANKER, or unset it."
            ) from exc
        return model
