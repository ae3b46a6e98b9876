"""The chunking of today's `TaskSpec`; goes when a task carries a `Chunking` itself."""

from __future__ import annotations

from rag.chunking.strategies import Cut, by_document, by_entry, by_structure, by_summary, by_symbol
from rag.tasks import TaskSpec
from rag.types import Chunking

_CUTS: dict[str, Cut] = {
    "structure": by_structure,
    "faq-entry": by_entry,
    "whole": by_document,
    "syntax": by_symbol,
    "summary": by_summary,
}


def chunking_of(spec: TaskSpec) -> Chunking:
    """Return how documents of a task are cut."""
    name = spec.chunking.value
    return Chunking(name, spec.chunk_tokens, spec.overlap_tokens, _CUTS[name])
