"""Chooses a task's prompt mode, mix and chunk size by measurement, and writes them down as its profile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby, product

import numpy as np

from rag.errors import DatasetError
from rag.evaluation.data.datasets import Dataset
from rag.evaluation.run.chunked import ChunkedCorpus, cut_documents
from rag.evaluation.run.contenders import prompt_pair
from rag.evaluation.run.context import EvaluationContext
from rag.evaluation.run.embedded import embed_dataset
from rag.evaluation.run.index import temporary_index
from rag.evaluation.run.ranker import Ranker, Rankings, fresh_retriever
from rag.evaluation.run.rankings import document_prompts
from rag.evaluation.run.remembered import RememberedIndex
from rag.evaluation.stats.metrics import MAIN, per_question
from rag.evaluation.stats.significance import SystemComparison, compare_all
from rag.evaluation.stats.tuning import CandidateScores, Selection, choose
from rag.recipes import RecipeInForce, resolve
from rag.tasks import PromptMode, TaskSpec
from rag.tasks.profiles import Profile, apply_profile
from rag.types import Strategy

WEIGHTS = tuple(round(0.1 * step, 1) for step in range(11))
"""Shares of the dense score that are tried, beside the shipped one."""
MIN_QUESTIONS = 20
SHIPPED, CHOSEN = "shipped", "chosen"


@dataclass(frozen=True, slots=True)
class TuningCandidate:
    """One candidate: its choices, and its mean nDCG@10 on the development half."""

    symmetry: str
    dense_weight: float
    chunk_tokens: int
    score: float

    def describe(self) -> str:
        """The choices in words."""
        return f"prompts {self.symmetry}, {self.dense_weight:g} dense, chunks of {self.chunk_tokens} tokens"


@dataclass(frozen=True, slots=True)
class TuneResult:
    """A choice by measurement and what it is worth.

    Attributes:
        tried: Every candidate, the best on the development half first.
        shipped: The candidate that the task ships with.
        profile: The choice, whether it is worth keeping or not.
        cross_validated: Gain in nDCG@10 that cross-validation on the development half promised.
        held_out: The choice against the shipped one on questions that had no part in choosing; None when they are one.
        claimed: Gain that tuning without a split would have claimed.
        kept: True when the choice is another one and holds on the held-out half.
        words: All of it in sentences.
    """

    dataset: str
    task: str
    development_questions: int
    held_out_questions: int
    tried: tuple[TuningCandidate, ...]
    shipped: TuningCandidate
    profile: Profile
    cross_validated: float
    held_out: SystemComparison | None
    claimed: float
    kept: bool
    words: tuple[str, ...]


def tune_task(
    context: EvaluationContext, dataset: Dataset, task: TaskSpec, chunk_tokens: Sequence[int] = ()
) -> TuneResult:
    """Measure every candidate with the product's own retrieval, choose on one half, confirm on the other.

    Args:
        context: The product's parts; nothing is written but cached vectors.
        dataset: At least 20 judged questions.
        task: The task as it ships.
        chunk_tokens: Further chunk sizes to try; each one is embedded anew.

    Raises:
        DatasetError: Too few questions to split.
        CancelledError: A person stopped the work.
    """
    if len(dataset.questions) < MIN_QUESTIONS:
        raise DatasetError(
            f"{dataset.name}: found {len(dataset.questions)} judged questions, expected at least {MIN_QUESTIONS} to "
            "choose on one half and confirm on the other."
        )
    candidates = _candidates(task, chunk_tokens)
    judged = {question.id: dataset.judged[question.id] for question in dataset.questions}
    rankings = _rank_candidates(context, dataset, candidates)
    scores = np.stack([per_question(ranking, judged, [MAIN])[MAIN] for ranking in rankings])
    return _result(context, dataset, candidates, candidates.index(task), scores)


def _candidates(task: TaskSpec, chunk_tokens: Sequence[int]) -> list[TaskSpec]:
    """The shipped task and its variations, as a profile would make them; those that share an index are neighbours."""
    sizes = sorted({task.chunking.tokens, *chunk_tokens})
    weights = sorted({task.mix.dense_weight, *WEIGHTS})
    shipped = (task.chunking.tokens, task.prompts, task.mix.dense_weight)
    return [
        task
        if (tokens, mode, weight) == shipped
        else apply_profile(task, Profile(task.name, mode.value, weight, tokens))
        for tokens, mode, weight in product(sizes, PromptMode, weights)
    ]


def _rank_candidates(
    context: EvaluationContext, dataset: Dataset, candidates: Sequence[TaskSpec]
) -> Iterator[Rankings]:
    """Rankings of each candidate, in order."""
    recipes = [resolve(context.settings, candidate) for candidate in candidates]
    for _, of_size in groupby(recipes, key=lambda recipe: recipe.task.chunking.tokens):
        group = list(of_size)
        prompts = document_prompts(context, group[0])
        corpus = cut_documents(dataset, group[0].task, context.embedder, prompts, context.meter)
        for _, of_prompts in groupby(group, key=prompt_pair):
            yield from _rank_mixes(context, dataset, corpus, list(of_prompts))


def _rank_mixes(
    context: EvaluationContext, dataset: Dataset, corpus: ChunkedCorpus, recipes: Sequence[RecipeInForce]
) -> Iterator[Rankings]:
    """Rankings of recipes with the same prompts, over one index whose answers are remembered."""
    first = recipes[0]
    stage = f"Embedding, prompts {first.task.prompts}"
    embedded = embed_dataset(context, dataset, corpus, [prompt_pair(first)], stage)
    with temporary_index(context, corpus, first, embedded.documents[first.document_prompt]) as index:
        remembered = RememberedIndex(index)
        for recipe in recipes:
            stage = f"Trying {recipe.task.prompts}, {recipe.task.mix.dense_weight:g} dense"
            context.meter.begin(stage, len(dataset.questions), "question")
            retriever = fresh_retriever(recipe, remembered, embedded.embed)
            yield Ranker(retriever, Strategy.HYBRID).rank(dataset, context.meter)


def _result(
    context: EvaluationContext,
    dataset: Dataset,
    candidates: Sequence[TaskSpec],
    shipped: int,
    scores: CandidateScores,
) -> TuneResult:
    selection = choose(scores, [question.id for question in dataset.questions], shipped)
    tried = [
        TuningCandidate(task.prompts.value, task.mix.dense_weight, task.chunking.tokens, float(score))
        for task, score in zip(candidates, selection.development, strict=True)
    ]
    held_out = _confirm(context, selection, shipped, scores)
    gain = 0.0 if held_out is None else held_out.difference
    holds = gain > 0.0 and selection.cross_validated > 0.0
    choice = tried[selection.chosen]
    return TuneResult(
        dataset=dataset.name,
        task=candidates[0].name,
        development_questions=len(dataset.questions) - len(selection.held_out),
        held_out_questions=len(selection.held_out),
        tried=tuple(sorted(tried, key=lambda candidate: -candidate.score)),
        shipped=tried[shipped],
        profile=Profile(
            task=candidates[0].name,
            symmetry=choice.symmetry,
            dense_weight=choice.dense_weight,
            chunk_tokens=choice.chunk_tokens,
            model=context.settings.embedding_model.id,
            dataset=dataset.name,
            gain=round(gain, 4),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
        ),
        cross_validated=selection.cross_validated,
        held_out=held_out,
        claimed=selection.claimed,
        kept=holds,
        words=tuple(_sentences(tried[shipped], choice, selection, held_out, holds)),
    )


def _confirm(
    context: EvaluationContext, selection: Selection, shipped: int, scores: CandidateScores
) -> SystemComparison | None:
    """The choice against the shipped candidate on questions that had no part in choosing; None when they are one."""
    if selection.chosen == shipped:
        return None
    questions = list(selection.held_out)
    values = {SHIPPED: scores[shipped, questions], CHOSEN: scores[selection.chosen, questions]}
    return compare_all(values, SHIPPED, resamples=context.resamples)[CHOSEN]


def _sentences(
    shipped: TuningCandidate,
    choice: TuningCandidate,
    selection: Selection,
    held_out: SystemComparison | None,
    holds: bool,
) -> Iterator[str]:
    yield f"Shipped: {shipped.describe()}: {shipped.score:.3f} {MAIN} on the development half."
    if held_out is None:
        yield "No candidate beats it there by more than a standard error; the shipped choice stays."
    else:
        yield f"Chosen: {choice.describe()}: {choice.score:.3f}; cross-validated gain {selection.cross_validated:+.3f}."
        yield f"On the held-out half, which had no part in choosing: {held_out.words}"
    honest = 0.0 if held_out is None else held_out.difference
    yield (
        f"Tuned and scored on all questions it would have claimed {selection.claimed:+.3f}; what held is {honest:+.3f}."
    )
    yield "The profile is worth keeping." if holds else "No profile is worth keeping; nothing changes."
