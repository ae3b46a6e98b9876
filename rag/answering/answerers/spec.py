"""What a module in this folder defines as `ANSWERER`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rag.settings import Settings
from rag.types import Answerer, Matrix

Embed = Callable[[Sequence[str]], Matrix]
"""Vectors of exact texts, shape (texts, dimension)."""


@dataclass(frozen=True, slots=True)
class AnswererEntry:
    """A way to write answers.

    Attributes:
        name: What RAG_ANSWERER calls it.
        is_default: True when RAG_ANSWERER=auto and these settings mean this answerer.
        make: Makes it; the second argument embeds sentences for answerers that choose among them.
    """

    name: str
    is_default: Callable[[Settings], bool]
    make: Callable[[Settings, Embed | None], Answerer]
