"""Rankings of documents, question by question, for each kind of system."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rag.evaluation.data.datasets import Dataset, Query
from rag.evaluation.hashing import digest
from rag.evaluation.run.collection import VISIBLE, ChunkedCorpus
from rag.evaluation.run.systems import Method, System
from rag.evaluation.stats.metrics import DEPTH, ranked
from rag.jobs import Meter
from rag.retrieval.analyser import analyse, question_terms
from rag.retrieval.fusion import rrf
from rag.retrieval.retriever import CANDIDATES, RERANKED, Corpus, retrieve
from rag.types import Matrix, Mode, Reranker, ScoredPoint, Search, Strategy, VectorIndex

Rankings = dict[str, tuple[str, ...]]
"""Document ids, best first, by question id."""

RRF_K = 60
_TOGETHER = 32
_WIDE = 4


@dataclass(frozen=True, slots=True)
class Bench:
    """What rankings are made from.

    Attributes:
        dataset: The questions.
        collection: The documents.
        index: Holds the collection; None when no system needs it.
        corpus: What the product's retrieval asks; None when no system needs it.
        strategy: The product's, from the settings.
        reranker: For reranked systems.
        meter: Told of each question.
    """

    dataset: Dataset
    collection: ChunkedCorpus
    index: VectorIndex | None
    corpus: Corpus | None
    strategy: Strategy
    reranker: Reranker | None
    meter: Meter


def rank_questions(bench: Bench, system: System, queries: Matrix | None, documents: Matrix | None) -> Rankings:
    """Rank the documents for every question.

    Args:
        bench: Questions, documents and index.
        system: How to rank.
        queries: Question vectors under the system's prompts, shape (questions, dimension); for dense and RRF.
        documents: Chunk vectors under the system's prompts, shape (chunks, dimension); for dense.
    """
    if system.method is Method.DENSE:
        found = _dense(bench, _given(queries), _given(documents))
    elif system.method is Method.BM25:
        found = _engine(bench, lambda question, _: [_bm25(bench, question)], lambda lists: lists[0])
    elif system.method is Method.RRF:
        vectors = _given(queries)
        found = _engine(
            bench,
            lambda question, place: [
                Search(VISIBLE, CANDIDATES, vector=vectors[place], using=Mode.NAIVE),
                Search(VISIBLE, CANDIDATES, terms=_terms(bench, question)),
            ],
            lambda lists: [ScoredPoint(one.found.id, one.score, one.found.payload) for one in rrf(lists, RRF_K)],
        )
    else:
        found = _product(bench)
    rankings = {question: _without_self(bench, question, ids) for question, ids in found}
    return _reranked(bench, rankings) if system.reranked else rankings


def _given(matrix: Matrix | None) -> Matrix:
    if matrix is None:
        raise ValueError("found no vectors for a system that ranks by them, expected one row a text")
    return matrix


def _without_self(bench: Bench, question: str, ids: Sequence[str]) -> tuple[str, ...]:
    if question in bench.dataset.self_matches:
        return tuple(key for key in ids if key != question)[:DEPTH]
    return tuple(ids[:DEPTH])


def _dense(bench: Bench, queries: Matrix, documents: Matrix) -> Iterator[tuple[str, Sequence[str]]]:
    """Exact search: a document scores as its best chunk."""
    ids = np.array(bench.collection.ids, dtype=object)
    limit = min(DEPTH + 1, len(ids))
    for start in range(0, len(queries), _TOGETHER):
        chunk_scores = queries[start : start + _TOGETHER] @ documents.T
        scores = np.maximum.reduceat(chunk_scores, bench.collection.starts, axis=1)
        for question, row in zip(bench.dataset.questions[start : start + _TOGETHER], scores, strict=True):
            least = np.partition(row, len(row) - limit)[len(row) - limit]
            candidates = np.flatnonzero(row >= least)
            best = candidates[np.argsort(-row[candidates], kind="stable")][:limit]
            bench.meter.step()
            yield question.id, list(ids[best])


def _bm25(bench: Bench, question: Query) -> Search:
    chunks_each = len(bench.collection.chunks) / len(bench.collection.ids)
    return Search(VISIBLE, round((DEPTH + 1) * min(_WIDE, max(1.0, chunks_each))), terms=_terms(bench, question))


def _terms(bench: Bench, question: Query) -> tuple[str, ...]:
    analyser = bench.collection.spec.analyser
    return question_terms(analyse(question.text, analyser), analyser)


def _engine(
    bench: Bench,
    searches: Callable[[Query, int], list[Search]],
    fuse: Callable[[list[list[ScoredPoint]]], Sequence[ScoredPoint]],
) -> Iterator[tuple[str, Sequence[str]]]:
    """Rankings from the product's index; `fuse` makes one list of those that a question's searches give."""
    if bench.index is None:
        raise ValueError("found no index for a system that searches it, expected an open one")
    for place, question in enumerate(bench.dataset.questions):
        fused = fuse(bench.index.search(searches(question, place)))
        bench.meter.step()
        yield question.id, ranked(((one.payload.document, one.score) for one in fused), DEPTH + 1)


def _product(bench: Bench) -> Iterator[tuple[str, Sequence[str]]]:
    """Rankings by the product's own retrieval; a document stands where its first hit stands.

    Retrieval may learn from the questions it has seen, so they are asked in an order that mixes them, as people do, and
    that does not depend on how the data were sorted. It begins with none.
    """
    if bench.corpus is None:
        raise ValueError("found no corpus for the default system, expected an open one")
    for question in sorted(bench.dataset.questions, key=lambda one: digest(one.id)):
        found = retrieve(bench.corpus, question.text, [Mode.TASK_AWARE], bench.strategy, _WIDE * CANDIDATES)
        bench.meter.step()
        yield question.id, list(dict.fromkeys(hit.payload.document for hit in found[Mode.TASK_AWARE].hits))


def _reranked(bench: Bench, rankings: Mapping[str, tuple[str, ...]]) -> Rankings:
    if bench.reranker is None:
        raise ValueError("found no reranker for a reranked system")
    texts = {key: document.text for key, document in bench.collection.documents.items()}
    found: Rankings = {}
    for question in bench.dataset.questions:
        head, tail = rankings[question.id][:RERANKED], rankings[question.id][RERANKED:]
        scores = bench.reranker.scores(question.text, [texts[key] for key in head]) if head else []
        found[question.id] = (*ranked(zip(head, scores, strict=True)), *tail)
        bench.meter.step(0)
    return found
