"""Request -> hits: one call to the model, one to the engine, fused by the task's own mix."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rag.recipes import RecipeInForce
from rag.retrieval.analyser import analyse, question_terms
from rag.retrieval.centring import QuestionMemory
from rag.retrieval.fusion import Fused, mix
from rag.retrieval.request import Request, Retrieved
from rag.retrieval.reranking import rerank
from rag.turns import TURNS
from rag.types import Embedder, Filter, Hit, Matrix, Mode, Reranker, ScoredPoint, Search, Strategy, Vector, VectorIndex

VERSION = 1
"""Raised whenever the same signals give another ranking."""
CANDIDATES = 100
"""How many points of each signal are fused; scores are scaled over these."""
PHRASE_POINTS = 30
"""How many BM25 points are read for words that stand side by side."""
HITS = 6

QueryEmbedder = Callable[[Sequence[str]], Matrix]
"""Vectors of exact question texts, prompts included, shape (texts, dimension)."""
Lists = Mapping[Mode | None, list[ScoredPoint]]
"""Candidates by signal: dense by mode, BM25 under None."""


class CachedEmbedder:
    """Embeds exact texts and remembers the last ones. Safe to call from many threads."""

    def __init__(self, embedder: Embedder, size: int = 2048) -> None:
        self._embedder = embedder
        self._size = size
        self._lock = threading.Lock()
        self._vectors: OrderedDict[str, Vector] = OrderedDict()

    def __call__(self, texts: Sequence[str]) -> Matrix:
        """Return the vectors of the texts, shape (texts, dimension); only texts not seen lately reach the model."""
        with self._lock:
            vectors = {text: self._vectors[text] for text in texts if text in self._vectors}
        missing = [text for text in dict.fromkeys(texts) if text not in vectors]
        if missing:
            with TURNS.first():
                vectors.update(zip(missing, self._embedder.encode(missing), strict=True))
        with self._lock:
            for text in texts:
                self._vectors[text] = vectors[text]
                self._vectors.move_to_end(text)
            while len(self._vectors) > self._size:
                self._vectors.popitem(last=False)
        return np.stack([vectors[text] for text in texts])


@dataclass(frozen=True, slots=True)
class Retriever:
    """Answers requests of one task from its index.

    Attributes:
        recipe: Prompts and mix in force.
        index: The task's open index.
        embed: Embeds questions.
        visible: The points that may be found.
        current: Given versions, returns those that are current; asked after the search, as a commit may come in
            between.
        reranker: Reorders the first hits of the task-aware mode, or None.
        memory: Questions asked before, for tasks that discount texts near to all of them.
        candidates: Points of each signal that are fused.
    """

    recipe: RecipeInForce
    index: VectorIndex
    embed: QueryEmbedder
    visible: Filter
    current: Callable[[set[str]], set[str]] = set
    reranker: Reranker | None = None
    memory: QuestionMemory | None = None
    candidates: int = CANDIDATES

    def retrieve(self, request: Request, modes: Sequence[Mode] = ()) -> dict[Mode, Retrieved]:
        """Find the hits of one question in each of the modes, by default in the request's.

        The questions of all modes are embedded in one batch, and all lists come from one call to the engine. The naive
        mode is always dense.
        """
        started = time.perf_counter()
        hybrid = request.strategy or Strategy.HYBRID
        strategies = {m: hybrid if m is Mode.TASK_AWARE else Strategy.DENSE for m in modes or (request.mode,)}
        vectors = self._embed(request.question, strategies)
        embedded = time.perf_counter()
        terms: list[str] = []
        lexical: Search | None = None
        visible = replace(self.visible, documents=request.filters.documents, names=request.filters.names)
        if set(strategies.values()) != {Strategy.DENSE}:
            analyser = self.recipe.task.mix.analyser
            terms = analyse(request.question, analyser)
            lexical = Search(visible, self.candidates, terms=question_terms(terms, analyser))
        lists = self._search(visible, vectors, lexical)
        searched = time.perf_counter()
        rankings = {mode: self._rank(request.question, terms, lists, mode, s) for mode, s in strategies.items()}
        if self.memory is not None and Mode.TASK_AWARE in vectors:
            self.memory.add(vectors[Mode.TASK_AWARE])
        ended = time.perf_counter()
        timings = {
            "embed": 1000 * (embedded - started),
            "search": 1000 * (searched - embedded),
            "fuse": 1000 * (ended - searched),
            "total": 1000 * (ended - started),
        }
        return {
            mode: Retrieved(
                question=request.question,
                task=self.recipe.task.name,
                mode=mode,
                strategy=strategies[mode],
                hits=_hits(ranking[: request.k or HITS]),
                timings=timings,
            )
            for mode, ranking in rankings.items()
        }

    def _embed(self, question: str, strategies: Mapping[Mode, Strategy]) -> dict[Mode, Vector]:
        modes = [mode for mode, strategy in strategies.items() if strategy is not Strategy.BM25]
        if not modes:
            return {}
        prompts = {Mode.TASK_AWARE: self.recipe.query_prompt, Mode.NAIVE: ""}
        return dict(zip(modes, self.embed([prompts[mode] + question for mode in modes]), strict=True))

    def _search(self, visible: Filter, vectors: Mapping[Mode, Vector], lexical: Search | None) -> Lists:
        """Candidates by signal from one call to the engine."""
        # Neighbours and discounts are worked out from vectors, which cost time to read: only hybrid search needs them.
        with_vectors = lexical is not None and (self.recipe.task.mix.spread > 0 or self.memory is not None)
        searches: dict[Mode | None, Search] = {
            mode: Search(visible, self.candidates, vector, mode, with_vectors=with_vectors and mode is Mode.TASK_AWARE)
            for mode, vector in vectors.items()
        }
        if lexical is not None:
            searches[None] = lexical
        lists = self.index.search(list(searches.values()))
        current = self.current({point.payload.version for points in lists for point in points})
        return {
            signal: [point for point in points if point.payload.version in current]
            for signal, points in zip(searches, lists, strict=True)
        }

    def _rank(self, question: str, terms: Sequence[str], lists: Lists, mode: Mode, strategy: Strategy) -> list[Fused]:
        dense, bm25 = lists.get(mode, []), lists.get(None, [])
        if strategy is Strategy.DENSE:
            ranking = [Fused(point, point.score, {"dense": point.score}) for point in dense]
        elif strategy is Strategy.BM25:
            ranking = [Fused(point, point.score, {"bm25": point.score}) for point in bm25]
        else:
            texts = {point.id: point.terms.split() for point in bm25[:PHRASE_POINTS]}
            discounts = {} if self.memory is None else self.memory.discounts(dense)
            ranking = mix(dense, bm25, self.recipe.task.mix, terms, texts, discounts)
        if self.reranker is None or mode is Mode.NAIVE:
            return ranking
        return rerank(self.reranker, question, ranking)


def _hits(ranking: Sequence[Fused]) -> tuple[Hit, ...]:
    return tuple(
        Hit(fused.point.id, rank, fused.score, fused.point.payload, fused.scores)
        for rank, fused in enumerate(ranking, start=1)
    )
