"""Vector engines: one module each, found by looking into this folder."""

from __future__ import annotations

import sys
from typing import cast

from rag.discovery import by_key, entries
from rag.errors import UnknownNameError
from rag.index.engines.spec import EngineEntry
from rag.settings import Settings
from rag.types import IndexEngine


def all_engines() -> dict[str, EngineEntry]:
    """Return every vector engine by name.

    Raises:
        DuplicateNameError: Two modules claim one name.
    """
    modules = cast("list[EngineEntry]", entries(sys.modules[__name__], "ENGINE"))
    return by_key("vector engine", modules, lambda entry: [entry.name])


def engine_in_force(settings: Settings) -> EngineEntry:
    """Return the engine that RAG_ENGINE names; `auto` means a server when RAG_QDRANT_URL is set, else this process.

    Raises:
        UnknownNameError: No engine of that name.
        DuplicateNameError: Two modules claim one name.
    """
    known_entries = all_engines()
    if settings.engine == "auto":
        return next(entry for entry in known_entries.values() if entry.is_default(settings))
    if settings.engine not in known_entries:
        raise UnknownNameError("vector engine", settings.engine, known_entries)
    return known_entries[settings.engine]


def open_engine(settings: Settings) -> IndexEngine:
    """Open the engine in force; nothing is connected or written before it is used."""
    return engine_in_force(settings).open(settings)
