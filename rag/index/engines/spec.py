"""What a module in this folder defines as `ENGINE`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rag.settings import Settings
from rag.types import IndexEngine


@dataclass(frozen=True, slots=True)
class EngineEntry:
    """A vector engine.

    Attributes:
        name: What RAG_ENGINE calls it.
        is_default: True when RAG_ENGINE=auto and these settings mean this engine.
        open: Opens it.
        describe: Names it for the status page.
    """

    name: str
    is_default: Callable[[Settings], bool]
    open: Callable[[Settings], IndexEngine]
    describe: Callable[[Settings], str]
