"""The server engine."""

from __future__ import annotations

from rag.index.embedded import EmbeddedEngine

ServerEngine = EmbeddedEngine
