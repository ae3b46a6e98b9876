"""One JSON object a line, as rows, streamed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from rag.errors import UnreadableFileError
from rag.loaders.encoding import open_text
from rag.loaders.rows import TableRow, documents_of_rows
from rag.types import Document

_MAX_LINE = 8_000_000
_QUOTED = 60


def load_jsonl(path: Path, name: str) -> Iterator[Document]:
    """Read one row a line; see `documents_of_rows`.

    Raises:
        UnreadableFileError: A line is not a JSON object; the message has its number.
    """
    return documents_of_rows(_rows(path), name)


def _rows(path: Path) -> Iterator[TableRow]:
    number = 0
    with open_text(path) as stream:
        while line := stream.readline(_MAX_LINE):
            number += 1
            if len(line) == _MAX_LINE:
                raise UnreadableFileError(
                    f"Line {number}: found more than {_MAX_LINE:,} characters, expected one object on each line."
                )
            if not line.isspace():
                yield TableRow(number, _object(line, number))


def _object(line: str, number: int) -> dict[str, object]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as exc:
        raise UnreadableFileError(
            f"Line {number}: found {line.strip()[:_QUOTED]!r}, expected one JSON object on the line ({exc})."
        ) from exc
    if not isinstance(value, dict):
        quoted = line.strip()[:_QUOTED]
        raise UnreadableFileError(f'Line {number}: found {quoted!r}, expected a JSON object such as {{"text": "..."}}.')
    return value
