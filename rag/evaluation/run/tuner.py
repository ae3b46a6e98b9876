"""Chooses a task's prompt mode, mix and chunk size by measurement, and writes them down as its profile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import product

import numpy as np

from rag.errors import DatasetError
from rag.evaluation.data.datasets import Dataset
from rag.evaluation.run.chunked import cut_documents
from rag.evaluation.run.context import EvaluationContext
from rag.evaluation.run.embedded import embed_dataset
from rag.evaluation.run.index import temporary_index
from rag.evaluation.run.mixtures import SignalMix, gather_questions, qualities
from rag.evaluation.run.ranker import fresh_retriever
from rag.evaluation.run.rankings import document_prompts
from rag.evaluation.stats.metrics import MAIN
from rag.evaluation.stats.significance import SystemComparison, compare_all
from rag.evaluation.stats.tuning import CandidateScores, Selection, choose
from rag.recipes import resolve
from rag.retrieval.retriever import Retriever
from rag.tasks import PromptMode, TaskSpec
from rag.tasks.profiles import Profile, apply_profile

WEIGHTS = tuple(round(0.1 * step, 1) for step in range(11))
"""Shares of the dense score that are tried, beside the shipped one."""
SECOND_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Shares of the second model in it that are tried, where there is one, beside the shipped one."""
MIN_QUESTIONS = 20
SHIPPED, CHOSEN = "shipped", "chosen"


@dataclass(frozen=True, slots=True)
class TuningCandidate:
    """One candidate: its choices, and its mean nDCG@10 on the development half."""

    symmetry: str
    dense_weight: float
    chunk_tokens: int
    second_share: float = 0.0
    score: float = 0.0

    def describe(self) -> str:
        """The choices in words."""
        second = f", {self.second_share:g} of it by the second model" if self.second_share else ""
        return f"prompts {self.symmetry}, {self.dense_weight:g} dense{second}, chunks of {self.chunk_tokens} tokens"

    def profile(self, task: str) -> Profile:
        """The choices as a profile, not yet measured."""
        return Profile(task, self.symmetry, self.dense_weight, self.chunk_tokens, second_share=self.second_share)


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
        kept: True when the choice is another one, and the interval of its gain on the held-out half is above zero.
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

    Every question is asked once for each chunk size and prompt mode; all mixes of the signals' candidates are worked
    out from that.

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
    second = sum(signal.share for signal in resolve(context.settings, task).signals[1:])
    shipped = TuningCandidate(task.prompts.value, task.mix.dense_weight, task.chunking.tokens, second)
    has_second = context.settings.second_embedding_model is not None
    shares = sorted({second, *SECOND_SHARES}) if has_second else [0.0]
    weights = sorted({task.mix.dense_weight, *WEIGHTS})
    sizes = sorted({task.chunking.tokens, *chunk_tokens})
    candidates = [
        TuningCandidate(mode.value, weight, tokens, share)
        for tokens, mode, share, weight in product(sizes, PromptMode, shares, weights)
    ]
    scores = np.concatenate(list(_scores(context, dataset, task, sizes, list(product(shares, weights)))))
    return _result(context, dataset, task.name, candidates, candidates.index(shipped), scores)


def _scores(
    context: EvaluationContext,
    dataset: Dataset,
    task: TaskSpec,
    sizes: Sequence[int],
    mixes: Sequence[tuple[float, float]],
) -> Iterator[CandidateScores]:
    """nDCG@10 of each mix on each question, for each chunk size and prompt mode in turn."""
    for tokens in sizes:
        # A model in force and a second one, both searched whatever their shares.
        recipes = [
            resolve(
                context.settings, apply_profile(task, Profile(task.name, mode.value, 0.5, tokens, second_share=0.5))
            )
            for mode in PromptMode
        ]
        prompts = document_prompts(context, recipes[0])
        corpus = cut_documents(dataset, recipes[0].task, context.embedder, prompts, context.meter)
        embedded = embed_dataset(context, dataset, corpus, [signal for each in recipes for signal in each.signals])
        with temporary_index(context, corpus, recipes[0], embedded) as index:
            for recipe in recipes:
                yield _mixed_scores(context, dataset, fresh_retriever(recipe, index, embedded), mixes)


def _mixed_scores(
    context: EvaluationContext, dataset: Dataset, retriever: Retriever, mixes: Sequence[tuple[float, float]]
) -> CandidateScores:
    """nDCG@10 of each mix (share of the second model, dense weight) on each question, over one retriever's lists."""
    task, names = retriever.recipe.task, [signal.label for signal in retriever.recipe.signals]
    context.meter.begin(f"Trying prompts {task.prompts}", len(dataset.questions), "question")
    questions = gather_questions(retriever, dataset, context.meter)
    return qualities(
        questions,
        [
            SignalMix(dict(zip(names, (1.0 - share, share), strict=False)), weight, task.mix.spread)
            for share, weight in mixes
        ],
    )


def _result(
    context: EvaluationContext,
    dataset: Dataset,
    task: str,
    candidates: Sequence[TuningCandidate],
    shipped: int,
    scores: CandidateScores,
) -> TuneResult:
    selection = choose(scores, [question.id for question in dataset.questions], shipped)
    pairs = zip(candidates, selection.development, strict=True)
    tried = [replace(candidate, score=float(score)) for candidate, score in pairs]
    held_out = _confirm(context, selection, shipped, scores)
    gain = 0.0 if held_out is None else held_out.difference
    holds = held_out is not None and held_out.interval.low > 0.0 and selection.cross_validated > 0.0
    choice = tried[selection.chosen]
    return TuneResult(
        dataset=dataset.name,
        task=task,
        development_questions=len(dataset.questions) - len(selection.held_out),
        held_out_questions=len(selection.held_out),
        tried=tuple(sorted(tried, key=lambda candidate: -candidate.score)),
        shipped=tried[shipped],
        profile=replace(
            choice.profile(task),
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
