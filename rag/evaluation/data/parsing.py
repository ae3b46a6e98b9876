"""Lines of judged data: JSON objects and judgments, refused with the line and what was expected."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping

from rag.errors import DatasetError
from rag.evaluation.data.sources import Source


def parse_judgments(lines: Iterable[tuple[int, str]], label: str) -> dict[tuple[str, str], int]:
    """Read grades by (question id, document id) from numbered lines of a judgments file.

    Args:
        lines: Line numbers from 1 with their text.
        label: Name of the file in messages.

    Raises:
        DatasetError: A line that is not `question document grade` or TREC's `question 0 document grade`.
    """
    rows: dict[tuple[str, str], int] = {}
    may_be_header = True
    for number, line in lines:
        if not line.strip():
            continue
        cells = [cell.strip() for cell in (line.split("\t") if "\t" in line else line.split())]
        is_first, may_be_header = may_be_header, False
        # A first line whose last cell is no number names the columns.
        if is_first and len(cells) in (3, 4) and _grade(cells[-1]) is None:
            continue
        grade = _grade(cells[-1]) if len(cells) in (3, 4) else None
        if grade is None or not cells[0] or not cells[-2]:
            raise DatasetError(
                f"{label}, line {number}: found {line.strip()[:80]!r}, expected a question id, a document id and a "
                "whole number, separated by tabs."
            )
        pair = (cells[0], cells[-2])
        if rows.setdefault(pair, grade) != grade:
            raise DatasetError(
                f"{label}, line {number}: found grade {grade} for {pair[0]!r} and {pair[1]!r}, expected "
                f"{rows[pair]} as given before, or the pair only once."
            )
    return rows


def _grade(cell: str) -> int | None:
    """Read a whole number of at least 0, written `2`, `2.0` or `-1` (TREC's spam mark, which counts as 0)."""
    match = re.fullmatch(r"([+-]?\d{1,9})(?:\.0+)?", cell)
    return max(int(match[1]), 0) if match else None


def json_lines(source: Source, name: str) -> Iterator[tuple[int, dict[str, object]]]:
    """Read line numbers from 1 with the object on each; empty lines are passed over.

    Raises:
        DatasetError: A line that is not one JSON object.
    """
    for number, line in source.lines(name):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as exc:
            raise DatasetError(
                f"{source.label(name)}, line {number}: found {line.strip()[:60]!r}, expected one JSON object ({exc})."
            ) from exc
        if not isinstance(row, dict):
            raise DatasetError(
                f"{source.label(name)}, line {number}: found a JSON {type(row).__name__}, "
                "expected an object with `_id` and `text`."
            )
        yield number, row


def row_id(row: Mapping[str, object], where: str) -> str:
    """The row's `_id` as a string; whole numbers are taken too.

    Raises:
        DatasetError: There is none.
    """
    value = row.get("_id")
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        raise DatasetError(f"{where}: found `_id` {value!r}, expected a non-empty string.")
    return str(value).strip()


def row_text(row: Mapping[str, object], key: str, where: str, *, optional: bool = False) -> str:
    """A text of the row; an optional one may be missing, which gives the empty string.

    Raises:
        DatasetError: It is missing or no string.
    """
    value = row.get(key, "" if optional else None)
    if value is None and optional:
        return ""
    if not isinstance(value, str):
        raise DatasetError(f"{where}: found {key!r} {value!r}, expected a string.")
    return value
