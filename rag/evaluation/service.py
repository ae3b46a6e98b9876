"""Evaluation for the shells: on the library of the workspace or on uploaded data, with what the settings ask for."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rag.answering.recording import recalled
from rag.catalog import Feedback, StoredTurn
from rag.errors import DatasetError
from rag.evaluation.data.datasets import Dataset, load_dataset
from rag.evaluation.data.judgments import on_answer, on_citation, write_dataset
from rag.evaluation.data.library import FEEDBACK, SAMPLE, SYNTHETIC, index_dataset
from rag.evaluation.data.sample import sample_questions, sample_sizes
from rag.evaluation.report.history import past_runs, read_report, report_folders, save_run
from rag.evaluation.run.context import EvaluationContext, evaluation_meter
from rag.evaluation.run.cost import Cost, estimate_cost
from rag.evaluation.run.results import EvaluationResult
from rag.evaluation.run.runs import evaluate_systems
from rag.evaluation.run.systems import STANDARD
from rag.evaluation.run.tuner import TuneResult, tune_task
from rag.jobs import OnProgress
from rag.tasks import get_task
from rag.tasks.profiles import Profile, load_profile, remove_profile, save_profile
from rag.types import Answer, Filter, Hit

if TYPE_CHECKING:
    from rag.parts import Parts
    from rag.retrieval.request import Retrieved


@dataclass(frozen=True, slots=True)
class Judged:
    """Numbers that an evaluation of a task's own index can go by.

    Attributes:
        thumbs: Thumbs on answers and sources.
        chunks: Visible chunks.
        sample: Judged questions about files of the sample library that the index holds.
    """

    thumbs: int
    chunks: int
    sample: int = 0


class Evaluations:
    """Everything about measuring. Safe to call from many threads.

    Args:
        parts: The parts of the application.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._settings = parts.settings

    # -- judged data ---------------------------------------------------------------------------------------------------

    def from_path(self, path: Path) -> Dataset:
        """Read a dataset from a folder or a zip file in the BEIR layout.

        Raises:
            DatasetError: The data are malformed.
        """
        return load_dataset(path)

    def from_index(self, task: str, judgments: str = "") -> Dataset:
        """Make a dataset out of a task's own library.

        Args:
            task: Name of the task.
            judgments: `sample`, `synthetic`, `feedback`, or the path of a file of questions, documents and grades; by
                default those of the sample library when the task has its files, else synthetic ones.

        Raises:
            DatasetError: Nothing to ask about, with what would be needed.
        """
        spec = get_task(task)
        thumbs = self._parts.workspace.feedback.list(task) if judgments == FEEDBACK else []
        index = self._parts.indexes.active(task)
        if index is None:
            raise DatasetError(f"Task {task!r} has no index yet. Ingest documents first: `python -m rag ingest`.")
        judgments = judgments or (SAMPLE if self._sample_questions(task) else SYNTHETIC)
        return index_dataset(index, self._visible(task), spec, judgments, thumbs)

    def judged(self, task: str) -> Judged:
        """Count the thumbs, the visible chunks and the sample library's questions about a task's own library."""
        index = self._parts.indexes.active(get_task(task).name)
        chunks = 0 if index is None else index.count(self._visible(task))
        return Judged(len(self._parts.workspace.feedback.list(task)), chunks, self._sample_questions(task))

    def export(self, task: str, judgments: str, folder: Path) -> Path:
        """Write a task's judgments in the BEIR layout, with their bias stated in SOURCE.md."""
        return write_dataset(self.from_index(task, judgments), folder)

    # -- runs ----------------------------------------------------------------------------------------------------------

    def cost(self, dataset: Dataset, task: str, systems: Sequence[str] = STANDARD) -> Cost:
        """Estimate what a run would have to embed first, the naive vectors that an index may lack included."""
        return estimate_cost(self._context(), dataset, self._parts.recipes.of(task), systems)

    def run(
        self,
        dataset: Dataset,
        task: str,
        systems: Sequence[str] = STANDARD,
        out: Path | None = None,
        progress: OnProgress | None = None,
        cancel: threading.Event | None = None,
    ) -> tuple[EvaluationResult, Path]:
        """Evaluate, keep the report in the history and write it to `out` as well.

        Returns:
            The result, and the folder of its report.
        """
        context = self._context(progress, cancel)
        result = evaluate_systems(context, dataset, self._parts.recipes.of(task), systems)
        return result, save_run(result, self._settings.data_dir, out)

    def history(self) -> list[tuple[Path, EvaluationResult]]:
        """Past runs with the folders of their reports, the newest first."""
        return past_runs(self._settings.data_dir)

    def reports(self) -> list[Path]:
        """Folders of the reports of past runs, the newest first; nothing is read."""
        return report_folders(self._settings.data_dir)

    def report(self, folder: Path) -> EvaluationResult:
        """Read one past run.

        Args:
            folder: One of `reports`.

        Raises:
            DatasetError: It was removed, or is from another version.
        """
        return read_report(folder)

    # -- tuning --------------------------------------------------------------------------------------------------------

    def tune(
        self,
        dataset: Dataset,
        task: str,
        chunk_tokens: Sequence[int] = (),
        progress: OnProgress | None = None,
        cancel: threading.Event | None = None,
    ) -> tuple[TuneResult, Path | None]:
        """Choose a task's profile by measurement.

        Returns:
            The choice, and the path of the profile; None when it does not hold on the other half and nothing is kept.
        """
        result = tune_task(self._context(progress, cancel), dataset, get_task(task), chunk_tokens)
        return result, save_profile(self._settings.data_dir, result.profile) if result.kept else None

    def profile(self, task: str) -> Profile | None:
        """The profile in force for a task, or None for the shipped choice."""
        return load_profile(self._settings.data_dir, get_task(task).name)

    def forget_profile(self, task: str) -> bool:
        """Go back to the shipped choice; True when there was a profile."""
        return remove_profile(self._settings.data_dir, get_task(task).name)

    # -- thumbs --------------------------------------------------------------------------------------------------------

    def recall(self, turn: StoredTurn) -> tuple[Retrieved, Answer] | None:
        """The hits and the answer that a thumb on an old turn would be about; None when it was stopped or failed."""
        return recalled(turn)

    def judge_source(self, retrieved: Retrieved, hit: Hit, helpful: bool) -> Feedback:
        """Keep a thumb on one source of an answer."""
        return self._keep(on_citation(retrieved, hit, helpful, self._fingerprint(retrieved.task)))

    def judge_answer(self, retrieved: Retrieved, answer: Answer, helpful: bool) -> Feedback:
        """Keep a thumb on an answer; it counts for the sources that the answer cites."""
        return self._keep(on_answer(retrieved, answer, helpful, self._fingerprint(retrieved.task)))

    def thumbs(self, task: str) -> list[Feedback]:
        """The thumbs on a task's answers and sources, the oldest first."""
        return self._parts.workspace.feedback.list(get_task(task).name)

    def take_back(self, thumb: Feedback) -> None:
        """Forget a thumb."""
        self._parts.workspace.feedback.delete([thumb.id])

    def _keep(self, thumb: Feedback) -> Feedback:
        return self._parts.workspace.feedback.add(thumb)

    # -- parts ---------------------------------------------------------------------------------------------------------

    def _context(self, progress: OnProgress | None = None, cancel: threading.Event | None = None) -> EvaluationContext:
        meter = evaluation_meter(progress, cancel)
        return EvaluationContext(
            self._settings, self._parts.embedder, self._parts.reranker, meter, others=self._parts.others
        )

    def _sample_questions(self, task: str) -> int:
        """Number of the sample library's questions about files that the task has, told by name and size."""
        questions = sample_questions(task)
        sizes = sample_sizes(questions)
        files = self._parts.workspace.files(task, list(sizes)) if sizes else []
        held = {file.name for file in files if file.size == sizes[file.name]}
        return sum(question.is_about(held) for question in questions)

    def _fingerprint(self, task: str) -> str:
        """Fingerprint of the index that a task's answers come from."""
        record = self._parts.catalog.active_index(task)
        return "" if record is None else record.fingerprint

    def _visible(self, task: str) -> Filter:
        return Filter(self._settings.workspace, self._parts.workspace.hidden_versions(task))
