"""Assemble a document from stretches of text, or find the paragraphs of a text that is stored unchanged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from rag.loaders.cleaning import clean_text, squeeze
from rag.types import Document, Segment

_HEADING_CHARS = 200


@dataclass(frozen=True, slots=True)
class Location:
    """Page, lines and symbol of a stretch in its file; fields as in `Segment`."""

    page: int | None = None
    line_start: int | None = None
    line_end: int | None = None
    symbol: str = ""


NO_LOCATION = Location()


class TextBuilder:
    """A document in the making: stretches in order, with blank lines between them."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._segments: list[Segment] = []
        self._headings: list[tuple[int, str]] = []
        self.length = 0

    def heading(self, text: str, level: int, location: Location = NO_LOCATION) -> None:
        """Add a heading: part of the text, and above all that follows until a heading of its level or a smaller one."""
        words = squeeze(text)
        if not words:
            return
        self._headings = [entry for entry in self._headings if entry[0] < level]
        self.add(words, "heading", location)
        self._headings.append((level, words[:_HEADING_CHARS]))

    @property
    def last_kind(self) -> str:
        """Kind of the latest stretch, or empty."""
        return self._segments[-1].kind if self._segments else ""

    def under(self, headings: tuple[str, ...]) -> None:
        """Set the headings of all that follows, without adding them to the text."""
        self._headings = [(level, squeeze(words)) for level, words in enumerate(headings) if words.strip()]

    def add(self, text: str, kind: str = "text", location: Location = NO_LOCATION, gap: str = "\n\n") -> None:
        """Add a stretch, `gap` after the previous one. Blank text adds nothing; code keeps its indentation."""
        text = clean_text(text)
        text = _outer_lines(text) if kind == "code" else text.strip()
        if not text.strip():
            return
        if self._parts:
            self._parts.append(gap)
            self.length += len(gap)
        start, self.length = self.length, self.length + len(text)
        self._parts.append(text)
        headings = tuple(words for _, words in self._headings)
        lines = (location.line_start, location.line_end)
        self._segments.append(Segment(start, self.length, kind, headings, location.page, *lines, location.symbol))

    def document(self, name: str, media_type: str, title: str = "", key: str = "", language: str = "") -> Document:
        """Return the document of all stretches so far."""
        text = "".join(self._parts)
        return Document(name, text, media_type, key, squeeze(title), tuple(self._segments), language)


def _outer_lines(text: str) -> str:
    """Strip blank lines from both ends, not the indentation of the first line."""
    body = text.rstrip()
    start = len(body) - len(body.lstrip())
    return body[body.rfind("\n", 0, start) + 1 :]


def paragraph_segments(text: str, first_line: int | None = 1) -> Iterator[Segment]:
    """Yield the stretches between blank lines, in order.

    Args:
        text: A cleaned text.
        first_line: Number of the text's first line in the file, or None for segments without lines.
    """
    position = line = 0
    start, start_line, end = -1, 0, 0
    size = len(text)
    while position < size:
        stop = text.find("\n", position)
        stop = size if stop < 0 else stop
        if text[position:stop].strip():
            if start < 0:
                start, start_line = position, line
            end = stop
        elif start >= 0:
            yield _paragraph(text, start, end, start_line, line - 1, first_line)
            start = -1
        position, line = stop + 1, line + 1
    if start >= 0:
        yield _paragraph(text, start, end, start_line, line - 1, first_line)


def _paragraph(text: str, start: int, end: int, first: int, last: int, offset: int | None) -> Segment:
    end = start + len(text[start:end].rstrip())
    if offset is None:
        return Segment(start, end)
    return Segment(start, end, line_start=offset + first, line_end=offset + last)


def numbered(documents: Iterator[Document]) -> Iterator[Document]:
    """Give the parts of one file the keys `part-1`, `part-2`, ...; a file of one part gets no key."""
    previous: Document | None = None
    count = 0
    for document in documents:
        if previous is not None:
            count += 1
            yield replace(previous, key=f"part-{count}")
        previous = document
    if previous is not None:
        yield replace(previous, key=f"part-{count + 1}") if count else previous
