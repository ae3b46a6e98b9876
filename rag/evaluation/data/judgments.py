"""Judgments about one's own index: from use, from a file, and written out for other tools."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from rag.catalog.feedback import Feedback
from rag.errors import DatasetError
from rag.tasks.corpus import Passage
from rag.evaluation.data.datasets import Dataset, Provenance, assemble
from rag.evaluation.data.parsing import parse_judgments
from rag.evaluation.data.passages import as_records, whole_documents
from rag.evaluation.data.sources import numbered_lines
from rag.evaluation.files import write_output
from rag.evaluation.hashing import digest
from rag.types import Answer, Hit

if TYPE_CHECKING:
    from rag.retrieval.request import Retrieved

UP, DOWN = 1, 0
"""Grades of a thumb."""


def from_feedback(thumbs: Sequence[Feedback], passages: Sequence[Passage], task: str, name: str = "") -> Dataset:
    """Turn thumbs into judgments: up is relevant, down is not; the last thumb on a question and a source wins.

    A thumb up on an answer counts for the sources it cites; a thumb down on an answer blames none of them. A source
    that was ingested again is recognised by its text.

    Args:
        thumbs: The oldest first.
        passages: All chunks of the task's index as it is now.
        task: Name of the task; thumbs on other tasks are left out.
        name: Name of the dataset.

    Raises:
        DatasetError: No thumb up on a source that is still in the index.
    """
    points = {passage.id for passage in passages}
    by_text = {(passage.document, passage.text): passage.id for passage in passages}
    questions: dict[str, str] = {}
    rows: dict[tuple[str, str], int] = {}
    counted: list[Feedback] = []
    lost = 0
    for thumb in (thumb for thumb in thumbs if thumb.task == task and (thumb.helpful or thumb.about == "citation")):
        for point, document, text in zip(thumb.points, thumb.documents, thumb.texts, strict=True):
            current = point if point in points else by_text.get((document, text))
            if current is None:
                lost += 1
                continue
            key = _question_id(thumb.question)
            questions[key] = thumb.question
            rows[key, current] = UP if thumb.helpful else DOWN
            counted.append(thumb)
    if UP not in rows.values():
        raise DatasetError(
            f"Found {len(thumbs)} thumbs and none that says which source of task {task!r} helps; expected at least one "
            "thumb up on an answer with citations, or on a source. Give some in the chat first."
        )
    notes = [rank_bias(counted)]
    if lost:
        notes.append(f"{lost} thumbs are about sources that are no longer in the index; they are left out.")
    provenance = Provenance("feedback", "feedback", tuple(notes))
    return assemble(name or f"{task} feedback", as_records(passages), questions, rows, provenance)


def on_citation(retrieved: Retrieved, hit: Hit, helpful: bool, recipe: str = "") -> Feedback:
    """Make a thumb on one source, with what was shown.

    Args:
        retrieved: The hits of the question.
        hit: The source.
        helpful: Thumb up or down.
        recipe: Fingerprint of the index.
    """
    return _thumb(retrieved, [hit], helpful, "citation", recipe)


def on_answer(retrieved: Retrieved, answer: Answer, helpful: bool, recipe: str = "") -> Feedback:
    """Make a thumb on an answer; it is about the sources that the answer cites."""
    return _thumb(retrieved, [citation.hit for citation in answer.citations], helpful, "answer", recipe)


def _thumb(retrieved: Retrieved, hits: Sequence[Hit], helpful: bool, about: str, recipe: str) -> Feedback:
    return Feedback(
        task=retrieved.task,
        question=retrieved.question,
        helpful=helpful,
        about=about,
        points=tuple(hit.id for hit in hits),
        documents=tuple(hit.payload.document for hit in hits),
        texts=tuple(hit.payload.chunk.text for hit in hits),
        rank=min((hit.rank for hit in hits), default=0),
        mode=retrieved.mode.value,
        strategy=retrieved.strategy.value,
        recipe=recipe,
    )


def rank_bias(thumbs: Sequence[Feedback]) -> str:
    """Say in a sentence how far people could judge: only what was shown got a thumb."""
    ranks = [thumb.rank for thumb in thumbs if thumb.rank > 0]
    modes = Counter(f"{thumb.mode} {thumb.strategy}" for thumb in thumbs)
    by_mode = ", ".join(f"{count} {mode}" for mode, count in modes.most_common())
    span = f"at ranks 1 to {max(ranks)}, half of them at {median(ranks):g} or better" if ranks else "at no known rank"
    return (
        f"Judgments from use: {len(thumbs)} thumbs ({by_mode}), given {span}. Only what was shown could be judged, so "
        "systems like the one that was used are favoured, and what it never showed counts as not relevant."
    )


def from_file(path: Path, passages: Sequence[Passage], task: str, name: str = "") -> Dataset:
    """Read judgments of one's own about the documents of an index.

    Each line has a question, a document and a grade, with tabs between them. The document is a file name, the row of a
    file that holds documents as rows, a document id, or `name/row`.

    Raises:
        DatasetError: A malformed line, or more than 1% of the lines name no document of the index.
    """
    if not path.is_file():
        raise DatasetError(f"{path}: no such file, expected lines of question, document and grade with tabs between.")
    names = _document_names(passages)
    questions: dict[str, str] = {}
    rows: dict[tuple[str, str], int] = {}
    for (question, document), grade in parse_judgments(numbered_lines(path), str(path)).items():
        key = _question_id(question)
        questions[key] = question
        rows[key, names.get(document, document)] = grade
    documents = whole_documents(passages)
    return assemble(name or f"{task}, {path.name}", documents, questions, rows, Provenance(path.stem))


def _document_names(passages: Iterable[Passage]) -> dict[str, str]:
    """Document id by every name that means one document only."""
    ids: dict[str, set[str]] = {}
    for passage in passages:
        for name in {passage.document, passage.name, passage.key, f"{passage.name}/{passage.key}"} - {""}:
            ids.setdefault(name, set()).add(passage.document)
    return {name: next(iter(documents)) for name, documents in ids.items() if len(documents) == 1}


def write_dataset(dataset: Dataset, folder: Path) -> Path:
    """Write a dataset in the BEIR layout, with a SOURCE.md that says where its judgments come from.

    `load_dataset` reads it back; a rank bias is stated in SOURCE.md.

    Raises:
        SettingsError: The folder cannot be written.
    """
    corpus = ({"_id": record.id, "title": record.title, "text": record.text} for record in dataset.documents)
    queries = ({"_id": question.id, "text": question.text} for question in dataset.questions)
    write_output(folder / "corpus.jsonl", _jsonl(corpus))
    write_output(folder / "queries.jsonl", _jsonl(queries))
    rows = [
        f"{question}\t{document}\t{grade}\n"
        for question, grades in dataset.judged.items()
        for document, grade in grades.items()
    ]
    write_output(folder / "qrels" / "test.tsv", "query-id\tcorpus-id\tscore\n" + "".join(rows))
    notes = "".join(f"- {note}\n" for note in dataset.notes)
    write_output(folder / "SOURCE.md", f"# {dataset.name}\n\nJudgments: {dataset.origin}.\n\n{notes}")
    return folder


def _jsonl(rows: Iterable[dict[str, str]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _question_id(text: str) -> str:
    """Id of a question by its words, so that spaces and case make no second one."""
    return f"u-{digest(' '.join(text.split()).lower())[:12]}"
