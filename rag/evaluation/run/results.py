"""Scores and comparisons of a run, as plain data that can be written, read back and shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rag.errors import DatasetError
from rag.evaluation.stats.metrics import MAIN, Scores
from rag.evaluation.stats.resampling import Interval
from rag.evaluation.stats.significance import SystemComparison

RANKS = 10
"""Ranks that a result holds for reading."""


@dataclass(frozen=True, slots=True)
class SystemScores:
    """One system's scores.

    Attributes:
        name: Its name in `SYSTEMS`; `title` is for people.
        group: `prompts alone` or `whole pipeline`.
        prompts: The exact strings before a query and a document, or None when it uses no vectors of its own.
        shipped: True when these are the prompts that the task ships with.
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
        origin: Where the judgments come from: `uploaded`, `sample`, `synthetic` or `feedback`.
        task: Task by which documents were cut and searched.
        model: Model id.
        precision: Number format that the model's runtime computed in.
        created: Time in ISO 8601, UTC.
        seconds: How long it took.
        documents: How many there are.
        chunks: How many they were cut into.
        questions: All judged questions.
        systems: `naive` first.
        comparisons: Each system against `naive`, on nDCG@10.
        rivals: The shipped default against its prompts alone, BM25 and the hybrid that fits all, on nDCG@10.
        snippets: The beginning of each document that is in a ranking.
        notes: Sentences that a reader should know.
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
    comparisons: tuple[SystemComparison, ...]
    rivals: tuple[SystemComparison, ...]
    snippets: Mapping[str, str]
    notes: tuple[str, ...] = ()

    def system(self, name: str) -> SystemScores:
        """Return the scores of a system.

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
    """List the questions that gained most and those that lost most, at most `count` each, the largest change first."""
    differences = result.differences(system, baseline)
    ours, theirs = result.system(system).rankings, result.system(baseline).rankings
    order = sorted(range(len(differences)), key=lambda number: (-differences[number], result.questions[number].id))
    moved = [
        Mover(result.questions[number], float(differences[number]), ours[number], theirs[number])
        for number in order
        if differences[number] != 0
    ]
    gained = [mover for mover in moved if mover.difference > 0][:count]
    lost = [mover for mover in reversed(moved) if mover.difference < 0][:count]
    return gained, lost


def to_json(result: EvaluationResult) -> str:
    """Write a result as JSON; `from_json` reads it back."""
    from pydantic import TypeAdapter

    return TypeAdapter(EvaluationResult).dump_json(result, indent=1).decode()


def from_json(text: str | bytes) -> EvaluationResult:
    """Read a result that `to_json` wrote.

    Raises:
        DatasetError: It is something else, or from another version.
    """
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(EvaluationResult).validate_json(text)
    except ValidationError as exc:
        first = exc.errors()[0]
        raise DatasetError(f"Found no evaluation report ({first['msg']}), expected the report.json of a run.") from exc
