"""The blocks of a document, and the chunks of its slices with their page and lines."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property

from rag.text import Offsets, paragraphs, trim
from rag.types import Chunk, Document, Segment, Span


def is_row(document: Document) -> bool:
    """True when the document is one row of a table, such as a passage of a BEIR corpus."""
    rows = sum(segment.kind == "row" for segment in document.segments)
    return document.media_type == "table" and bool(document.key) and rows <= 1


def bounds(document: Document) -> Offsets:
    """Return where the text of a document begins and ends, white space at both ends left out."""
    return trim(document.text, 0, len(document.text))


def blocks(document: Document) -> list[Segment]:
    """Return the segments of a document, trimmed; text outside of them becomes paragraphs.

    Where segments overlap, the later one is cut; where one reaches out of the text, it ends with the text.
    """
    text = document.text
    result: list[Segment] = []
    covered = 0
    for segment in document.segments:
        start, end = max(segment.start, covered), min(segment.end, len(text))
        if start >= end:
            continue
        if text[covered:start].strip():
            result.extend(_gap(document, covered, start))
        covered = end
        if segment.kind == "code":
            start, end = trim_lines(text, start, end)
        else:
            start, end = trim(text, start, end)
        if start < end:
            result.append(replace(segment, start=start, end=end))
    if text[covered:].strip():
        result.extend(_gap(document, covered, len(text)))
    return result


def _gap(document: Document, start: int, end: int) -> Iterator[Segment]:
    """Yield segments for text that no segment of the document covers."""
    if document.media_type == "code":
        start, end = trim_lines(document.text, start, end)
        if start < end:
            yield Segment(start, end, "code")
        return
    for begin, stop in paragraphs(document.text, start, end):
        yield Segment(begin, stop)


def trim_lines(text: str, start: int, end: int) -> tuple[int, int]:
    """Drop blank lines at both ends of a stretch; the first line keeps its indentation."""
    first, last = trim(text, start, end)
    line = text.rfind("\n", start, first) + 1 or start
    return (line if not text[line:first].strip() else first, last) if first < last else (first, first)


class ChunkMaker:
    """Makes chunks of slices of one document; pages and lines are looked up by bisection.

    Args:
        document: Its segments hold pages and lines.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self._segments = document.segments
        self._starts = [segment.start for segment in self._segments]

    @cached_property
    def _newlines(self) -> list[int]:
        return [match.start() for match in re.finditer("\n", self._document.text)]

    def chunk(self, ordinal: int, span: Span, start: int, end: int, embedded: str) -> Chunk:
        """Make a chunk of a slice of a span; `embedded` is its input unless the span has inputs of its own."""
        segments = self._overlapping(start, end)
        pages = [segment.page for segment in segments if segment.page is not None]
        first, last = self._lines(segments, start, end)
        return Chunk(
            ordinal=ordinal,
            start=start,
            end=end,
            text=self._document.text[start:end],
            inputs=(embedded,) if span.inputs is None else span.inputs,
            headings=span.headings,
            page_start=min(pages, default=None),
            page_end=max(pages, default=None),
            line_start=first,
            line_end=last,
            symbol=span.symbol,
            answer=span.answer,
            summary=span.summary,
        )

    def _overlapping(self, start: int, end: int) -> list[Segment]:
        first = max(bisect_right(self._starts, start) - 1, 0)
        return [s for s in self._segments[first : bisect_left(self._starts, end)] if s.start < end and s.end > start]

    def _lines(self, segments: list[Segment], start: int, end: int) -> tuple[int | None, int | None]:
        if self._document.media_type == "code":
            return self._line(0, 1, start), self._line(0, 1, end)
        located = [segment for segment in segments if segment.line_start is not None]
        if not located:
            return None, None
        first, last = located[0], located[-1]
        top = self._line(first.start, first.line_start or 1, max(start, first.start))
        bottom = self._line(last.start, last.line_start or 1, min(end, last.end))
        # Text may have more line ends than the file: a row is one line there. The segments have the last word.
        return min(top, first.line_end or top), min(bottom, last.line_end or bottom)

    def _line(self, base: int, line: int, offset: int) -> int:
        """Return the line of an offset, counted from `line` at offset `base`."""
        return line + bisect_left(self._newlines, offset) - bisect_left(self._newlines, base)
