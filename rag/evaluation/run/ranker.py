"""Documents ranked for judged questions by the product's retriever."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from rag.evaluation.data.datasets import Dataset
from rag.evaluation.hashing import digest
from rag.evaluation.run.chunked import ChunkedCorpus
from rag.evaluation.run.embedded import EmbeddedDataset
from rag.evaluation.run.index import VISIBLE
from rag.evaluation.stats.metrics import DEPTH
from rag.jobs import Meter
from rag.recipes import RecipeInForce
from rag.retrieval.centring import QuestionMemory
from rag.retrieval.request import Request
from rag.retrieval.retriever import Retriever
from rag.retrieval.vocabulary import Vocabulary
from rag.types import Hit, Mode, Reranker, Strategy, VectorIndex

VERSION = 1
"""Raised whenever the same hits give another ranking of documents."""
_WIDEST_START = 4
"""Most chunks a document that a search begins with."""

Rankings = dict[str, tuple[str, ...]]
"""Document ids, best first, by question id."""


def fresh_retriever(
    recipe: RecipeInForce, index: VectorIndex, embedded: EmbeddedDataset, reranker: Reranker | None = None
) -> Retriever:
    """The product's retriever over a dataset's index; it has seen no question yet."""
    recipe = replace(recipe, signals=embedded.named(recipe.signals))
    return Retriever(
        recipe,
        index,
        embed=embedded.embed_by(recipe.model),
        visible=VISIBLE,
        others={signal.model.id: embedded.embed_by(signal.model) for signal in recipe.signals},
        reranker=reranker,
        memory=_fresh_memories() if recipe.task.mix.centred else None,
        vocabulary=Vocabulary(terms for batch in index.terms(VISIBLE) for terms in batch),
    )


def _fresh_memories() -> Callable[[str], QuestionMemory]:
    memories: defaultdict[str, QuestionMemory] = defaultdict(QuestionMemory)
    return lambda signal: memories[signal]


@dataclass(frozen=True, slots=True)
class Ranker:
    """Ranks the documents of a dataset.

    Attributes:
        retriever: The product's, over the dataset's index.
        strategy: Signals that rank.
        candidates: Points that a search begins with, when the ranking has to reach the depth that is judged; None keeps
            the retriever's own number, which is part of how it fuses.
    """

    retriever: Retriever
    strategy: Strategy
    candidates: int | None = None

    def rank(self, dataset: Dataset, meter: Meter) -> Rankings:
        """Rank the documents for every question; a document stands where its first hit stands.

        Retrieval may learn from the questions it has seen, so they are asked in an order that mixes them, as people do,
        and that does not depend on how the data were sorted.
        """
        rankings: Rankings = {}
        for question in sorted(dataset.questions, key=lambda query: digest(query.id)):
            excluded = {question.id} & dataset.self_matches
            documents = [key for key in ranked_documents(self._hits(question.text)) if key not in excluded]
            rankings[question.id] = tuple(documents[:DEPTH])
            meter.step()
        return rankings

    def _hits(self, question: str) -> Sequence[Hit]:
        if self.candidates is None:
            return self._retrieve(self.retriever, question)
        # A reranker reads the head of the list alone and is slow: it is asked once the list is deep enough.
        probe = replace(self.retriever, candidates=self.candidates, reranker=None)
        hits = self._retrieve(probe, question)
        while len(ranked_documents(hits)) <= DEPTH and len(hits) == probe.candidates:
            probe = replace(probe, candidates=2 * probe.candidates)
            hits = self._retrieve(probe, question)
        if self.retriever.reranker is None:
            return hits
        return self._retrieve(replace(probe, reranker=self.retriever.reranker), question)

    def _retrieve(self, retriever: Retriever, question: str) -> Sequence[Hit]:
        # Two signals give at most twice the candidates; all of them are ranked.
        request = Request(question, strategy=self.strategy, k=2 * retriever.candidates)
        return retriever.retrieve(request)[Mode.TASK_AWARE].hits


def ranked_documents(hits: Sequence[Hit]) -> list[str]:
    """Rank document ids by their first hits; hits of one score go by document id, so that luck has no part."""
    documents: dict[str, None] = {}
    for _, tied in groupby(hits, key=lambda hit: hit.score):
        documents |= dict.fromkeys(sorted(hit.payload.document for hit in tied))
    return list(documents)


def starting_candidates(corpus: ChunkedCorpus) -> int:
    """Points of one signal that mostly reach the depth that is judged, with one more for a question's own document."""
    chunks_each = len(corpus.chunks) / len(corpus.documents)
    return math.ceil((DEPTH + 1) * min(_WIDEST_START, max(1.0, chunks_each)))
