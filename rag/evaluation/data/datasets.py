"""Judged data in the BEIR layout, from a folder or a zip file, checked on reading.

    corpus.jsonl   {"_id": "d1", "title": "...", "text": "..."}
    queries.jsonl  {"_id": "q1", "text": "..."}
    qrels/*.tsv    query-id <tab> corpus-id <tab> grade

The header of the judgments is optional, and TREC's four columns are read too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rag.errors import DatasetError
from rag.tasks.corpus import Record
from rag.evaluation.data.parsing import json_lines, parse_judgments, row_id, row_text
from rag.evaluation.data.sources import Source, open_source

MAX_UNJOINED = 0.01
"""Share of judgments that may name an unknown question or document before the data are refused."""
LISTED = 5
"""How many offenders a message names."""
_SELF_MATCH = 0.8
"""Share of a question's words in the document of its id from which on the question is that document."""


@dataclass(frozen=True, slots=True)
class DatasetQuestion:
    """One judged question."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """The source of judgments.

    Attributes:
        split: The judgments file used, without its extension.
        origin: `uploaded`, `sample`, `synthetic` or `feedback`.
        notes: Sentences that a reader of the results should know.
    """

    split: str = "test"
    origin: str = "uploaded"
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dataset:
    """Documents, questions and which answers which.

    Attributes:
        name: The name in reports.
        documents: Everything that can be found.
        questions: Those with at least one relevant document, in file order.
        judged: Grade by document id, by question id; a missing document has grade 0.
        split: As in `Provenance`, and so are `origin` and `notes`.
        self_matches: Questions that are documents of the same id; that document is left out of their rankings.
    """

    name: str
    documents: tuple[Record, ...]
    questions: tuple[DatasetQuestion, ...]
    judged: Mapping[str, Mapping[str, int]]
    split: str = "test"
    origin: str = "uploaded"
    self_matches: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()

    def only(self, questions: Iterable[str]) -> Dataset:
        """The same documents with some of the questions, in this dataset's order."""
        keys = set(questions)
        subset = tuple(question for question in self.questions if question.id in keys)
        judged = {question.id: self.judged[question.id] for question in subset}
        return replace(self, questions=subset, judged=judged, self_matches=self.self_matches & judged.keys())


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
        qrels = _choose_split(source, split)
        rows = parse_judgments(source.lines(qrels), source.label(qrels))
    name = path.stem if path.is_file() else path.resolve().name
    return assemble(name, documents, questions, rows, Provenance(Path(qrels).stem))


def assemble(
    name: str,
    documents: Mapping[str, Record],
    questions: Mapping[str, str],
    rows: Mapping[tuple[str, str], int],
    provenance: Provenance | None = None,
) -> Dataset:
    """Join documents, questions and judgments into a dataset, refusing what does not join.

    Args:
        name: Name of the dataset.
        documents: Document by id.
        questions: Question text by id.
        rows: Grade by (question id, document id).
        provenance: The source of the judgments.

    Raises:
        DatasetError: More than 1% of the judgments name an unknown id, or no question has a relevant document.
    """
    source = provenance or Provenance()
    notes = list(source.notes)
    unjoined = [pair for pair in rows if pair[0] not in questions or pair[1] not in documents]
    if unjoined:
        notes.append(_unjoined_note(name, unjoined, len(rows), questions))
    selves = frozenset(key for key in questions if key in documents and _is_document(questions[key], documents[key]))
    judged = _grades(rows, set(unjoined), selves)
    if not judged:
        raise DatasetError(
            f"{name}: found {len(rows)} judgments and no question with a relevant document; expected at least one "
            f"row of grade 1 or more in {source.split}.tsv that names a question and a document of this dataset."
        )
    selves &= judged.keys()
    if selves:
        notes.append(f"{len(selves)} questions are documents themselves; each is left out of its own ranking.")
    if len(questions) > len(judged):
        notes.append(
            f"{len(questions) - len(judged)} of {len(questions)} questions have no relevant document and are not used."
        )
    usable = tuple(DatasetQuestion(key, text) for key, text in questions.items() if key in judged)
    return Dataset(
        name, tuple(documents.values()), usable, judged, source.split, source.origin, selves, tuple(notes)
    )


def _grades(
    rows: Mapping[tuple[str, str], int], unjoined: set[tuple[str, str]], selves: frozenset[str]
) -> dict[str, dict[str, int]]:
    """Grades of every question that has a relevant document, by question id and document id."""
    judged: dict[str, dict[str, int]] = {}
    for (question, document), grade in rows.items():
        is_itself = question == document and question in selves
        if (question, document) not in unjoined and not is_itself:
            judged.setdefault(question, {})[document] = grade
    return {question: grades for question, grades in judged.items() if max(grades.values()) > 0}


def _documents(source: Source) -> dict[str, Record]:
    documents: dict[str, Record] = {}
    for line, row in json_lines(source, "corpus.jsonl"):
        where = f"{source.label('corpus.jsonl')}, line {line}"
        key = row_id(row, where)
        if key in documents:
            raise DatasetError(f"{where}: found the id {key!r} a second time, expected every `_id` once.")
        documents[key] = Record(key, row_text(row, "title", where, optional=True), row_text(row, "text", where))
    if not documents:
        raise DatasetError(f"{source.label('corpus.jsonl')}: found no document, expected one JSON object on each line.")
    return documents


def _questions(source: Source) -> dict[str, str]:
    questions: dict[str, str] = {}
    for line, row in json_lines(source, "queries.jsonl"):
        where = f"{source.label('queries.jsonl')}, line {line}"
        key = row_id(row, where)
        if key in questions:
            raise DatasetError(f"{where}: found the id {key!r} a second time, expected every `_id` once.")
        questions[key] = row_text(row, "text", where)
        if not questions[key].strip():
            raise DatasetError(f"{where}: found an empty question, expected `text` with at least one word.")
    return questions


def _choose_split(source: Source, split: str | None) -> str:
    """Path of the judgments file inside the source."""
    names = {Path(name).stem: name for name in source.names("qrels", ".tsv")}
    if not names:
        raise DatasetError(f"{source.label('qrels')}: found no .tsv file, expected judgments such as qrels/test.tsv.")
    if split is not None:
        if split not in names:
            raise DatasetError(
                f"{source.label('qrels')}: no judgments named {split!r}; found {', '.join(sorted(names))}."
            )
        return names[split]
    for stem in ("test", *(names if len(names) == 1 else ()), "dev"):
        if stem in names:
            return names[stem]
    raise DatasetError(
        f"{source.label('qrels')}: found {', '.join(sorted(names))}; expected test.tsv, dev.tsv or a "
        "single file. Name one."
    )


def _unjoined_note(name: str, unjoined: Sequence[tuple[str, str]], total: int, questions: Mapping[str, str]) -> str:
    """Say which judgments join nothing; raised as an error when there are too many."""
    unknown = list(dict.fromkeys(question if question not in questions else document for question, document in unjoined))
    listed = ", ".join(repr(key) for key in unknown[:LISTED]) + (", ..." if len(unknown) > LISTED else "")
    note = (
        f"{len(unjoined)} of {total} judgments name an id that is neither in queries.jsonl nor in corpus.jsonl: "
        f"{listed}."
    )
    if len(unjoined) > MAX_UNJOINED * total:
        raise DatasetError(
            f"{name}: {note} Expected at most {MAX_UNJOINED:.0%}. "
            "Check that the judgments belong to this corpus and these questions."
        )
    return note


def _is_document(question: str, document: Record) -> bool:
    """True when a question is the document of its id, not one that has the same number by chance."""
    words = set(re.findall(r"\w+", question.lower()))
    in_document = set(re.findall(r"\w+", f"{document.title} {document.text}".lower()))
    return bool(words) and len(words & in_document) >= _SELF_MATCH * len(words)
