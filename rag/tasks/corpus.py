"""A corpus and the judgments that can be made from it alone: plain data and text helpers, cheap to import."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Record:
    """One document of a judged corpus."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Passage:
    """One chunk of an index.

    Attributes:
        id: Point id.
        document: Document id.
        name: File name.
        ordinal: Position in the document.
        text: The chunk's text.
        key: Row of the file, or empty.
        title: Title of the document, or empty.
        headings: Headings above it, outermost first.
        symbol: Function or class name, or empty.
        answer: Stored answer of an FAQ entry, or empty.
        summary: Summary of the document, or empty.
        language: Programming language, or empty.
    """

    id: str
    document: str
    name: str
    ordinal: int
    text: str
    key: str = ""
    title: str = ""
    headings: tuple[str, ...] = ()
    symbol: str = ""
    answer: str = ""
    summary: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class CorpusJudgments:
    """Judgments made from a corpus itself.

    Attributes:
        records: Documents to find, by id; what a question was made of is taken out of them.
        questions: Question text by id.
        rows: Grade by (question id, document id).
        how: How they were made, in a sentence that reports repeat.
    """

    records: Mapping[str, Record]
    questions: Mapping[str, str]
    rows: Mapping[tuple[str, str], int]
    how: str


def passages_by_document(passages: Iterable[Passage]) -> Iterator[list[Passage]]:
    """Group passages by document, in the order of their first passages."""
    groups: dict[str, list[Passage]] = {}
    for passage in passages:
        groups.setdefault(passage.document, []).append(passage)
    yield from groups.values()


def count_words(text: str) -> int:
    """Number of words in a text."""
    return len(_WORD.findall(text))


def normalise(text: str) -> str:
    """Lower-cased words with single spaces, so that two spellings of one heading or answer are equal."""
    return " ".join(_WORD.findall(text)).lower()


def first_words(text: str, limit: int) -> str:
    """At most `limit` words of a text, with single spaces."""
    return " ".join(text.split()[:limit])


def without_lines(text: str, lines: Sequence[str]) -> str:
    """Remove the lines of a text that say no more than one of `lines`, such as a heading that became a question."""
    removed = {normalise(line) for line in lines if line.strip()}
    return "\n".join(line for line in text.splitlines() if normalise(line) not in removed or not line.strip()).strip()
