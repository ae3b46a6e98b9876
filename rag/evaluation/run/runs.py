"""Any list of systems on one dataset, in one process; a second run reuses vectors and rankings by fingerprint."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from rag.errors import DatasetError
from rag.evaluation.data.datasets import Dataset
from rag.evaluation.files import write_output
from rag.evaluation.hashing import digest
from rag.evaluation.run.ranking import CACHE, Plan, key_of, prompts_of, rank
from rag.evaluation.run.results import RANKS, EvaluationResult, JudgedQuestion, SystemScores, from_json, to_json
from rag.evaluation.run.searching import Rankings
from rag.evaluation.run.systems import (
    DEFAULT,
    NAIVE,
    STANDARD,
    Method,
    get_systems,
    prompt_pairs,
    shipped_prompts,
    without_repeats,
)
from rag.evaluation.run.vectors import VectorCache
from rag.evaluation.stats.metrics import MAIN, MEASURES, per_question
from rag.evaluation.stats.resampling import RESAMPLES, mean_intervals
from rag.evaluation.stats.significance import compare_all, compare_pairs
from rag.jobs import Meter, OnProgress
from rag.settings import Settings
from rag.tasks import TaskSpec, get_task
from rag.tasks.profiles import task_in_force
from rag.types import Embedder, Reranker

_SNIPPET = 200
STOPPED = "The evaluation was stopped; vectors made so far are kept for the next run."


def evaluate_systems(
    dataset: Dataset,
    task: str | TaskSpec,
    settings: Settings,
    embedder: Embedder,
    *,
    systems: Sequence[str] = STANDARD,
    reranker: Reranker | None = None,
    progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
    resamples: int = RESAMPLES,
) -> EvaluationResult:
    """Rank a dataset's documents by every system and say which is better, and how sure that is.

    Args:
        dataset: Documents, questions and judgments.
        task: Says how documents are cut, prompted and fused; a name takes the task's profile into account.
        settings: Model, prompts, strategy and data folder.
        embedder: The model in force.
        systems: Names out of `SYSTEMS`; `naive` is always among them.
        reranker: For systems with `+rerank` behind their name.
        progress: Told of every step.
        cancel: Stops the run when set.
        resamples: Of the bootstrap and of the randomisation test.

    Raises:
        UnknownNameError: No such task or system.
        DatasetError: The documents are empty.
        CancelledError: A person stopped the run.
    """
    started = time.monotonic()
    plan = _plan(dataset, task, settings, embedder, systems, reranker, Meter(progress, cancel, STOPPED))
    kept = plan.settings.data_dir / CACHE / "results" / f"{_fingerprint(plan, resamples)}.json"
    found = _kept_result(kept)
    if found is None:
        rankings, chunks = rank(plan)
        plan.meter.begin("Comparing", 1)
        found = _result(plan, rankings, chunks, resamples)
        write_output(kept, to_json(found))
        plan.meter.step()
    created = datetime.now(UTC).isoformat(timespec="seconds")
    return replace(found, created=created, seconds=round(time.monotonic() - started, 2))


def full_rankings(
    dataset: Dataset, task: str | TaskSpec, settings: Settings, embedder: Embedder, system: str
) -> Rankings:
    """The rankings of one system to the depth that is judged, as `evaluate_systems` makes and keeps them."""
    plan = _plan(dataset, task, settings, embedder, [system], None, Meter(None, None))
    return rank(plan)[0][system]


def _plan(
    dataset: Dataset,
    task: str | TaskSpec,
    settings: Settings,
    embedder: Embedder,
    systems: Sequence[str],
    reranker: Reranker | None,
    meter: Meter,
) -> Plan:
    spec = task_in_force(settings.data_dir, get_task(task)) if isinstance(task, str) else task
    model = settings.embedding_model
    pairs = prompt_pairs(settings, model, spec)
    chosen = without_repeats(get_systems(systems, reranker is not None), pairs)
    cache = VectorCache(embedder, model, settings.data_dir / CACHE / "vectors")
    shipped = shipped_prompts(settings, model, spec)
    return Plan(dataset, spec, settings, embedder, chosen, pairs, shipped, cache, reranker, meter)


def _result(plan: Plan, rankings: Mapping[str, Rankings], chunks: int, resamples: int) -> EvaluationResult:
    dataset = plan.dataset
    judged = {question.id: dataset.judged[question.id] for question in dataset.questions}
    values = {system.name: per_question(rankings[system.name], judged) for system in plan.systems}
    main = {name: found[MAIN] for name, found in values.items()}
    columns = {(name, measure): scores for name, found in values.items() for measure, scores in found.items()}
    intervals = mean_intervals(columns, resamples)
    return EvaluationResult(
        dataset=dataset.name,
        origin=dataset.origin,
        task=plan.spec.name,
        model=plan.settings.embedding_model.id,
        precision=plan.embedder.precision,
        created="",
        seconds=0.0,
        documents=len(dataset.documents),
        chunks=chunks,
        questions=tuple(
            JudgedQuestion(one.id, one.text, {key: grade for key, grade in judged[one.id].items() if grade > 0})
            for one in dataset.questions
        ),
        systems=tuple(
            SystemScores(
                name=system.name,
                title=system.title,
                group=system.group.value,
                prompts=prompts_of(plan, system),
                shipped=prompts_of(plan, system) == plan.shipped,
                means={measure: float(scores.mean()) for measure, scores in values[system.name].items()},
                intervals={measure: intervals[system.name, measure] for measure in MEASURES},
                values={measure: tuple(scores.tolist()) for measure, scores in values[system.name].items()},
                rankings=tuple(rankings[system.name][one.id][:RANKS] for one in dataset.questions),
            )
            for system in plan.systems
        ),
        comparisons=tuple(compare_all(main, NAIVE, resamples=resamples).values()),
        rivals=tuple(compare_pairs(main, _rivals(plan), resamples=resamples)),
        snippets=_snippets(dataset, rankings),
        notes=dataset.notes,
    )


def _rivals(plan: Plan) -> list[tuple[str, str]]:
    """The default against what else a task could use: its prompts alone, BM25 and the hybrid that fits all."""
    names = [
        system.name
        for system in plan.systems
        if system.name != NAIVE and (system.method is not Method.DENSE or prompts_of(plan, system) == plan.shipped)
    ]
    return [(DEFAULT, name) for name in names if name != DEFAULT] if DEFAULT in names else []


def _snippets(dataset: Dataset, rankings: Mapping[str, Rankings]) -> dict[str, str]:
    """How each document begins that is relevant or among the first of a ranking."""
    shown = {key for found in rankings.values() for ids in found.values() for key in ids[:RANKS]}
    shown |= {key for grades in dataset.judged.values() for key in grades}
    texts = ((one.id, " ".join(f"{one.title} {one.text[: 2 * _SNIPPET]}".split())) for one in dataset.documents)
    return {key: text[:_SNIPPET] for key, text in texts if key in shown}


def _fingerprint(plan: Plan, resamples: int) -> str:
    judged = sorted((question, sorted(grades.items())) for question, grades in plan.dataset.judged.items())
    about = (plan.dataset.name, plan.dataset.origin, plan.dataset.notes)
    return digest([key_of(plan, system) for system in plan.systems], judged, about, resamples, MEASURES)


def _kept_result(path: Path) -> EvaluationResult | None:
    try:
        return from_json(path.read_bytes())
    except (OSError, DatasetError):
        return None
