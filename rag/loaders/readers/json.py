"""JSON: an array of objects is rows, anything else is text. A file of one object a line is read as JSONL."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from rag.errors import DamagedFileError
from rag.loaders.encoding import decode_text
from rag.loaders.json_lines import load_jsonl
from rag.loaders.plain_text import load_text
from rag.loaders.registry import Format
from rag.loaders.rows import TableRow, documents_of_rows
from rag.types import Document


def load_json(path: Path, name: str) -> Iterator[Document]:
    """Read an array of objects as rows, anything else as text.

    Raises:
        DamagedFileError: It is no JSON; the message has line and column.
    """
    text = decode_text(path.read_bytes())
    if not text.strip():
        return
    try:
        value = json.loads(text)
    except json.JSONDecodeError as exc:
        if exc.msg == "Extra data":  # a second value after the first: one object a line
            yield from load_jsonl(path, name)
            return
        raise DamagedFileError(
            f"Line {exc.lineno}, column {exc.colno}: found no valid JSON ({exc.msg}). Correct it, or name it .txt."
        ) from exc
    except RecursionError as exc:
        raise DamagedFileError("Found JSON that is nested too deeply. Flatten it, or name it .txt.") from exc
    if isinstance(value, list) and value and all(isinstance(item, dict) and item for item in value):
        yield from documents_of_rows((TableRow(index, item) for index, item in enumerate(value, 1)), name, "Row")
    else:
        yield from load_text(path, name)


FORMAT = Format("json", (".json",), load_json)
