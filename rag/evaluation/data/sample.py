"""Judgments that come with the sample library, joined with the passages of an index that holds its files.

    examples/library/judgments/qa.jsonl
    {"id": "qa-001", "question": "...", "relevant": [{"file": "policies/training.md", "passage": "..."}], ...}

A judgment names words of a file, so it holds however the file is cut.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import DatasetError
from rag.evaluation.data.datasets import Dataset, Provenance, assemble
from rag.evaluation.data.passages import as_records
from rag.ingest.sample import LIBRARY
from rag.tasks.corpus import Passage

NOTE = (
    "Judgments of the sample library: questions and documents were written together, so they compare systems on them "
    "and say little about other documents."
)
_LEAST_PART = 12
"""Fewest characters of a passage that tell where it is cut in two."""


@dataclass(frozen=True, slots=True)
class SampleQuestion:
    """One judged question of the sample library; `relevant` has pairs of a file's name and words in it."""

    id: str
    text: str
    relevant: tuple[tuple[str, str], ...]

    def is_about(self, files: Collection[str]) -> bool:
        """True when one of these files answers the question."""
        return any(file in files for file, _ in self.relevant)


def sample_questions(task: str, library: Path = LIBRARY) -> list[SampleQuestion]:
    """Read the judged questions of a task; none where the sample library is not beside the package."""
    path = library / "judgments" / f"{task}.jsonl"
    if not path.is_file():
        return []
    return [_question(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def sample_sizes(questions: Sequence[SampleQuestion], library: Path = LIBRARY) -> dict[str, int]:
    """Bytes of the files that questions are about, by name: a file of this name and size is the sample's."""
    paths = {file: library / file for question in questions for file, _ in question.relevant}
    return {file: path.stat().st_size for file, path in paths.items() if path.is_file()}


def from_sample(passages: Sequence[Passage], task: str, library: Path = LIBRARY) -> Dataset:
    """Join the judgments of the sample library with the passages of an index.

    Args:
        passages: All chunks of the task's index.
        task: Name of the task.
        library: Folder of the sample library.

    Raises:
        DatasetError: The index holds nothing of what the questions are about.
    """
    judged = sample_questions(task, library)
    by_file: dict[str, list[Passage]] = {}
    for passage in passages:
        by_file.setdefault(passage.name, []).append(passage)
    texts = {passage.id: _squeezed(passage.text) for passage in passages}
    questions: dict[str, str] = {}
    rows: dict[tuple[str, str], int] = {}
    for question in judged:
        points = {
            point for file, words in question.relevant for point in holding(words, by_file.get(file, []), texts)
        }
        if points:
            questions[question.id] = question.text
            rows |= {(question.id, point): 1 for point in sorted(points)}
    if not questions:
        raise DatasetError(
            f"Found none of the {len(judged)} passages that the sample library's questions of task {task!r} are about. "
            "Load it first: `python -m rag ingest --sample`."
        )
    provenance = Provenance("sample", "sample", (NOTE, *_left_out(judged, questions)))
    return assemble(f"{task} of the sample library", as_records(passages), questions, rows, provenance)


def holding(words: str, passages: Sequence[Passage], texts: Mapping[str, str]) -> list[str]:
    """Ids of the passages that hold some words; of two that share them, the one with the larger part.

    Args:
        words: Words of a file, white space collapsed or not.
        passages: Chunks of that file, in order.
        texts: Text of each chunk by id, white space collapsed.
    """
    words = _squeezed(words)
    whole = [passage.id for passage in passages if words in texts[passage.id]]
    if whole:
        return whole
    for first, second in zip(passages, passages[1:], strict=False):
        head = _end_and_beginning(texts[first.id], words)
        tail = _end_and_beginning(words, texts[second.id])
        # A space is lost where the words are cut, and neighbours may share some.
        if min(head, tail) > 0 and max(head, tail) >= _LEAST_PART and head + tail + 1 >= len(words):
            return [first.id if head >= tail else second.id]
    return []


def _end_and_beginning(before: str, after: str) -> int:
    """Length of the longest end of one text that the other begins with."""
    longest = min(len(before), len(after))
    return next((size for size in range(longest, 0, -1) if before.endswith(after[:size])), 0)


def _left_out(judged: Sequence[SampleQuestion], used: Collection[str]) -> tuple[str, ...]:
    missing = len(judged) - len(used)
    if not missing:
        return ()
    return (f"{missing} of {len(judged)} questions are about passages that are not in the index; they are left out.",)


def _question(row: Mapping[str, Any]) -> SampleQuestion:
    relevant = tuple((part["file"], part["passage"]) for part in row["relevant"])
    return SampleQuestion(row["id"], row["question"], relevant)


def _squeezed(text: str) -> str:
    return " ".join(text.split())
