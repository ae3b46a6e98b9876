"""What holds for every document of every format."""

from __future__ import annotations

from pathlib import Path

from rag.loaders import load
from rag.types import Document

KINDS = {"heading", "text", "list", "table", "row", "code", "question", "answer"}
MEDIA = {"pdf", "docx", "html", "markdown", "text", "table", "code", "notebook"}


def check(document: Document) -> Document:
    """Assert the promises of `Document` and `Segment`, and return the document."""
    text = document.text
    assert text.strip()
    for words in (text, document.title, document.key, *(h for s in document.segments for h in s.headings)):
        words.encode("utf-8")
        assert not set(words) & set("\x00\x01\x1b\ufeff\ufffe\U000e0041")
    assert document.media_type in MEDIA
    assert document.segments
    at = 0
    for segment in document.segments:
        assert at <= segment.start < segment.end <= len(text)
        assert not text[at : segment.start].strip(), "text outside segments"
        assert text[segment.start : segment.end].strip()
        assert segment.kind in KINDS
        assert segment.page is None or segment.page >= 1
        assert (segment.line_start is None) == (segment.line_end is None)
        assert segment.line_start is None or 1 <= segment.line_start <= segment.line_end
        at = segment.end
    assert not text[at:].strip()
    return document


def loaded(path: Path, content: bytes | str, name: str = "", **options: int) -> list[Document]:
    """Documents of a file with that content, checked."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return [check(document) for document in load(path, name or path.name, **options)]


def parts(document: Document, kind: str = "") -> list[str]:
    """Texts of the segments of a kind, or of all."""
    return [document.text[s.start : s.end] for s in document.segments if kind in ("", s.kind)]
