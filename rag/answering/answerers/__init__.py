"""Who writes the answer: one module for each way or provider, found by looking into this folder."""

from __future__ import annotations

import sys
from typing import cast

from rag.answering.answerers.spec import AnswererEntry, Embed
from rag.discovery import by_key, entries
from rag.errors import SettingsError, UnknownNameError
from rag.redaction import shown_url
from rag.settings import Settings
from rag.types import Answerer


def discover_answerers() -> dict[str, AnswererEntry]:
    """Every answerer by name.

    Raises:
        DuplicateNameError: Two modules claim one name.
    """
    found_entries = cast("list[AnswererEntry]", entries(sys.modules[__name__], "ANSWERER"))
    return by_key("answerer", found_entries, lambda entry: [entry.name])


def open_answerer(settings: Settings, embed: Embed | None = None) -> Answerer:
    """Open the answerer that RAG_ANSWERER names; `auto` means an LLM when one is named, else quotations.

    Args:
        settings: `answerer`, `llm_model`, `llm_base_url` and the key decide.
        embed: Embeds sentences for answerers that choose among them, or None.

    Raises:
        UnknownNameError: No answerer of that name.
        SettingsError: An LLM is half described.
    """
    known_entries = discover_answerers()
    if settings.answerer != "auto":
        if settings.answerer not in known_entries:
            raise UnknownNameError("answerer", settings.answerer, known_entries)
        return known_entries[settings.answerer].make(settings, embed)
    if settings.llm_base_url and not settings.llm_model:
        raise SettingsError(
            f"RAG_LLM_BASE_URL is set to {shown_url(settings.llm_base_url)}, but no model is named: set RAG_LLM_MODEL."
        )
    entry = next(entry for entry in known_entries.values() if entry.is_default(settings))
    return entry.make(settings, embed)
