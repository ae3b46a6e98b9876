"""The cost of a run before it starts: the texts that have no vectors yet."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from rag.evaluation.data.datasets import Dataset
from rag.evaluation.run.chunked import cut_documents
from rag.evaluation.run.contenders import contenders
from rag.evaluation.run.context import EvaluationContext
from rag.evaluation.run.rankings import document_prompts
from rag.evaluation.run.systems import STANDARD
from rag.jobs import Meter
from rag.recipes import RecipeInForce
from rag.types import Embedder

_SAMPLE = 16


@dataclass(frozen=True, slots=True)
class Cost:
    """Texts that a run still has to embed, and about how long that takes.

    Attributes:
        texts: Texts without vectors.
        characters: Their length together, prompts included.
        seconds: Estimate for this machine.
    """

    texts: int
    characters: int
    seconds: float


def estimate_cost(
    context: EvaluationContext, dataset: Dataset, recipe: RecipeInForce, systems: Sequence[str] = STANDARD
) -> Cost:
    """Count what a run would embed, naive vectors included, which an index built without comparison lacks.

    The speed is measured on a few of the texts.
    """
    resolved = contenders(systems, recipe, context.settings, has_reranker=True)
    signals = [signal for contender in resolved for signal in contender.signals]
    prompts = document_prompts(context, recipe)
    corpus = cut_documents(dataset, recipe.task, context.embedder, prompts, Meter())
    texts: list[str] = []
    for model, query_prompt in {(signal.model, signal.query_prompt) for signal in signals}:
        cache = context.vectors_of(model)
        texts += cache.missing([query_prompt + question.text for question in dataset.questions])
    for model, document_prompt in {(signal.model, signal.document_prompt) for signal in signals}:
        texts += context.vectors_of(model).missing([document_prompt + text for text in corpus.inputs])
    characters = sum(map(len, texts))
    return Cost(len(texts), characters, _seconds(texts, characters, context.embedder))


def _seconds(texts: Sequence[str], characters: int, embedder: Embedder) -> float:
    if not texts:
        return 0.0
    sample = texts[:: max(1, len(texts) // _SAMPLE)][:_SAMPLE]
    started = time.perf_counter()
    embedder.encode(sample)
    return (time.perf_counter() - started) * characters / max(1, sum(map(len, sample)))
