"""Vectors of a dataset's questions and chunks under the prompts of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rag.evaluation.data.datasets import Dataset
from rag.evaluation.run.chunked import ChunkedCorpus, document_vectors
from rag.evaluation.run.contenders import PromptPair
from rag.evaluation.run.context import EvaluationContext
from rag.types import Matrix, Vector


@dataclass(frozen=True, slots=True)
class EmbeddedDataset:
    """Vectors of a run, each made once.

    Attributes:
        documents: Of all chunks, by document prompt, each of shape (chunks, dimension).
        queries: Of exact question texts, prompts included.
    """

    documents: Mapping[str, Matrix]
    queries: Mapping[str, Vector]

    def embed(self, texts: Sequence[str]) -> Matrix:
        """Vectors of exact question texts, as a retriever asks for them, shape (texts, dimension)."""
        return np.stack([self.queries[text] for text in texts])


def embed_dataset(
    context: EvaluationContext,
    dataset: Dataset,
    corpus: ChunkedCorpus,
    pairs: Iterable[PromptPair],
    stage: str = "Embedding",
) -> EmbeddedDataset:
    """Embed questions and chunks under pairs of prompts.

    Args:
        context: Embedder, cache of vectors and meter.
        dataset: Its questions are embedded.
        corpus: Its chunks are embedded.
        pairs: (query, document) prompts; one that occurs in several pairs is embedded once.
        stage: Name of the stage in the progress.
    """
    pairs = list(pairs)
    query_prompts = list(dict.fromkeys(query for query, _ in pairs))
    document_prompts = list(dict.fromkeys(document for _, document in pairs))
    cache, questions = context.vectors, [query.text for query in dataset.questions]
    texts = [prompt + text for prompt in query_prompts for text in set(questions)]
    texts += [prompt + text for prompt in document_prompts for text in set(corpus.inputs)]
    context.meter.begin(stage, len(texts), "text", weight=float(sum(map(len, texts))))
    queries: dict[str, Vector] = {}
    for prompt in query_prompts:
        exact = [prompt + text for text in questions]
        queries.update(zip(exact, cache.encode(exact, context.meter), strict=True))
    documents = {prompt: document_vectors(corpus, prompt, cache, context.meter) for prompt in document_prompts}
    return EmbeddedDataset(documents, queries)
