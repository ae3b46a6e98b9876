"""Any list of systems on one dataset, compared; a second run reuses vectors and rankings."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from rag.evaluation.data.datasets import Dataset
from rag.evaluation.run.contenders import Contender, PromptPair, contenders, prompt_pair
from rag.evaluation.run.context import EvaluationContext
from rag.evaluation.run.ranker import Rankings
from rag.evaluation.run.rankings import rank_systems
from rag.evaluation.run.results import RANKS, EvaluationResult, JudgedQuestion, SystemScores
from rag.evaluation.run.systems import DEFAULT, NAIVE, STANDARD
from rag.evaluation.stats.metrics import MAIN, MEASURES, Scores, per_question
from rag.evaluation.stats.resampling import mean_intervals
from rag.evaluation.stats.significance import compare_all, compare_pairs
from rag.recipes import RecipeInForce
from rag.types import Strategy

_MAX_SNIPPET = 200

SystemValues = Mapping[str, Mapping[str, Scores]]
"""Per-question values by system and metric."""


def evaluate_systems(
    context: EvaluationContext, dataset: Dataset, recipe: RecipeInForce, systems: Sequence[str] = STANDARD
) -> EvaluationResult:
    """Rank a dataset's documents by every system and say which is better, and how sure that is.

    Args:
        context: The product's parts.
        dataset: Documents, questions and judgments.
        recipe: The task's recipe in force: how documents are cut, prompted and fused.
        systems: Names out of `SYSTEMS`; `naive` is always among them.

    Raises:
        UnknownNameError: No such system.
        SettingsError: A reranked system without a reranker.
        DatasetError: The documents are empty.
        CancelledError: A person stopped the run.
    """
    started = time.monotonic()
    resolved = contenders(systems, recipe, context.settings, context.reranker is not None)
    rankings, chunks = rank_systems(context, dataset, recipe, resolved)
    context.meter.begin("Comparing", 1)
    judged = {question.id: dataset.judged[question.id] for question in dataset.questions}
    values = {contender.name: per_question(rankings[contender.name], judged) for contender in resolved}
    main = {name: by_measure[MAIN] for name, by_measure in values.items()}
    result = EvaluationResult(
        dataset=dataset.name,
        origin=dataset.origin,
        task=recipe.task.name,
        model=recipe.model.id,
        precision=context.embedder.precision,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=0.0,
        documents=len(dataset.documents),
        chunks=chunks,
        questions=_judged_questions(dataset),
        systems=_system_scores(
            resolved, prompt_pair(recipe), values, _first_ranks(dataset, rankings), context.resamples
        ),
        comparisons=tuple(compare_all(main, NAIVE, resamples=context.resamples).values()),
        rivals=tuple(compare_pairs(main, _rivals(resolved, recipe), resamples=context.resamples)),
        snippets=_snippets(dataset, rankings),
        notes=dataset.notes,
    )
    context.meter.step()
    return replace(result, seconds=round(time.monotonic() - started, 2))


def full_rankings(context: EvaluationContext, dataset: Dataset, recipe: RecipeInForce, system: str) -> Rankings:
    """The rankings of one system to the depth that is judged, as `evaluate_systems` makes and caches them."""
    resolved = contenders([system], recipe, context.settings)
    return rank_systems(context, dataset, recipe, resolved)[0][system]


def _judged_questions(dataset: Dataset) -> tuple[JudgedQuestion, ...]:
    return tuple(
        JudgedQuestion(
            query.id, query.text, {key: grade for key, grade in dataset.judged[query.id].items() if grade > 0}
        )
        for query in dataset.questions
    )


def _system_scores(
    resolved: Sequence[Contender],
    shipped: PromptPair,
    values: SystemValues,
    ranks: Mapping[str, tuple[tuple[str, ...], ...]],
    resamples: int,
) -> tuple[SystemScores, ...]:
    # All means are resampled together, so that every system sees the same questions.
    columns = {(name, measure): scores for name, by_measure in values.items() for measure, scores in by_measure.items()}
    intervals = mean_intervals(columns, resamples)
    return tuple(
        SystemScores(
            name=contender.name,
            title=contender.system.title,
            group=contender.system.group.value,
            prompts=contender.prompts,
            shipped=contender.prompts == shipped,
            means={measure: float(scores.mean()) for measure, scores in values[contender.name].items()},
            intervals={measure: intervals[contender.name, measure] for measure in MEASURES},
            values={measure: tuple(scores.tolist()) for measure, scores in values[contender.name].items()},
            rankings=ranks[contender.name],
        )
        for contender in resolved
    )


def _first_ranks(dataset: Dataset, rankings: Mapping[str, Rankings]) -> dict[str, tuple[tuple[str, ...], ...]]:
    """The first document ids of each question, in the dataset's order, by system."""
    return {name: tuple(ranking[query.id][:RANKS] for query in dataset.questions) for name, ranking in rankings.items()}


def _rivals(resolved: Sequence[Contender], recipe: RecipeInForce) -> list[tuple[str, str]]:
    """The default against what else a task could use: its prompts, another model, BM25, the hybrid that fits all."""
    names = [
        contender.name
        for contender in resolved
        if contender.name != NAIVE
        and (
            contender.system.strategy is not Strategy.DENSE
            or contender.system.second
            or contender.prompts == prompt_pair(recipe)
        )
    ]
    return [(DEFAULT, name) for name in names if name != DEFAULT] if DEFAULT in names else []


def _snippets(dataset: Dataset, rankings: Mapping[str, Rankings]) -> dict[str, str]:
    """The beginning of each document that is relevant or among the first of a ranking."""
    ids = {key for by_question in rankings.values() for ranking in by_question.values() for key in ranking[:RANKS]}
    ids |= {key for grades in dataset.judged.values() for key in grades}
    texts = ((doc.id, " ".join(f"{doc.title} {doc.text[: 2 * _MAX_SNIPPET]}".split())) for doc in dataset.documents)
    return {key: text[:_MAX_SNIPPET] for key, text in texts if key in ids}
