"""What an evaluation found, as plain data that can be written, read back and shown."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rag.errors import DatasetError, SettingsError
from rag.evaluation.stats.metrics import MAIN, Scores
from rag.evaluation.stats.significance import Comparison, Interval

SHOWN = 10
"""Ranks that a result keeps for reading."""


@dataclass(frozen=True, slots=True)
class SystemScores:
    """One system's scores.

    Attributes:
        name: As in `systems`; `title` is for people.
        group: `prompts alone` or `whole pipeline`.
        prompts: The exact strings before a query and a document, or None when it uses no vectors of its own.
        shipped: Whether these prompts are the ones that the task ships with.
        means: By metric.
        intervals: Of the means, by metric.
        values: Per question, by metric, in the order of the result's questions.
        rankings: The first ten document ids of each question.
    """

    name: str
    title: str
    group: str
    prompts: tuple[str, str] | None
    shipped: bool
    means: Mapping[str, float]
    intervals: Mapping[str, Interval]
    values: Mapping[str, tuple[float, ...]]
    rankings: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class JudgedQuestion:
    """A question with its relevant documents: grade by document id."""

    id: str
    text: str
    relevant: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class EvaluationResult:
    """Systems on one dataset.

    Attributes:
        dataset: Name of the dataset.
        origin: Where the judgments come from: `uploaded`, `synthetic` or `feedback`.
        task: Task by which documents were cut and searched.
        model: Model id.
        precision: What the model's runtime computed in.
        created: Time in ISO 8601, UTC.
        seconds: How long it took.
        documents: How many there are.
        chunks: How many they were cut into.
        questions: All judged questions.
        systems: `naive` first.
        comparisons: Each system against `naive`, on nDCG@10.
        rivals: The shipped default against its prompts alone, BM25 and the hybrid that fits all, on nDCG@10.
        snippets: How each document that is in a ranking begins.
        notes: What a reader should know.
    """

    dataset: str
    origin: str
    task: str
    model: str
    precision: str
    created: str
    seconds: float
    documents: int
    chunks: int
    questions: tuple[JudgedQuestion, ...]
    systems: tuple[SystemScores, ...]
    comparisons: tuple[Comparison, ...]
    rivals: tuple[Comparison, ...]
    snippets: Mapping[str, str]
    notes: tuple[str, ...] = ()

    def system(self, name: str) -> SystemScores:
        """The scores of a system.

        Raises:
            KeyError: It was not part of the run.
        """
        for system in self.systems:
            if system.name == name:
                return system
        raise KeyError(name)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the systems, `naive` first."""
        return tuple(system.name for system in self.systems)

    def differences(self, system: str, baseline: str, measure: str = MAIN) -> Scores:
        """Per-question differences, system minus baseline, in the order of the questions."""
        ours, theirs = (np.asarray(self.system(name).values[measure], np.float64) for name in (system, baseline))
        return np.subtract(ours, theirs)


@dataclass(frozen=True, slots=True)
class Mover:
    """A question that one system answers much better or worse than another.

    Attributes:
        difference: nDCG@10 of the system minus that of the baseline.
        ranking: The system's first ten document ids; `baseline_ranking` likewise.
    """

    question: JudgedQuestion
    difference: float
    ranking: tuple[str, ...]
    baseline_ranking: tuple[str, ...]


def movers(result: EvaluationResult, system: str, baseline: str, count: int = 5) -> tuple[list[Mover], list[Mover]]:
    """The questions that gained most and those that lost most, at most `count` each, the largest change first."""
    differences = result.differences(system, baseline)
    ours, theirs = result.system(system).rankings, result.system(baseline).rankings
    order = sorted(range(len(differences)), key=lambda place: (-differences[place], result.questions[place].id))
    found = [
        Mover(result.questions[place], float(differences[place]), ours[place], theirs[place])
        for place in order
        if differences[place] != 0
    ]
    gained = [mover for mover in found if mover.difference > 0][:count]
    lost = [mover for mover in reversed(found) if mover.difference < 0][:count]
    return gained, lost


def to_json(result: EvaluationResult) -> str:
    """The result as JSON; `from_json` gives it back."""
    from pydantic import TypeAdapter

    return TypeAdapter(EvaluationResult).dump_json(result, indent=1).decode()


def from_json(text: str | bytes) -> EvaluationResult:
    """A result that `to_json` wrote.

    Raises:
        DatasetError: It is something else, or from another version.
    """
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(EvaluationResult).validate_json(text)
    except ValidationError as exc:
        first = exc.errors()[0]
        raise DatasetError(f"Found no evaluation report ({first['msg']}), expected the report.json of a run.") from exc


def write_text(path: Path, text: str) -> None:
    """Write a file as UTF-8, as `write_bytes` does."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; its folder is made.

    Raises:
        SettingsError: It cannot be written, with the reason.
    """
    pending = path.with_name(f".{uuid.uuid4().hex}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        pending.write_bytes(content)
        pending.replace(path)
    except OSError as exc:
        with suppress(OSError):
            pending.unlink(missing_ok=True)
        raise SettingsError(
            f"{path} cannot be written ({exc.strerror}). Choose another folder with --out or RAG_DATA_DIR, or make "
            "room."
        ) from exc


def saved_results(folder: Path) -> list[Path]:
    """The `report.json` of every run kept under a folder, newest first."""
    return sorted(folder.glob("*/report.json"), key=lambda path: path.parent.name, reverse=True)
