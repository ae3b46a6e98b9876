"""An optional cross-encoder that reads question and text together. Off unless `RAG_RERANKER` names a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rag.errors import SettingsError

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

_BATCH = 16


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
