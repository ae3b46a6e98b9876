"""The embedded default: quotations, without an LLM."""

from __future__ import annotations

from rag.answering.answerers.spec import AnswererEntry
from rag.answering.quoting import ExtractiveAnswerer

ANSWERER = AnswererEntry(
    name="extractive",
    is_default=lambda settings: not settings.llm_model,
    make=lambda _settings, embed: ExtractiveAnswerer(embed),
)
