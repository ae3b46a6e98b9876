"""Documents into chunks, per task, measured in the model's own tokens.

A chunk is always a slice of its document (`document.text[chunk.start:chunk.end] == chunk.text`), and nothing that is
embedded is longer than the model's limit.
"""

from __future__ import annotations

from collections.abc import Iterator

from rag.chunking.faq import by_entry
from rag.chunking.places import Places, Span, blocks, is_row, trim_lines
from rag.chunking.structure import by_structure
from rag.chunking.summarize import summarize
from rag.chunking.syntax import by_code_blocks, by_row, by_syntax
from rag.chunking.tokens import MAX_WINDOWS, TokenOffsets, Tokens
from rag.errors import SettingsError
from rag.tasks import Chunking, TaskSpec
from rag.text import trim
from rag.types import Chunk, Document

__all__ = ["MAX_WINDOWS", "SUMMARY_CHARACTERS", "TokenOffsets", "chunk", "chunking_id"]

VERSION = 1
"""Raised whenever other chunks come out of the same document."""
SUMMARY_CHARACTERS = 1200
"""Longest summary of a document."""
_SPECIAL_TOKENS = 2
_LEAST_TOKENS = 16


def chunking_id(task: TaskSpec) -> str:
    """Name, sizes and version of the chunker, as a part of the recipe."""
    return f"{task.chunking.value}-{task.chunk_tokens}-{task.overlap_tokens}-v{VERSION}"


def chunk(
    document: Document, task: TaskSpec, offsets: TokenOffsets, max_tokens: int, prompt_tokens: int = 0
) -> Iterator[Chunk]:
    """Cut a document as the task wants it.

    Args:
        document: Any document; one of white space alone gives no chunk.
        task: Says how to cut, and the longest chunk in tokens.
        offsets: `Embedder.token_offsets` of the model that will embed the chunks.
        max_tokens: The model's limit, special tokens included.
        prompt_tokens: Tokens of the longest prompt that will be put before a chunk.

    Raises:
        SettingsError: The prompt leaves fewer than 16 tokens for the text.
    """
    longest = min(max_tokens, task.chunk_tokens)
    limit = longest - prompt_tokens - _SPECIAL_TOKENS
    if limit < _LEAST_TOKENS:
        raise SettingsError(
            f"A prompt of {prompt_tokens} tokens leaves {limit} of {longest} tokens for a text of task {task.name!r}, "
            f"at least {_LEAST_TOKENS} are needed. Use a shorter prompt or a model with a higher limit."
        )
    tokens = Tokens(document.text, offsets, limit, max_tokens - longest, _lead(document, task))
    places = Places(document)
    ordinal = 0
    for span in _spans(document, task, tokens):
        for start, end in _slices(document.text, span, tokens):
            yield places.chunk(ordinal, span, start, end, tokens.input(start, end))
            ordinal += 1


def _lead(document: Document, task: TaskSpec) -> str:
    """The title of a row, which is embedded with its text; other documents have their title in the text."""
    wanted = is_row(document) and task.chunking is not Chunking.SUMMARY
    return document.title if wanted and not document.text.startswith(document.title) else ""


def _slices(text: str, span: Span, tokens: Tokens) -> Iterator[tuple[int, int]]:
    start, end = (trim_lines if span.keep_indent else trim)(text, span.start, span.end)
    if start < end:
        yield from [(start, end)] if span.inputs is not None else tokens.exact(start, end)


def _spans(document: Document, task: TaskSpec, tokens: Tokens) -> Iterator[Span]:
    start, end = trim(document.text, 0, len(document.text))
    if start == end:
        return iter(())
    if task.chunking is Chunking.WHOLE:
        return iter([Span(start, end, inputs=tokens.windows(start, end))])
    if task.chunking is Chunking.SUMMARY:
        return iter([_summary(document, tokens, start, end)])
    parts = blocks(document)
    if task.chunking is Chunking.FAQ_ENTRY:
        return by_entry(document, parts, tokens)
    if document.media_type == "code":
        return by_syntax(parts, tokens)
    if is_row(document) and (task.chunking is Chunking.SYNTAX or tokens.fits(start, end)):
        return by_row(start, end, tokens)
    if task.chunking is Chunking.SYNTAX:
        return by_code_blocks(parts, tokens, task.overlap_tokens)
    return by_structure(parts, tokens, task.overlap_tokens)


def _summary(document: Document, tokens: Tokens, start: int, end: int) -> Span:
    summary = summarize(document, SUMMARY_CHARACTERS)
    title = "" if document.title and summary.startswith(document.title) else document.title
    described = "\n".join(filter(None, (title, summary)))
    return Span(start, end, summary=summary, inputs=(tokens.over(described).head(),))
