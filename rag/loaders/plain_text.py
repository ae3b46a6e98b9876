"""Plain text in any encoding, as paragraphs with lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TextIO

from rag.loaders.builder import numbered, paragraph_segments
from rag.loaders.cleaning import clean_text
from rag.loaders.encoding import open_text
from rag.types import Document, Segment

PART_BYTES = 8_000_000
"""Largest part of a text file, in bytes of UTF-8."""

PROSE_ENDINGS = (
    ".txt", ".text", ".log", ".rst", ".adoc", ".asciidoc", ".org", ".tex", ".textile", ".srt", ".vtt",
)  # fmt: skip
"""Endings of files of prose, whose headings are guessed."""
CODE_ENDINGS = (
    ".sh", ".bash", ".zsh", ".ps1", ".bat", ".sql", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".conf",
    ".properties", ".css", ".scss", ".rb", ".php", ".cs", ".kt", ".scala", ".swift", ".lua", ".pl", ".r",
    ".jl", ".dart", ".ex", ".hs", ".ml", ".clj", ".erl", ".vue", ".svelte", ".graphql", ".proto", ".tf",
    ".cmake", ".gradle", ".diff", ".patch", ".env",
)  # fmt: skip
"""Endings of source code and configuration that have no reader of their own."""

_UNDERLINE = re.compile(r"([=\-~^#*\"'`+])\1{2,}")
_HEADING_CHARS = 100


def load_text(path: Path, name: str) -> Iterator[Document]:
    """Read a file as one document, or as parts of at most `PART_BYTES` with keys `part-1`, `part-2`, ..."""
    yield from numbered(_parts(path, name))


def text_document(name: str, text: str, first_line: int = 1) -> Document:
    """Make a document of `text` as it is, one segment a paragraph, with lines; headings are guessed in prose."""
    cleaned = clean_text(text)
    is_prose = PurePosixPath(name).suffix.lower() not in CODE_ENDINGS
    segments = _headed(cleaned, first_line) if is_prose else paragraph_segments(cleaned, first_line)
    return Document(name, cleaned, "text", segments=tuple(segments))


def _parts(path: Path, name: str) -> Iterator[Document]:
    line = 1
    with open_text(path) as stream:
        for piece in _pieces(stream):
            document = text_document(name, piece, first_line=line)
            line += piece.count("\n")
            if document.segments:
                yield document


def _pieces(stream: TextIO) -> Iterator[str]:
    """Yield texts of at most `PART_BYTES` each, cut at an empty line, a line end or a space if there is one."""
    rest = ""
    while True:
        text = rest + stream.read(PART_BYTES - len(rest))
        if not text:
            return
        data = text.encode("utf-8", "replace")
        if len(data) > PART_BYTES:
            head = data[:PART_BYTES].decode("utf-8", "ignore")
        elif len(text) < PART_BYTES:
            yield text
            return
        else:
            head = text
        head = head[: _cut(head)]
        yield head
        rest = text[len(head) :]


def _cut(text: str) -> int:
    """Return where to end a part: at the last blank line, line end or space of its second half."""
    half = len(text) // 2
    for mark in ("\n\n", "\n", " "):
        position = text.rfind(mark, half)
        if position >= 0:
            return position + len(mark)
    return len(text)


def _headed(text: str, first_line: int) -> Iterator[Segment]:
    """Yield paragraphs; single lines in capitals or underlined become headings of what follows."""
    above: tuple[str, ...] = ()
    for segment in paragraph_segments(text, first_line):
        lines = text[segment.start : min(segment.end, segment.start + 2 * _HEADING_CHARS + 2)].split("\n")
        if _is_heading(lines):
            above = (lines[0].strip(),)
            yield replace(segment, kind="heading")
        else:
            yield replace(segment, headings=above)


def _is_heading(lines: list[str]) -> bool:
    title = lines[0].strip()
    if len(title) > _HEADING_CHARS or sum(char.isalpha() for char in title) < len(title) / 2:
        return False
    if len(lines) == 2:
        return bool(_UNDERLINE.fullmatch(lines[1].strip()))
    return len(lines) == 1 and len(title) > 3 and title.isupper() and title[-1] not in ".,;!?"
