"""CSV and TSV: delimiter, encoding and header are detected; streamed."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import TextIO

from rag.errors import UnreadableFileError
from rag.loaders.cleaning import squeeze
from rag.loaders.encoding import open_text
from rag.loaders.registry import Format
from rag.loaders.rows import TableRow, documents_of_rows, faq_columns
from rag.types import Document

_DELIMITERS = ",;\t|"
_SAMPLE = 1 << 16
_MAX_CELL = 8_000_000
_MAX_LINE = 16_000_000
MAX_COLUMNS = 20_000
"""Columns of a table: a row is one passage, and no more of them make a passage that anybody finds."""
_HEADER_CHARS = 60
_LOOK_AHEAD = 20

_Cells = tuple[int, list[str]]


def load_table(path: Path, name: str) -> Iterator[Document]:
    """Read rows; see `documents_of_rows`.

    Raises:
        UnreadableFileError: A row is malformed; the message has its line.
    """
    with open_text(path, newline="") as stream:
        delimiter = delimiter_of(stream.read(_SAMPLE))
        stream.seek(0)
        cells = _cells(csv.reader(_lines(stream), delimiter=delimiter, strict=True), delimiter)
        first = list(islice(cells, _LOOK_AHEAD))
        caption, header, skipped = _head([values for _, values in first])
        yield from documents_of_rows(_rows(chain(first[skipped:], cells), header), name, caption=caption)


def _rows(cells: Iterator[_Cells], header: list[str]) -> Iterator[TableRow]:
    for line, values in cells:
        yield TableRow(line, dict(zip(header, _fitted(values, header, line), strict=True)))


def _lines(stream: TextIO) -> Iterator[str]:
    """Yield lines.

    Raises:
        UnreadableFileError: A line is longer than any row.
    """
    number = 0
    while line := stream.readline(_MAX_LINE):
        number += 1
        if len(line) == _MAX_LINE:
            raise UnreadableFileError(
                f"Line {number}: found more than {_MAX_LINE:,} characters, expected a row. Split the file into rows."
            )
        yield line


def _cells(reader: Iterator[list[str]], delimiter: str) -> Iterator[_Cells]:
    """Yield rows that are not blank, with the line they begin on.

    Raises:
        UnreadableFileError: A row is malformed, or has too many values.
    """
    csv.field_size_limit(_MAX_CELL)
    line = 1
    try:
        for values in reader:
            if len(values) > MAX_COLUMNS:
                raise UnreadableFileError(
                    f"Line {line}: found {len(values):,} values, expected at most {MAX_COLUMNS:,}. Leave out columns, "
                    "or turn the table on its side."
                )
            if any(value.strip() for value in values):
                yield line, values
            line = 1 + reader.line_num  # type: ignore[attr-defined]
    except csv.Error as exc:
        raise UnreadableFileError(
            f"Line {line}: found a malformed row ({exc}), expected values separated by {delimiter!r}; a value with "
            'quotes, separators or line ends stands in "..." with inner quotes doubled.'
        ) from exc


def delimiter_of(sample: str) -> str:
    """Return the separator that gives most rows of a sample one and the same number of values, more than one."""
    complete = sample[: sample.rfind("\n") + 1] or sample

    def evenness(delimiter: str) -> tuple[float, int]:
        try:
            rows = csv.reader(io.StringIO(complete, newline=""), delimiter=delimiter)
            counts = Counter(len(row) for row in rows if row)
        except csv.Error:
            return 0.0, 0
        columns, even = max(counts.items(), key=lambda item: (item[0] > 1, item[1]), default=(0, 1))
        return (even / counts.total() if columns > 1 else 0.0), columns

    return max(_DELIMITERS, key=evenness)


def _head(rows: list[list[str]]) -> tuple[str, list[str], int]:
    """Return the caption, the names of the columns, and how many rows come before the first row of data.

    Lines of one value above a wider table are its caption.
    """
    width = max((len(row) for row in rows), default=0)
    top = 0
    while top < len(rows) - 1 and width > 1 and sum(bool(value.strip()) for value in rows[top]) == 1:
        top += 1
    caption = squeeze(" ".join(value for row in rows[:top] for value in row))
    if top < len(rows) and _names_columns(rows[top], rows[top + 1 :]):
        return caption, _distinct(rows[top]), top + 1
    return caption, [f"column {index}" for index in range(1, width + 1)], top


def _distinct(row: list[str]) -> list[str]:
    """Name the columns, with numbers for names that are empty or repeated."""
    names: dict[str, None] = {}
    for index, value in enumerate(row, 1):
        name = squeeze(value)
        while not name or name in names:
            name = f"{name or 'column'} {index}"
        names[name] = None
    return list(names)


def _names_columns(row: list[str], below: list[list[str]]) -> bool:
    """True when a row reads like column names: short, distinct, no numbers, no sentences."""
    names = [value.strip() for value in row]
    if faq_columns(names) or {"_id", "text"} <= set(names):
        return True
    while names and not names[-1]:
        names.pop()
    if not below or len(set(names)) < len(names) or not all(names):
        return False
    sentences = sum(name.endswith(("?", ".", "!", "？")) for name in names)
    return not sentences and all(len(name) <= _HEADER_CHARS and not _is_number(name) for name in names)


def _is_number(value: str) -> bool:
    try:
        float(value.replace(",", ".").strip("%$€£ "))
    except ValueError:
        return False
    return True


def _fitted(values: list[str], header: list[str], line: int) -> list[str]:
    """Pad or cut a row to the columns of the table.

    Raises:
        UnreadableFileError: It has more values than there are columns, and they are not blank.
    """
    surplus = values[len(header) :]
    if any(value.strip() for value in surplus):
        raise UnreadableFileError(
            f"Line {line}: found {len(values)} values, expected {len(header)} ({', '.join(header[:8])}). "
            'Put values that hold a separator in "...".'
        )
    return values[: len(header)] + [""] * (len(header) - len(values))


FORMAT = Format("table", (".csv", ".tsv", ".tab"), load_table, streams=True)
