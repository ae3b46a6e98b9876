"""Plain text in any encoding, and everything that is text and has no reader of its own."""

from __future__ import annotations

from rag.loaders.plain_text import CODE_ENDINGS, PROSE_ENDINGS, load_text
from rag.loaders.registry import Format

FORMAT = Format("text", (*PROSE_ENDINGS, *CODE_ENDINGS), load_text, streams=True)
