"""Vectors of a dataset's questions and chunks by the signals of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rag.evaluation.data.datasets import Dataset
from rag.evaluation.run.chunked import ChunkedCorpus, document_vectors
from rag.evaluation.run.context import EvaluationContext
from rag.models import EmbeddingModel
from rag.recipes import DenseSignal
from rag.types import Matrix, Vector


@dataclass(frozen=True, slots=True)
class EmbeddedDataset:
    """Vectors of a run, each made once.

    Attributes:
        documents: Of all chunks, by the name of the vectors in the run's index, each of shape (chunks, dimension).
        models: The model that made them, by that name.
        names: That name by model id and document prompt.
        queries: Of exact question texts, prompts included, by model id.
    """

    documents: Mapping[str, Matrix]
    models: Mapping[str, EmbeddingModel]
    names: Mapping[tuple[str, str], str]
    queries: Mapping[str, Mapping[str, Vector]]

    def named(self, signals: Sequence[DenseSignal]) -> tuple[DenseSignal, ...]:
        """Return signals that search the vectors of this run's index; those that it lacks stay as they are."""
        return tuple(
            replace(each, name=self.names.get((each.model.id, each.document_prompt), each.name)) for each in signals
        )

    def embed_by(self, model: EmbeddingModel) -> Callable[[Sequence[str]], Matrix]:
        """Return what embeds exact question texts by a model, as a retriever asks for it."""
        return lambda texts: np.stack([self.queries[model.id][text] for text in texts])


def embed_dataset(
    context: EvaluationContext,
    dataset: Dataset,
    corpus: ChunkedCorpus,
    signals: Iterable[DenseSignal],
    stage: str = "Embedding",
) -> EmbeddedDataset:
    """Embed questions and chunks as signals want it.

    Args:
        context: Embedders, cache of vectors and meter.
        dataset: Its questions are embedded.
        corpus: Its chunks are embedded.
        signals: What one prompt of one model gives is made once, however many signals want it.
        stage: Name of the stage in the progress.
    """
    signals = list(signals)
    models = {signal.model.id: signal.model for signal in signals}
    query_prompts = list(dict.fromkeys((signal.model.id, signal.query_prompt) for signal in signals))
    document_prompts = list(dict.fromkeys((signal.model.id, signal.document_prompt) for signal in signals))
    questions = [query.text for query in dataset.questions]
    texts = [prompt + text for _, prompt in query_prompts for text in set(questions)]
    texts += [prompt + text for _, prompt in document_prompts for text in set(corpus.inputs)]
    context.meter.begin(stage, len(texts), "text", weight=float(sum(map(len, texts))))
    queries: dict[str, dict[str, Vector]] = {model: {} for model in models}
    for model, prompt in query_prompts:
        exact = [prompt + text for text in questions]
        queries[model].update(zip(exact, context.vectors_of(models[model]).encode(exact, context.meter), strict=True))
    names = {key: f"vector-{number}" for number, key in enumerate(document_prompts)}
    documents = {
        names[model, prompt]: document_vectors(corpus, prompt, context.vectors_of(models[model]), context.meter)
        for model, prompt in document_prompts
    }
    return EmbeddedDataset(documents, {name: models[key[0]] for key, name in names.items()}, names, queries)
