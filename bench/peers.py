"""Baselines put together from what libraries ship, so that our own search work is not part of what we compare with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import bm25s
import Stemmer
from langchain_text_splitters import RecursiveCharacterTextSplitter

from rag.evaluation.data.datasets import Dataset
from rag.evaluation.run.vectors import VectorCache
from rag.evaluation.stats.metrics import DEPTH, MAIN, per_question
from rag.jobs import Meter

RRF_K = 60
_IDENTIFIERS = re.compile(r"_+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
Rankings = Mapping[str, Sequence[str]]
"""Document ids, best first, by question id."""


def rank_by_score(scored: Iterable[tuple[str, float]], limit: int = DEPTH) -> tuple[str, ...]:
    """Rank document ids by falling score; equal scores by id, so that a ranking never depends on chance.

    Args:
        scored: Documents with their scores. A document that comes twice keeps its best score.
        limit: Longest ranking.
    """
    best: dict[str, float] = {}
    for document, score in scored:
        best[document] = max(score, best.get(document, score))
    return tuple(sorted(best, key=lambda document: (-best[document], document))[:limit])


def library_bm25(dataset: Dataset, code: bool = False) -> dict[str, tuple[str, ...]]:
    """BM25 of bm25s: Lucene's formula, k1 1.2, b 0.75, its English stop words, Snowball stemmer; title before text.

    Args:
        dataset: Documents and questions.
        code: True to split identifiers into their words first, without which BM25 finds little code.
    """
    stemmer = Stemmer.Stemmer("english")

    def tokens(texts: list[str]) -> bm25s.tokenization.Tokenized:
        split = [_IDENTIFIERS.sub(" ", text) for text in texts] if code else texts
        return bm25s.tokenize(split, stopwords="en", stemmer=stemmer, show_progress=False)

    index = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
    index.index(tokens([f"{record.title}\n{record.text}" for record in dataset.documents]), show_progress=False)
    depth = min(DEPTH + 1, len(dataset.documents))
    rows, scores = index.retrieve(tokens([query.text for query in dataset.questions]), k=depth, show_progress=False)
    ids = [record.id for record in dataset.documents]
    rankings = {}
    for question, numbers, values in zip(dataset.questions, rows, scores, strict=True):
        scored = ((ids[number], float(value)) for number, value in zip(numbers, values, strict=True))
        excluded = {question.id} & dataset.self_matches
        rankings[question.id] = tuple(key for key in rank_by_score(scored, depth) if key not in excluded)[:DEPTH]
    return rankings


def shipped_dense(dataset: Dataset, vectors: VectorCache, meter: Meter) -> dict[str, tuple[str, ...]]:
    """Dense search over chunks of 1,000 characters, 100 in common, without prompts; a document counts by its best one.

    Args:
        dataset: Documents and questions.
        vectors: Of the model that peers ship.
        meter: Told of each text.
    """
    splitter = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=100)
    chunks = [
        (record.id, text)
        for record in dataset.documents
        for text in splitter.split_text(f"{record.title}\n{record.text}".strip())
    ]
    questions = [query.text for query in dataset.questions]
    meter.begin("Embedding as peers do", len(chunks) + len(questions), "text")
    documents = vectors.encode([text for _, text in chunks], meter)
    scores = vectors.encode(questions, meter) @ documents.T
    owners = [owner for owner, _ in chunks]
    rankings = {}
    for question, row in zip(dataset.questions, scores, strict=True):
        best = rank_by_score(zip(owners, row.tolist(), strict=True), DEPTH + 1)
        excluded = {question.id} & dataset.self_matches
        rankings[question.id] = tuple(key for key in best if key not in excluded)[:DEPTH]
    return rankings


def fused(first: Rankings, second: Rankings) -> dict[str, tuple[str, ...]]:
    """Reciprocal rank fusion with k = 60 and equal weights, as hybrid search comes in the peers."""
    return {
        question: rank_by_score(
            (key, sum(1 / (RRF_K + ids.index(key) + 1) for ids in (first[question], second[question]) if key in ids))
            for key in {*first[question], *second[question]}
        )
        for question in first
    }


def quality(dataset: Dataset, rankings: Rankings) -> float:
    """Mean nDCG@10."""
    judged = {query.id: dataset.judged[query.id] for query in dataset.questions}
    return float(per_question(rankings, judged, [MAIN])[MAIN].mean())
