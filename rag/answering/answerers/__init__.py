"""Who writes the answer. One file per provider; `open_answerer` picks by the settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rag.errors import SettingsError
from rag.settings import Settings
from rag.types import Answerer, Matrix


def open_answerer(settings: Settings, embed: Callable[[Sequence[str]], Matrix] | None = None) -> Answerer:
    """The answerer that the settings ask for: an LLM when one is named, else the extractive one.

    Args:
        settings: `llm_model`, `llm_base_url` and the key decide.
        embed: Embeds sentences for the extractive answerer, or None.

    Raises:
        SettingsError: An LLM is half described.
    """
    if settings.llm_model:
        from rag.answering.answerers.openai_compatible import OpenAICompatibleAnswerer

        return OpenAICompatibleAnswerer(settings)
    if settings.llm_base_url:
        raise SettingsError(
            f"RAG_LLM_BASE_URL is set to {settings.llm_base_url}, but no model is named: set RAG_LLM_MODEL."
        )
    from rag.answering.answerers.extractive import ExtractiveAnswerer

    return ExtractiveAnswerer(embed)
