"""What the `evaluate` and `tune` commands and the Evaluate page do, free of any user interface."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rag.catalog.feedback import Feedback
from rag.errors import DatasetError
from rag.evaluation.data.datasets import Dataset
from rag.evaluation.data.judgments import from_feedback, from_file
from rag.evaluation.data.passages import read_passages
from rag.evaluation.data.synthetic import synthetic
from rag.evaluation.report.reports import write_report
from rag.evaluation.run.collection import collect
from rag.evaluation.run.ranking import CACHE
from rag.evaluation.run.results import EvaluationResult, from_json, saved_results
from rag.evaluation.run.runs import evaluate_systems
from rag.evaluation.run.systems import STANDARD, Method, get_systems, prompt_pairs, shipped_prompts
from rag.evaluation.run.tuner import TuneResult, tune_task
from rag.evaluation.run.vectors import VectorCache
from rag.jobs import Meter, OnProgress
from rag.settings import Settings
from rag.tasks import get_task
from rag.tasks.profiles import save_profile, task_in_force
from rag.types import Embedder, Filter, Reranker, VectorIndex

HISTORY = "evaluations"
"""Folder of past runs in the data folder."""
SYNTHETIC, FEEDBACK = "synthetic", "feedback"
_SAMPLE = 16


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run has to embed before it can rank.

    Attributes:
        texts: Texts whose vectors are not kept yet.
        characters: Their length together, prompts included.
        seconds: About how long that takes on this machine.
    """

    texts: int
    characters: int
    seconds: float


def index_dataset(
    index: VectorIndex, where: Filter, task: str, judgments: str = SYNTHETIC, given: Sequence[Feedback] = ()
) -> Dataset:
    """A dataset out of a task's own index.

    Args:
        index: The task's index.
        where: What the workspace may see.
        task: Name of the task.
        judgments: `synthetic`, `feedback`, or the path of a file of questions, documents and grades.
        given: Thumbs, for `feedback`.

    Raises:
        DatasetError: The index has nothing to ask about, or the judgments do not fit it; what would be needed.
    """
    passages = read_passages(index, where)
    if not passages:
        raise DatasetError(f"The index of task {task!r} is empty. Ingest documents first: `python -m rag ingest`.")
    if judgments == SYNTHETIC:
        return synthetic(passages, get_task(task))
    if judgments == FEEDBACK:
        return from_feedback(given, passages, task)
    return from_file(Path(judgments), passages, task)


def cost(
    dataset: Dataset, task: str, settings: Settings, embedder: Embedder, systems: Sequence[str] = STANDARD
) -> Cost:
    """What a run would embed, naive vectors included, which an index built without comparison lacks.

    The speed is measured on a few of the texts.
    """
    spec = task_in_force(settings.data_dir, get_task(task))
    model = settings.embedding_model
    pairs = prompt_pairs(settings, model, spec)
    chosen = [one for one in get_systems(systems, has_reranker=True) if one.method is not Method.BM25]
    shipped = shipped_prompts(settings, model, spec)
    prompts = {shipped if one.method is Method.PRODUCT else pairs[one.prompts] for one in chosen}
    collection = collect(dataset, spec, embedder, [pair[1] for pair in pairs.values()], Meter())
    cache = VectorCache(embedder, model, settings.data_dir / CACHE / "vectors")
    texts: list[str] = []
    for query in {pair[0] for pair in prompts}:
        texts += cache.missing([query + question.text for question in dataset.questions])
    for document in {pair[1] for pair in prompts}:
        texts += cache.missing([document + text for text in collection.inputs])
    characters = sum(map(len, texts))
    return Cost(len(texts), characters, _seconds(texts, characters, embedder))


def _seconds(texts: Sequence[str], characters: int, embedder: Embedder) -> float:
    if not texts:
        return 0.0
    sample = texts[:: max(1, len(texts) // _SAMPLE)][:_SAMPLE]
    started = time.perf_counter()
    embedder.encode(sample)
    return (time.perf_counter() - started) * characters / max(1, sum(map(len, sample)))


def run_evaluation(
    dataset: Dataset,
    task: str,
    settings: Settings,
    embedder: Embedder,
    *,
    systems: Sequence[str] = STANDARD,
    reranker: Reranker | None = None,
    out: Path | None = None,
    progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
) -> tuple[EvaluationResult, Path]:
    """Evaluate, keep the report in the history, and write it to `out` as well.

    Returns:
        The result, and the folder of its report.
    """
    result = evaluate_systems(
        dataset,
        task,
        settings,
        embedder,
        systems=systems,
        reranker=reranker,
        progress=progress,
        cancel=cancel,
    )
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    folder = settings.data_dir / HISTORY / f"{stamp}-{result.task}"
    write_report(result, folder)
    if out is not None:
        write_report(result, out)
    return result, out or folder


def history(data_dir: Path) -> list[tuple[Path, EvaluationResult]]:
    """Past runs with the folders of their reports, the newest first; what cannot be read any more is left out."""
    found = []
    for path in saved_results(data_dir / HISTORY):
        result = _readable(path)
        if result is not None:
            found.append((path.parent, result))
    return found


def _readable(path: Path) -> EvaluationResult | None:
    try:
        return from_json(path.read_bytes())
    except (OSError, DatasetError):
        return None


def run_tuning(
    dataset: Dataset,
    task: str,
    settings: Settings,
    embedder: Embedder,
    *,
    chunk_tokens: Sequence[int] = (),
    progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
) -> tuple[TuneResult, Path | None]:
    """Tune, and keep the profile when it holds on the held-out half.

    Returns:
        What was found, and where the profile is; None when nothing was worth keeping.
    """
    result = tune_task(dataset, task, settings, embedder, chunk_tokens=chunk_tokens, progress=progress, cancel=cancel)
    return result, save_profile(settings.data_dir, result.profile) if result.kept else None
