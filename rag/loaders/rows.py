"""Rows of CSV, TSV, JSONL and JSON arrays: an FAQ, documents with ids, or plain rows."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from rag.errors import UnreadableFileError
from rag.loaders.builder import NO_LOCATION, Location, TextBuilder, numbered, paragraph_segments
from rag.loaders.cleaning import clean_text
from rag.types import Document

PART_CHARS = 8_000_000
"""Length of text at which a document of rows is ended and the next part begins."""
PART_ROWS = 50_000
"""Rows after which it is ended whatever their length."""
MAX_KEY = 1000
"""Characters of an `_id`: it is kept with every passage of its document."""

_QUESTION = {"question", "questions", "q", "query", "frage", "pregunta", "domanda", "vraag", "pytanie", "faq"}
_ANSWER = {"answer", "answers", "a", "response", "reply", "antwort", "reponse", "réponse", "respuesta", "risposta"}
_TOPIC = {"category", "topic", "section", "kategorie", "thema", "categorie", "categoria"}
_LETTERS = {"q", "a"}
_FACTS = {"id", "ids", "count", "number", "date", "time", "score", "url", "type", "length", "author", "by", "at"}
_WORD_END = re.compile(r"[\s_\-:.]+")
_LOOK_AHEAD = 50


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row of a file.

    Attributes:
        number: Counted from 1; the line in the file when it has lines.
        values: Cells by column.
    """

    number: int
    values: Mapping[str, object]


_AddRow = Callable[[TextBuilder, TableRow], None]
_Locate = Callable[[TableRow], Location]


def documents_of_rows(rows: Iterator[TableRow], name: str, unit: str = "Line", caption: str = "") -> Iterator[Document]:
    """Turn a file of rows into documents; the first rows decide its shape.

    Rows with `_id` and `text` are one document each, with `title` if there is one. Rows with a question and an answer
    are one document that alternates between them. Other rows are one document with a `row` segment each, of
    `column: value` lines. The last two are split into parts when they are very long.

    Args:
        rows: Read once, in order.
        name: Name of the file.
        unit: Word for a row in messages; segments get lines only when it is `Line`.
        caption: The caption above the table; it becomes title and heading.

    Yields:
        Documents that hold text.

    Raises:
        UnreadableFileError: A row is not of the shape of the first ones.
    """
    first = list(islice(rows, _LOOK_AHEAD))
    if not first:
        return
    everything = chain(first, rows)
    columns = list(first[0].values)
    if "_id" in columns and "text" in columns:
        yield from _documents(everything, name, unit)
        return
    pair = faq_columns(columns) or _faq_by_content(columns, first)
    headings = (caption,) if caption else ()
    locate = _line if unit == "Line" else _no_line
    add = _add_entry(pair, _named(columns, _TOPIC), locate, headings) if pair else _add_fields(locate, headings)
    yield from numbered(_parts(everything, name, add, caption))


def faq_columns(columns: Sequence[str]) -> tuple[str, str] | None:
    """Return the question and the answer column by their names, or None when one is missing."""
    question, answer = _named(columns, _QUESTION), _named(columns, _ANSWER)
    return (question, answer) if question is not None and answer is not None else None


def _named(columns: Sequence[str], names: set[str]) -> str | None:
    """Return the column of one of these names, else the first that begins with one, such as `answer text`."""
    for column in columns:
        if column.strip().lower() in names:
            return column
    for column in columns:
        first, *rest = _WORD_END.split(column.strip().lower())
        # `answer text` is an answer; `a text` is not an "a", and `answer date` is a fact about one.
        if rest and first in names - _LETTERS and not _FACTS & set(rest):
            return column
    return None


def _faq_by_content(columns: Sequence[str], rows: Sequence[TableRow]) -> tuple[str, str] | None:
    """Return (question, answer) of exactly two columns when the texts of just one mostly end in a question mark."""
    if len(columns) != 2:
        return None
    shares = [
        sum(text_of(row.values.get(column)).rstrip().endswith(("?", "？", "؟")) for row in rows) / len(rows)
        for column in columns
    ]
    if min(shares) > 0.4 or max(shares) < 0.6:
        return None
    return (columns[0], columns[1]) if shares[0] > shares[1] else (columns[1], columns[0])


def text_of(value: object) -> str:
    """Write a cell as text: lists one item a line, other structures as JSON, null as empty."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str | int | float) for item in value):
        return "\n".join(str(item) for item in value)
    return json.dumps(value, ensure_ascii=False)


def _documents(rows: Iterator[TableRow], name: str, unit: str) -> Iterator[Document]:
    for row in rows:
        position = f"{unit} {row.number}"
        missing = [column for column in ("_id", "text") if column not in row.values]
        if missing:
            columns = ", ".join(list(row.values)[:8]) or "no columns"
            raise UnreadableFileError(f"{position}: found {columns}, expected `_id` and `text` as in the rows before.")
        title = clean_text(text_of(row.values.get("title"))).strip()
        text = clean_text(text_of(row.values["text"])).strip() or title
        key = clean_text(text_of(row.values["_id"])).strip()
        if not key:
            raise UnreadableFileError(f"{position}: found an empty `_id`, expected one that names the document.")
        if len(key) > MAX_KEY:
            raise UnreadableFileError(
                f"{position}: found an `_id` of {len(key):,} characters, expected at most {MAX_KEY:,}."
            )
        segments = tuple(paragraph_segments(text, None))
        if segments:
            yield Document(name, text, "table", key, " ".join(title.split()), segments)


def _parts(rows: Iterator[TableRow], name: str, add: _AddRow, title: str) -> Iterator[Document]:
    builder, count = TextBuilder(), 0
    for row in rows:
        if builder.length > PART_CHARS or count >= PART_ROWS:
            yield builder.document(name, "table", title)
            builder, count = TextBuilder(), 0
        add(builder, row)
        count += 1
    if builder.length:
        yield builder.document(name, "table", title)


def _line(row: TableRow) -> Location:
    return Location(line_start=row.number, line_end=row.number)


def _no_line(row: TableRow) -> Location:  # noqa: ARG001
    return NO_LOCATION


def _add_entry(pair: tuple[str, str], topic: str | None, locate: _Locate, headings: tuple[str, ...]) -> _AddRow:
    """Make a function that adds a question and its answer; an answer without a question becomes text."""

    def add(builder: TextBuilder, row: TableRow) -> None:
        question, answer = (text_of(row.values.get(column)).strip() for column in pair)
        builder.under((*headings, text_of(row.values.get(topic))) if topic else headings)
        builder.add(question, "question", locate(row))
        builder.add(answer, "answer" if question else "text", locate(row), gap="\n" if question else "\n\n")

    return add


def _add_fields(locate: _Locate, headings: tuple[str, ...]) -> _AddRow:
    """Make a function that adds a row as `column: value` lines, without empty values."""

    def add(builder: TextBuilder, row: TableRow) -> None:
        lines = [f"{column}: {text}" for column, value in row.values.items() if (text := text_of(value).strip())]
        builder.under(headings)
        builder.add("\n".join(lines), "row", locate(row))

    return add
