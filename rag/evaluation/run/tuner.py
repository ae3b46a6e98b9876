"""Picks a task's prompt mode, mix and chunk size by measurement, and writes them down as its profile."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby, product

import numpy as np

from rag.errors import DatasetError
from rag.evaluation.data.datasets import Dataset
from rag.evaluation.run.collection import VISIBLE, ChunkedCorpus, collect, document_vectors, open_index
from rag.evaluation.run.ranking import CACHE
from rag.evaluation.run.remembered import Remembered
from rag.evaluation.run.runs import STOPPED
from rag.evaluation.run.searching import Bench, rank_questions
from rag.evaluation.run.systems import DEFAULT, SYSTEMS, prompt_pairs, shipped_prompts
from rag.evaluation.run.vectors import KnownTexts, VectorCache
from rag.evaluation.stats.metrics import MAIN, Scores, per_question
from rag.evaluation.stats.resampling import RESAMPLES
from rag.evaluation.stats.significance import SystemComparison, compare_all
from rag.evaluation.stats.tuning import CandidateScores, Selection, choose
from rag.jobs import Meter, OnProgress
from rag.retrieval.centring import QuestionMemory
from rag.retrieval.retriever import Corpus, QuestionEmbedder
from rag.settings import Settings
from rag.tasks import Symmetry, TaskSpec, get_task
from rag.tasks.profiles import Profile
from rag.types import Embedder, Mode, Strategy

WEIGHTS = tuple(round(0.1 * step, 1) for step in range(11))
LEAST_QUESTIONS = 20
SHIPPED, CHOSEN = "shipped", "chosen"


@dataclass(frozen=True, slots=True)
class TuningCandidate:
    """One candidate: its choices, and its mean nDCG@10 on the development half."""

    symmetry: str
    dense_weight: float
    chunk_tokens: int
    score: float


@dataclass(frozen=True, slots=True)
class TuneResult:
    """What tuning found.

    Attributes:
        tried: Every candidate, the best on the development half first.
        shipped: The candidate that the task ships with.
        profile: The choice, whether it is worth keeping or not.
        cross_validated: Gain in nDCG@10 that cross-validation on the development half promised.
        held_out: The choice against the shipped one on questions that had no part in choosing; None when they are one.
        claimed: Gain that tuning without a split would have claimed.
        kept: Whether the choice is another one and holds on the held-out half.
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
    dataset: Dataset,
    task: str,
    settings: Settings,
    embedder: Embedder,
    *,
    chunk_tokens: Sequence[int] = (),
    progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
    resamples: int = RESAMPLES,
) -> TuneResult:
    """Measure every candidate with the product's own retrieval, choose on one half, confirm on the other.

    Args:
        dataset: At least 20 judged questions.
        task: Name of the task.
        settings: Model, prompts and data folder; nothing is written but cached vectors.
        embedder: The model in force.
        chunk_tokens: Further chunk sizes to try; each one is embedded anew.
        progress: Told of every step.
        cancel: Stops the work when set.
        resamples: Of the bootstrap and of the randomisation test.

    Raises:
        DatasetError: Too few questions to split.
        UnknownNameError: No such task.
        CancelledError: A person stopped the work.
    """
    if len(dataset.questions) < LEAST_QUESTIONS:
        raise DatasetError(
            f"{dataset.name}: found {len(dataset.questions)} judged questions, expected at least {LEAST_QUESTIONS} to "
            "choose on one half and confirm on the other."
        )
    spec = get_task(task)
    candidates = _candidates(spec, chunk_tokens)
    meter = Meter(progress, cancel, STOPPED)
    scores = np.stack(list(_measured(dataset, candidates, settings, embedder, meter)))
    choice = choose(scores, [question.id for question in dataset.questions], candidates.index(spec))
    return _result(dataset, candidates, candidates.index(spec), scores, choice, settings, resamples)


def _candidates(spec: TaskSpec, chunk_tokens: Sequence[int]) -> list[TaskSpec]:
    """The shipped task and its variations, grouped by chunk size and prompt mode so that each index is made once."""
    sizes = sorted({spec.chunk_tokens, *chunk_tokens})
    weights = sorted({spec.dense_weight, *WEIGHTS})
    return [
        replace(spec, chunk_tokens=size, symmetry=symmetry, bare=symmetry is Symmetry.NONE, dense_weight=weight)
        for size, symmetry, weight in product(sizes, Symmetry, weights)
    ]


def _measured(
    dataset: Dataset, candidates: Sequence[TaskSpec], settings: Settings, embedder: Embedder, meter: Meter
) -> Iterator[Scores]:
    """nDCG@10 of every question for each candidate, in order."""
    model = settings.embedding_model
    cache = VectorCache(embedder, model, settings.data_dir / CACHE / "vectors")
    judged = {question.id: dataset.judged[question.id] for question in dataset.questions}
    for _, same_size in groupby(candidates, key=lambda spec: spec.chunk_tokens):
        sized = list(same_size)
        prompts = [pair[1] for pair in prompt_pairs(settings, model, sized[0]).values()]
        collection = collect(dataset, sized[0], embedder, prompts, meter)
        for _, same_prompts in groupby(sized, key=lambda spec: spec.symmetry):
            group = list(same_prompts)
            for bench in _benches(dataset, collection, group, settings, embedder, cache, meter):
                rankings = rank_questions(bench, SYSTEMS[DEFAULT], None, None)
                yield per_question(rankings, judged, [MAIN])[MAIN]


def _benches(
    dataset: Dataset,
    collection: ChunkedCorpus,
    group: Sequence[TaskSpec],
    settings: Settings,
    embedder: Embedder,
    cache: VectorCache,
    meter: Meter,
) -> Iterator[Bench]:
    """One for each candidate of a prompt mode, over one index whose answers are remembered."""
    query, document = shipped_prompts(settings, settings.embedding_model, group[0])
    asked = [query + question.text for question in dataset.questions]
    size = sum(map(len, set(asked))) + sum(len(text) + len(document) for text in set(collection.inputs))
    meter.begin(
        f"Embedding, prompts {group[0].symmetry}",
        len(set(asked)) + len(set(collection.inputs)),
        "text",
        weight=float(size),
    )
    known = KnownTexts(embedder, dict(zip(asked, cache.encode(asked, meter), strict=True)))
    vectors = {Mode.TASK_AWARE: document_vectors(collection, document, cache, meter)}
    model = settings.embedding_model
    with open_index(collection, model, embedder, vectors, (query, document), meter) as index:
        remembered = Remembered(index)
        for spec in group:
            meter.begin(f"Trying {spec.symmetry}, {spec.dense_weight:g} dense", len(dataset.questions), "question")
            memory = QuestionMemory() if spec.centred else None
            corpus = Corpus(spec, remembered, QuestionEmbedder(known), query, lambda: VISIBLE, memory=memory)
            yield Bench(dataset, collection, remembered, corpus, Strategy.HYBRID, None, meter)


def _result(
    dataset: Dataset,
    candidates: Sequence[TaskSpec],
    shipped: int,
    scores: CandidateScores,
    choice: Selection,
    settings: Settings,
    resamples: int,
) -> TuneResult:
    tried = [
        TuningCandidate(spec.symmetry.value, spec.dense_weight, spec.chunk_tokens, float(score))
        for spec, score in zip(candidates, choice.development, strict=True)
    ]
    held_out = None
    if choice.chosen != shipped:
        places = list(choice.held_out)
        values = {SHIPPED: scores[shipped, places], CHOSEN: scores[choice.chosen, places]}
        held_out = compare_all(values, SHIPPED, resamples=resamples)[CHOSEN]
    gain = held_out.difference if held_out is not None else 0.0
    kept = gain > 0.0 and choice.cross_validated > 0.0
    found = tried[choice.chosen]
    profile = Profile(
        task=candidates[0].name,
        symmetry=found.symmetry,
        dense_weight=found.dense_weight,
        chunk_tokens=found.chunk_tokens,
        model=settings.embedding_model.id,
        dataset=dataset.name,
        gain=round(gain, 4),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    return TuneResult(
        dataset=dataset.name,
        task=profile.task,
        development_questions=len(dataset.questions) - len(choice.held_out),
        held_out_questions=len(choice.held_out),
        tried=tuple(sorted(tried, key=lambda one: -one.score)),
        shipped=tried[shipped],
        profile=profile,
        cross_validated=choice.cross_validated,
        held_out=held_out,
        claimed=choice.claimed,
        kept=kept,
        words=tuple(_words(tried[shipped], found, choice, held_out, kept)),
    )


def _words(
    shipped: TuningCandidate, found: TuningCandidate, choice: Selection, held_out: SystemComparison | None, kept: bool
) -> Iterator[str]:
    yield f"Shipped: {_described(shipped)}: {shipped.score:.3f} {MAIN} on the development half."
    if held_out is None:
        yield "No candidate beats it there by more than a standard error; the shipped choice stays."
    else:
        yield f"Chosen: {_described(found)}: {found.score:.3f}; cross-validated gain {choice.cross_validated:+.3f}."
        yield f"On the held-out half, which had no part in choosing: {held_out.words}"
    honest = held_out.difference if held_out is not None else 0.0
    yield f"Tuned and scored on all questions it would have claimed {choice.claimed:+.3f}; what held is {honest:+.3f}."
    yield "The profile is worth keeping." if kept else "No profile is worth keeping; nothing changes."


def _described(tried: TuningCandidate) -> str:
    return f"prompts {tried.symmetry}, {tried.dense_weight:g} dense, chunks of {tried.chunk_tokens} tokens"
