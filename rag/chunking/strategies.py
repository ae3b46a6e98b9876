"""The ways to cut a document, all with one signature: a task names one of them, or brings its own.

A strategy gets a document that is not blank, the document's tokens, and how many tokens neighbours may share. It yields
spans in order; `rag.chunking.chunk` trims them, cuts what is still over the limit, and drops blank ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rag.chunking.blocks import blocks, bounds, is_row
from rag.chunking.faq import entries_of
from rag.chunking.structure import pack_sections
from rag.chunking.summarize import summarize
from rag.chunking.syntax import split_code, split_mixed, split_row
from rag.chunking.tokens import Tokens
from rag.types import Document, Span

Cut = Callable[[Document, Tokens, int], Iterator[Span]]
"""Signature of a strategy: document, its tokens, and the tokens that neighbouring chunks may share."""

SUMMARY_CHARACTERS = 1200
"""Longest summary of a document."""


def by_structure(document: Document, tokens: Tokens, overlap: int) -> Iterator[Span]:
    """Cut prose by sections, code by symbols; a row that fits stays whole."""
    if document.media_type == "code":
        return split_code(blocks(document), tokens)
    if is_row(document) and tokens.fits(*bounds(document)):
        return split_row(*bounds(document), tokens)
    return pack_sections(blocks(document), tokens, overlap)


def by_entry(document: Document, tokens: Tokens, _overlap: int) -> Iterator[Span]:
    """Make one span of each FAQ entry: its question is embedded, its answer is stored beside it."""
    return entries_of(document, blocks(document), tokens)


def by_document(document: Document, tokens: Tokens, _overlap: int) -> Iterator[Span]:
    """Make one span of the whole document, embedded as windows that are pooled."""
    start, end = bounds(document)
    yield Span(start, end, inputs=tokens.windows(start, end))


def by_symbol(document: Document, tokens: Tokens, overlap: int) -> Iterator[Span]:
    """Cut code by functions, classes and blocks; in prose, code blocks stand alone and the rest is cut by sections."""
    if document.media_type == "code":
        return split_code(blocks(document), tokens)
    if is_row(document):
        return split_row(*bounds(document), tokens)
    return split_mixed(blocks(document), tokens, overlap)


def by_summary(document: Document, tokens: Tokens, _overlap: int) -> Iterator[Span]:
    """Make one span of the whole document; its title and summary are embedded."""
    start, end = bounds(document)
    summary = summarize(document, SUMMARY_CHARACTERS)
    title = "" if document.title and summary.startswith(document.title) else document.title
    titled = "\n".join(filter(None, (title, summary)))
    yield Span(start, end, summary=summary, inputs=(tokens.over(titled).head(),))
