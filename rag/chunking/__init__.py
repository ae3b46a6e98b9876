"""Documents into chunks, per task, measured in the model's own tokens.

A chunk is always a slice of its document (`document.text[chunk.start:chunk.end] == chunk.text`), and nothing that is
embedded is longer than the model's limit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rag.chunking.blocks import ChunkMaker, is_row, trim_lines
from rag.chunking.strategies import (
    SUMMARY_CHARACTERS,
    Cut,
    by_document,
    by_entry,
    by_structure,
    by_summary,
    by_symbol,
)
from rag.chunking.tokens import MAX_WINDOWS, TokenOffsets, Tokens
from rag.errors import SettingsError
from rag.language import language_of
from rag.text import Offsets, trim
from rag.types import Chunk, Chunking, Document, Span

__all__ = [
    "MAX_WINDOWS",
    "SUMMARY_CHARACTERS",
    "Cut",
    "TokenOffsets",
    "Tokens",
    "by_document",
    "by_entry",
    "by_structure",
    "by_summary",
    "by_symbol",
    "chunk",
    "chunking_id",
]

VERSION = 1
"""Version of all strategies, raised whenever other chunks come out of the same document."""
_SPECIAL_TOKENS = 2
_LEAST_TOKENS = 16


def chunking_id(chunking: Chunking) -> str:
    """Return name, sizes and version of a chunking, as a part of the recipe."""
    return f"{chunking.name}-{chunking.tokens}-{chunking.overlap}-v{VERSION}"


def chunk(
    document: Document, chunking: Chunking, offsets: TokenOffsets, max_tokens: int, prompt_tokens: int = 0
) -> Iterator[Chunk]:
    """Cut a document into chunks, in order.

    Args:
        document: Any document; one of white space alone gives no chunk.
        chunking: The strategy, and the longest chunk in tokens.
        offsets: `Embedder.token_offsets` of the model that will embed the chunks.
        max_tokens: The model's limit, special tokens included.
        prompt_tokens: Tokens of the longest prompt that will be put before a chunk.

    Yields:
        Chunks that are not blank, numbered from 0.

    Raises:
        SettingsError: The prompt leaves fewer than 16 tokens for the text.
    """
    longest = min(max_tokens, chunking.tokens)
    limit = longest - prompt_tokens - _SPECIAL_TOKENS
    if limit < _LEAST_TOKENS:
        raise SettingsError(
            f"A prompt of {prompt_tokens} tokens leaves {limit} of {longest} tokens for a text (chunking "
            f"{chunking.name!r}), at least {_LEAST_TOKENS} are needed. Use a shorter prompt or a model with a higher "
            "limit."
        )
    if not document.text.strip():
        return
    lead, maker = _lead(document), ChunkMaker(document)
    tokens = Tokens(document.text, offsets, limit, max_tokens - longest, lead)
    ordinal = 0
    is_code = bool(document.language)
    for span in chunking.cut(document, tokens, chunking.overlap):
        for first, last in _slices(span, tokens):
            piece = maker.chunk(ordinal, span, first, last, tokens.input(first, last))
            yield piece if is_code else replace(piece, spoken=language_of(piece.text))
            ordinal += 1


def _lead(document: Document) -> str:
    """Return the title of a row, which is embedded with its text; other documents have their title in the text."""
    return document.title if is_row(document) and not document.text.startswith(document.title) else ""


def _slices(span: Span, tokens: Tokens) -> Iterator[Offsets]:
    """Trim a span; cut it where it is itself embedded and over the limit."""
    start, end = (trim_lines if span.keep_indent else trim)(tokens.text, span.start, span.end)
    if start < end:
        yield from [(start, end)] if span.inputs is not None else tokens.exact(start, end)
