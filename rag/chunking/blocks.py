"""The blocks of a document, and where in the file a slice of it stands."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property

from rag.text import Offsets, paragraphs, trim
from rag.types import Chunk, Document, Segment, Span


def is_row(document: Document) -> bool:
    """Whether the document is one row of a table, such as a passage of a BEIR corpus."""
    rows = sum(segment.kind == "row" for segment in document.segments)
    return document.media_type == "table" and bool(document.key) and rows <= 1


def bounds(document: Document) -> Offsets:
    """Return where the text of a document begins and ends, white space at both ends left out."""
    return trim(document.text, 0, len(document.text))


def blocks(document: Document) -> list[Segment]:
    """The document's segments without white space at their ends; text outside of them becomes paragraphs.

    Segments that overlap or reach out of the text are cut to what is left for them.
    """
    text = document.text
    found: list[Segment] = []
    begin = 0
    for segment in document.segments:
        start, end = max(segment.start, begin), min(segment.end, len(text))
        if start >= end:
            continue
        found.extend(_gap(document, begin, start))
        begin = end
        if segment.kind == "code":
            start, end = trim_lines(text, start, end)
        else:
            start, end = trim(text, start, end)
        if start < end:
            found.append(replace(segment, start=start, end=end))
    found.extend(_gap(document, begin, len(text)))
    return found


def _gap(document: Document, start: int, end: int) -> Iterator[Segment]:
    if document.media_type == "code":
        start, end = trim_lines(document.text, start, end)
        if start < end:
            yield Segment(start, end, "code")
        return
    for begin, stop in paragraphs(document.text, start, end):
        yield Segment(begin, stop)


def trim_lines(text: str, start: int, end: int) -> tuple[int, int]:
    """The stretch without blank lines at its ends; the first line keeps its indentation."""
    first, last = trim(text, start, end)
    line = text.rfind("\n", start, first) + 1 or start
    return (line if not text[line:first].strip() else first, last) if first < last else (first, first)


class ChunkMaker:
    """Finds page and lines of slices by bisection.

    Args:
        document: Its segments know where they stand in the file.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self._segments = document.segments
        self._starts = [segment.start for segment in self._segments]

    @cached_property
    def _newlines(self) -> list[int]:
        return [match.start() for match in re.finditer("\n", self._document.text)]

    def chunk(self, ordinal: int, span: Span, start: int, end: int, embedded: str) -> Chunk:
        """The chunk of a slice of a span; `embedded` stands for it unless the span brings its own inputs."""
        touched = self._touched(start, end)
        pages = [segment.page for segment in touched if segment.page is not None]
        first, last = self._lines(touched, start, end)
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

    def _touched(self, start: int, end: int) -> list[Segment]:
        first = max(bisect_right(self._starts, start) - 1, 0)
        return [s for s in self._segments[first : bisect_left(self._starts, end)] if s.start < end and s.end > start]

    def _lines(self, touched: list[Segment], start: int, end: int) -> tuple[int | None, int | None]:
        if self._document.media_type == "code":
            return self._line(0, 1, start), self._line(0, 1, end)
        known = [segment for segment in touched if segment.line_start is not None]
        if not known:
            return None, None
        first, last = known[0], known[-1]
        top = self._line(first.start, first.line_start or 1, max(start, first.start))
        bottom = self._line(last.start, last.line_start or 1, min(end, last.end))
        return min(top, first.line_end or top), min(bottom, last.line_end or bottom)

    def _line(self, base: int, line: int, place: int) -> int:
        return line + bisect_left(self._newlines, place) - bisect_left(self._newlines, base)
