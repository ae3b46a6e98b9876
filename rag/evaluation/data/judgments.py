"""Judgments about one's own index: from use, from a file, and written out for other tools."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from statistics import median

from rag.catalog.feedback import Feedback
from rag.errors import DatasetError
from rag.evaluation.data.datasets import Dataset, assemble
from rag.evaluation.data.parsing import parse_judgments
from rag.evaluation.data.passages import Passage, as_records, whole_documents
from rag.evaluation.report.results import write_text
from rag.evaluation.data.sources import numbered_lines
from rag.evaluation.run.vectors import digest
from rag.retrieval.retriever import Retrieved
from rag.types import Answer, Hit

UP, DOWN = 1, 0


def from_feedback(given: Sequence[Feedback], passages: Sequence[Passage], task: str, name: str = "") -> Dataset:
    """Judgments from thumbs: up is relevant, down is not; the last thumb on a question and a source wins.

    A thumb up on an answer counts for the sources it cites; a thumb down on an answer blames none of them. A source
    that was ingested again is found by its text.

    Args:
        given: Thumbs, the oldest first.
        passages: All chunks of the task's index as it is now.
        task: Name of the task; thumbs on other tasks are left out.
        name: Name of the dataset.

    Raises:
        DatasetError: No thumb up on a source that is still there.
    """
    known = {one.id: one.id for one in passages}
    by_text = {(one.document, one.text): one.id for one in passages}
    questions: dict[str, str] = {}
    rows: dict[tuple[str, str], int] = {}
    counted: list[Feedback] = []
    gone = 0
    for thumb in (one for one in given if one.task == task and (one.helpful or one.about == "citation")):
        for point, document, text in zip(thumb.points, thumb.documents, thumb.texts, strict=True):
            here = known.get(point) or by_text.get((document, text))
            if here is None:
                gone += 1
                continue
            question = f"u-{digest(_question(thumb.question))[:12]}"
            questions[question] = thumb.question
            rows[question, here] = UP if thumb.helpful else DOWN
            counted.append(thumb)
    if UP not in rows.values():
        raise DatasetError(
            f"Found {len(given)} thumbs and none that says which source of task {task!r} helps; expected at least one "
            "thumb up on an answer with citations, or on a source. Give some in the chat first."
        )
    notes = [rank_bias(counted)]
    if gone:
        notes.append(f"{gone} thumbs are about sources that are no longer in the index; they are left out.")
    return assemble(
        name or f"{task} feedback",
        as_records(passages),
        questions,
        rows,
        split="feedback",
        origin="feedback",
        notes=notes,
    )


def on_citation(retrieved: Retrieved, hit: Hit, helpful: bool, recipe: str = "") -> Feedback:
    """A thumb on one source, with what was shown.

    Args:
        retrieved: What the question found.
        hit: The source.
        helpful: Thumb up or down.
        recipe: Fingerprint of the index.
    """
    return _thumb(retrieved, [hit], helpful, "citation", recipe)


def on_answer(retrieved: Retrieved, answer: Answer, helpful: bool, recipe: str = "") -> Feedback:
    """A thumb on an answer; it is about the sources that the answer cites."""
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


def rank_bias(given: Sequence[Feedback]) -> str:
    """What people could not judge, in a sentence: only what was shown got a thumb."""
    ranks = [one.rank for one in given if one.rank > 0]
    modes = Counter(f"{one.mode} {one.strategy}" for one in given)
    shown = ", ".join(f"{count} {mode}" for mode, count in modes.most_common())
    where = f"at ranks 1 to {max(ranks)}, half of them at {median(ranks):g} or better" if ranks else "at no known rank"
    return (
        f"Judgments from use: {len(given)} thumbs ({shown}), given {where}. Only what was shown could be judged, so "
        "systems like the one that was used are favoured, and what it never showed counts as not relevant."
    )


def from_file(path: Path, passages: Sequence[Passage], task: str, name: str = "") -> Dataset:
    """Judgments of one's own about the documents of an index.

    Each line has a question, a document and a grade, with tabs between them. The document is a file name, the row of a
    file that holds documents as rows, a document id, or `name/row`.

    Raises:
        DatasetError: A malformed line, or more than 1% of the lines name no document of the index.
    """
    if not path.is_file():
        raise DatasetError(f"{path}: no such file, expected lines of question, document and grade with tabs between.")
    given = parse_judgments(numbered_lines(path), str(path))
    documents = whole_documents(passages)
    names = _names(passages)
    questions: dict[str, str] = {}
    rows: dict[tuple[str, str], int] = {}
    for (question, document), grade in given.items():
        key = f"u-{digest(_question(question))[:12]}"
        questions[key] = question
        rows[key, names.get(document, document)] = grade
    return assemble(name or f"{task}, {path.name}", documents, questions, rows, split=path.stem)


def _names(passages: Iterable[Passage]) -> dict[str, str]:
    """Document id by every name that means one document only."""
    found: dict[str, set[str]] = {}
    for one in passages:
        for name in {one.document, one.name, one.key, f"{one.name}/{one.key}"} - {""}:
            found.setdefault(name, set()).add(one.document)
    return {name: next(iter(ids)) for name, ids in found.items() if len(ids) == 1}


def write_dataset(dataset: Dataset, folder: Path) -> Path:
    """Write a dataset in the BEIR layout, with a SOURCE.md that says where its judgments come from.

    `load_dataset` reads it back; a rank bias is stated in SOURCE.md.
    """
    write_text(
        folder / "corpus.jsonl", _lines({"_id": d.id, "title": d.title, "text": d.text} for d in dataset.documents)
    )
    write_text(folder / "queries.jsonl", _lines({"_id": q.id, "text": q.text} for q in dataset.questions))
    rows = [
        f"{question}\t{document}\t{grade}\n"
        for question, grades in dataset.judged.items()
        for document, grade in grades.items()
    ]
    write_text(folder / "qrels" / "test.tsv", "query-id\tcorpus-id\tscore\n" + "".join(rows))
    notes = "".join(f"- {note}\n" for note in dataset.notes)
    write_text(folder / "SOURCE.md", f"# {dataset.name}\n\nJudgments: {dataset.origin}.\n\n{notes}")
    return folder


def _lines(rows: Iterator[dict[str, str]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _question(text: str) -> str:
    return " ".join(text.split()).lower()
