"""The messages of parser processes, as lines of JSON: nothing that comes back from one can run here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rag import errors
from rag.errors import FileTooLargeError, ParserLimitError, UnreadableFileError
from rag.types import Document, Segment

_KINDS: dict[str, type[UnreadableFileError]] = {
    kind.__name__: kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, UnreadableFileError)
}
END = b'{"end":true}\n'
"""The line after the last document of a file."""
MAX_LINE = 64 << 20
"""Bytes of a line."""
MAX_CHARS = 24_000_000
"""Characters of one document."""
MAX_SEGMENTS = 300_000
"""Paragraphs, headings and rows of one document: each is an object in the process that receives it."""
MAX_LABEL = 500
"""Characters of a title, heading or symbol, which is kept with every passage below it; the rest is cut off."""
_MAX_HEADINGS = 12


def document_line(document: Document) -> bytes:
    """Write a document as one line, without its name, which the other side knows.

    Raises:
        FileTooLargeError: The document is too long, or in too many parts.
    """
    if len(document.text) > MAX_CHARS or len(document.segments) > MAX_SEGMENTS:
        raise FileTooLargeError(
            f"Found a document of {len(document.text):,} characters in {len(document.segments):,} paragraphs or rows, "
            f"expected at most {MAX_CHARS:,} in {MAX_SEGMENTS:,}. Split the file."
        )
    segments = [
        (s.start, s.end, s.kind, _short(s.headings), s.page, s.line_start, s.line_end, s.symbol[:MAX_LABEL])
        for s in document.segments
    ]
    title, language = document.title[:MAX_LABEL], document.language[:MAX_LABEL]
    fields = (document.text, document.media_type, document.key, title, segments, language)
    return _line({"document": fields})


def _short(headings: tuple[str, ...]) -> list[str]:
    return [heading[:MAX_LABEL] for heading in headings[-_MAX_HEADINGS:]]


def error_line(error: UnreadableFileError) -> bytes:
    """Write an error as one line."""
    return _line({"error": type(error).__name__, "reason": str(error)})


def failure_line(error: BaseException) -> bytes:
    """Write an unexpected error as one line; the process ends after it."""
    reason = f"The parser failed with {type(error).__name__}: the file is damaged. Save or export it again."
    return _line({"failure": reason})


def _line(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"


def read_line(line: bytes, name: str) -> Document | None:
    """Return the document that a line holds, or None at the end.

    Raises:
        UnreadableFileError: The error that the line holds, of its own kind.
        ParserLimitError: The line is cut or not one of ours: the process stopped or went wrong.
    """
    try:
        value = json.loads(line)
        if "end" in value:
            return None
        if "document" in value:
            return _document(name, value["document"])
        failure = value.get("failure")
        error = UnreadableFileError(failure) if failure else _KINDS[value["error"]](value["reason"])
    except (ValueError, TypeError, LookupError, AttributeError) as exc:
        raise ParserLimitError("The parser stopped in the middle of the file. The file is probably damaged.") from exc
    raise error


def _document(name: str, fields: Sequence[Any]) -> Document:
    text, media_type, key, title, segments, language = fields
    located = tuple(Segment(start, end, kind, tuple(above), *rest) for start, end, kind, above, *rest in segments)
    return Document(name, text, media_type, key, title, located, language)
