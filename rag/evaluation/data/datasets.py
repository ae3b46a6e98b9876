"""Judged data in the BEIR layout, from a folder or a zip file, checked on reading.

    corpus.jsonl   {"_id": "d1", "title": "...", "text": "..."}
    queries.jsonl  {"_id": "q1", "text": "..."}
    qrels/*.tsv    query-id <tab> corpus-id <tab> grade

The header of the judgments is optional, and TREC's four columns are read too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from rag.errors import DatasetError
from rag.evaluation.data.parsing import json_lines, parse_judgments, row_id, row_text
from rag.evaluation.data.sources import Source, open_source

MAX_UNJOINED = 0.01
"""Share of judgments that may name an unknown question or document before the data are refused."""
LISTED = 5
"""How many offenders a message names."""


@dataclass(frozen=True, slots=True)
class Record:
    """One document to find."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """One judged question."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Dataset:
    """Documents, questions and which answers which.

    Attributes:
        name: What reports call it.
        documents: Everything that can be found.
        questions: Those with at least one relevant document, in file order.
        judged: Grade by document id, by question id; a missing document has grade 0.
        split: The judgments file used, without its extension.
        origin: Where the judgments come from: `uploaded`, `synthetic` or `feedback`.
        self_matches: Questions that are documents of the same id; that document is left out of their rankings.
        notes: What a reader of the results should know, in sentences.
    """

    name: str
    documents: tuple[Record, ...]
    questions: tuple[Question, ...]
    judged: Mapping[str, Mapping[str, int]]
    split: str = "test"
    origin: str = "uploaded"
    self_matches: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()

    def only(self, questions: Iterable[str]) -> Dataset:
        """The same documents with some of the questions, in this dataset's order."""
        wanted = set(questions)
        kept = tuple(question for question in self.questions if question.id in wanted)
        judged = {question.id: self.judged[question.id] for question in kept}
        return replace(self, questions=kept, judged=judged, self_matches=self.self_matches & judged.keys())


def load_dataset(path: Path, split: str | None = None) -> Dataset:
    """Read a folder or a zip file in the BEIR layout; a zip file is read without being unpacked.

    Args:
        path: The folder, or the zip file.
        split: Name of the judgments file without `.tsv`; by default `test`, else the only one, else `dev`.

    Raises:
        DatasetError: Malformed data: the file, the line, what was found and what was expected.
    """
    with open_source(path) as source:
        documents = _documents(source)
        questions = _questions(source)
        chosen = _choose_split(source, split)
        rows = parse_judgments(source.lines(chosen), source.label(chosen))
    return assemble(
        path.stem if path.is_file() else path.resolve().name, documents, questions, rows, split=Path(chosen).stem
    )


def assemble(
    name: str,
    documents: Mapping[str, Record],
    questions: Mapping[str, str],
    rows: Mapping[tuple[str, str], int],
    *,
    split: str = "test",
    origin: str = "uploaded",
    notes: Iterable[str] = (),
) -> Dataset:
    """Join documents, questions and judgments into a dataset, refusing what does not join.

    Args:
        name: Name of the dataset.
        documents: Document by id.
        questions: Question text by id.
        rows: Grade by (question id, document id).
        split: Name of the judgments.
        origin: Where the judgments come from.
        notes: Sentences to carry along.

    Raises:
        DatasetError: More than 1% of the judgments name an unknown id, or no question has a relevant document.
    """
    said = list(notes)
    lost = [pair for pair in rows if pair[0] not in questions or pair[1] not in documents]
    if lost:
        said.append(_unjoined(name, lost, len(rows), questions))
    selves = frozenset(key for key in questions if key in documents and _is_document(questions[key], documents[key]))
    judged: dict[str, dict[str, int]] = {}
    gone = set(lost)
    for (question, document), grade in rows.items():
        if (question, document) not in gone and not (question == document and question in selves):
            judged.setdefault(question, {})[document] = grade
    judged = {question: grades for question, grades in judged.items() if max(grades.values()) > 0}
    if not judged:
        raise DatasetError(
            f"{name}: found {len(rows)} judgments and no question with a relevant document; expected at least one "
            f"row of grade 1 or more in {split}.tsv that names a question and a document of this dataset."
        )
    selves &= judged.keys()
    if selves:
        said.append(f"{len(selves)} questions are documents themselves; each is left out of its own ranking.")
    if len(questions) > len(judged):
        said.append(
            f"{len(questions) - len(judged)} of {len(questions)} questions have no relevant document and are not used."
        )
    kept = tuple(Question(key, text) for key, text in questions.items() if key in judged)
    return Dataset(name, tuple(documents.values()), kept, judged, split, origin, selves, tuple(said))


def _documents(source: Source) -> dict[str, Record]:
    found: dict[str, Record] = {}
    for line, row in json_lines(source, "corpus.jsonl"):
        where = f"{source.label('corpus.jsonl')}, line {line}"
        key = row_id(row, where)
        if key in found:
            raise DatasetError(f"{where}: found the id {key!r} a second time, expected every `_id` once.")
        found[key] = Record(key, row_text(row, "title", where, optional=True), row_text(row, "text", where))
    if not found:
        raise DatasetError(f"{source.label('corpus.jsonl')}: found no document, expected one JSON object on each line.")
    return found


def _questions(source: Source) -> dict[str, str]:
    found: dict[str, str] = {}
    for line, row in json_lines(source, "queries.jsonl"):
        where = f"{source.label('queries.jsonl')}, line {line}"
        key = row_id(row, where)
        if key in found:
            raise DatasetError(f"{where}: found the id {key!r} a second time, expected every `_id` once.")
        found[key] = row_text(row, "text", where)
        if not found[key].strip():
            raise DatasetError(f"{where}: found an empty question, expected `text` with at least one word.")
    return found


def _choose_split(source: Source, split: str | None) -> str:
    names = {Path(name).stem: name for name in source.names("qrels", ".tsv")}
    if not names:
        raise DatasetError(f"{source.label('qrels')}: found no .tsv file, expected judgments such as qrels/test.tsv.")
    if split is not None:
        if split not in names:
            raise DatasetError(
                f"{source.label('qrels')}: no judgments named {split!r}; found {', '.join(sorted(names))}."
            )
        return names[split]
    for wanted in ("test", *(names if len(names) == 1 else ()), "dev"):
        if wanted in names:
            return names[wanted]
    raise DatasetError(
        f"{source.label('qrels')}: found {', '.join(sorted(names))}; expected test.tsv, dev.tsv or a "
        "single file. Name one."
    )


def _unjoined(name: str, lost: list[tuple[str, str]], total: int, questions: Mapping[str, str]) -> str:
    """A sentence on judgments that join nothing; raised when there are too many."""
    unknown = [q if q not in questions else d for q, d in lost]
    distinct = list(dict.fromkeys(unknown))
    some = ", ".join(repr(key) for key in distinct[:LISTED]) + (", ..." if len(distinct) > LISTED else "")
    said = f"{len(lost)} of {total} judgments name an id that is neither in queries.jsonl nor in corpus.jsonl: {some}."
    if len(lost) > MAX_UNJOINED * total:
        raise DatasetError(
            f"{name}: {said} Expected at most {MAX_UNJOINED:.0%}. "
            "Check that the judgments belong to this corpus and these questions."
        )
    return said


def _is_document(question: str, document: Record) -> bool:
    """Whether a question is the document of its id, not one that has the same number by chance."""
    words = set(re.findall(r"\w+", question.lower()))
    own = set(re.findall(r"\w+", f"{document.title} {document.text}".lower()))
    return bool(words) and len(words & own) >= 0.8 * len(words)
