"""Rows of CSV, TSV, JSONL and JSON arrays: an FAQ, documents with ids, or plain rows."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from rag.errors import UnreadableFileError
from rag.loaders.builder import NOWHERE, Place, TextBuilder, numbered, paragraphs
from rag.loaders.cleaning import clean
from rag.types import Document

PART_CHARS = 8_000_000
"""A document of rows is ended when its text is this long."""

_QUESTION = {"question", "questions", "q", "query", "frage", "pregunta", "domanda", "vraag", "pytanie", "faq"}
_ANSWER = {"answer", "answers", "a", "response", "reply", "antwort", "reponse", "réponse", "respuesta", "risposta"}
_TOPIC = {"category", "topic", "section", "kategorie", "thema", "categorie", "categoria"}
_LETTERS = {"q", "a"}
_FACTS = {"id", "ids", "count", "number", "date", "time", "score", "url", "type", "length", "author", "by", "at"}
_WORD_END = re.compile(r"[\s_\-:.]+")
_LOOK_AHEAD = 50


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number from 1 (the line in the file when it has lines), and its values by column."""

    number: int
    values: Mapping[str, object]


_Adder = Callable[[TextBuilder, Row], None]
_Placer = Callable[[Row], Place]


def documents_of_rows(rows: Iterator[Row], name: str, unit: str = "Line", caption: str = "") -> Iterator[Document]:
    """Documents of a file of rows; the first rows tell which shape it has.

    Rows with `_id` and `text` are one document each, with `title` if there is one. Rows with a question and an answer
    are one document that alternates between them. Other rows are one document with a `row` segment each, of
    `column: value` lines. The last two are split into parts when they are very long.

    Args:
        rows: Read once, in order.
        name: Name of the file.
        unit: What the number of a row counts, for messages; lines are kept only when it is `Line`.
        caption: What stands above the table; it becomes title and heading.

    Raises:
        UnreadableFileError: A row is not of the shape of the first ones.
    """
    first = []
    for row in rows:
        first.append(row)
        if len(first) == _LOOK_AHEAD:
            break
    if not first:
        return
    everything = chain(first, rows)
    columns = list(first[0].values)
    if "_id" in columns and "text" in columns:
        yield from _documents(everything, name, unit)
        return
    pair = faq_columns(columns) or _faq_by_content(columns, first)
    above = (caption,) if caption else ()
    place = _line if unit == "Line" else _no_line
    add = _faq_adder(pair, _named(columns, _TOPIC), place, above) if pair else _row_adder(place, above)
    yield from numbered(_parts(everything, name, add, caption))


def faq_columns(columns: Sequence[str]) -> tuple[str, str] | None:
    """The question and the answer column, by their names."""
    question, answer = _named(columns, _QUESTION), _named(columns, _ANSWER)
    return (question, answer) if question is not None and answer is not None else None


def _named(columns: Sequence[str], names: set[str]) -> str | None:
    """The column of that name, or else the first whose name begins with one, such as `answer text`."""
    for column in columns:
        if column.strip().lower() in names:
            return column
    for column in columns:
        first, *rest = _WORD_END.split(column.strip().lower())
        if rest and first in names - _LETTERS and not _FACTS & set(rest):
            return column
    return None


def _faq_by_content(columns: Sequence[str], rows: Sequence[Row]) -> tuple[str, str] | None:
    """Of exactly two columns, the one whose texts mostly end in a question mark, when the other's do not."""
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
    """A cell as text: lists one item a line, other structures as JSON, nothing as empty."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str | int | float) for item in value):
        return "\n".join(str(item) for item in value)
    return json.dumps(value, ensure_ascii=False)


def _documents(rows: Iterator[Row], name: str, unit: str) -> Iterator[Document]:
    for row in rows:
        where = f"{unit} {row.number}"
        missing = [column for column in ("_id", "text") if column not in row.values]
        if missing:
            found = ", ".join(list(row.values)[:8]) or "no columns"
            raise UnreadableFileError(f"{where}: found {found}, expected `_id` and `text` as in the rows before.")
        title = clean(text_of(row.values.get("title"))).strip()
        text = clean(text_of(row.values["text"])).strip() or title
        key = clean(text_of(row.values["_id"])).strip()
        if not key:
            raise UnreadableFileError(f"{where}: found an empty `_id`, expected one that names the document.")
        segments = tuple(paragraphs(text, None))
        if segments:
            yield Document(name, text, "table", key, " ".join(title.split()), segments)


def _parts(rows: Iterator[Row], name: str, add: _Adder, title: str) -> Iterator[Document]:
    builder = TextBuilder()
    for row in rows:
        if builder.length > PART_CHARS:
            yield builder.document(name, "table", title)
            builder = TextBuilder()
        add(builder, row)
    if builder.length:
        yield builder.document(name, "table", title)


def _line(row: Row) -> Place:
    return Place(line_start=row.number, line_end=row.number)


def _no_line(row: Row) -> Place:  # noqa: ARG001
    return NOWHERE


def _faq_adder(pair: tuple[str, str], topic: str | None, place: _Placer, above: tuple[str, ...]) -> _Adder:
    """Adds a question and its answer; an answer without a question becomes text."""

    def add(builder: TextBuilder, row: Row) -> None:
        question, answer = (text_of(row.values.get(column)).strip() for column in pair)
        builder.under((*above, text_of(row.values.get(topic))) if topic else above)
        builder.add(question, "question", place(row))
        builder.add(answer, "answer" if question else "text", place(row), gap="\n" if question else "\n\n")

    return add


def _row_adder(place: _Placer, above: tuple[str, ...]) -> _Adder:
    """Adds a row as `column: value` lines, empty values left out."""

    def add(builder: TextBuilder, row: Row) -> None:
        lines = [f"{column}: {text}" for column, value in row.values.items() if (text := text_of(value).strip())]
        builder.under(above)
        builder.add("\n".join(lines), "row", place(row))

    return add
