"""Question + task + mode -> hits: one call to the engine, fused by the task's own mix."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from rag.retrieval.analyser import analyse, question_terms
from rag.retrieval.centring import QuestionMemory
from rag.retrieval.fusion import Fused, convex, phrase_shares, spread
from rag.types import Embedder, Filter, Hit, Matrix, Mode, Reranker, ScoredPoint, Search, Strategy, Vector, VectorIndex

if TYPE_CHECKING:
    from rag.tasks import TaskSpec

CANDIDATES = 100
"""How many hits of each signal are fused; scores are scaled over these."""
PHRASED = 30
"""How many BM25 hits are read for words that stand side by side."""
RERANKED = 30
"""How many fused hits a reranker reads."""


@dataclass(frozen=True, slots=True)
class Retrieved:
    """The hits of one question in one mode.

    Attributes:
        timings: Milliseconds by stage: `embed`, `search`, `fuse`, `total`; what two modes share counts in both.
    """

    question: str
    task: str
    mode: Mode
    strategy: Strategy
    hits: tuple[Hit, ...]
    timings: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One question in both modes."""

    task_aware: Retrieved
    naive: Retrieved

    def rank_changes(self) -> dict[str, int | None]:
        """Places each task-aware hit gained against the naive list, by hit id; None when it is not in that list."""
        naive = {hit.id: hit.rank for hit in self.naive.hits}
        return {hit.id: naive[hit.id] - hit.rank if hit.id in naive else None for hit in self.task_aware.hits}


class QuestionEmbedder:
    """Embeds exact question texts and remembers the last ones. Safe to call from many threads."""

    def __init__(self, embedder: Embedder, size: int = 2048) -> None:
        self._embedder = embedder
        self._size = size
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Vector] = OrderedDict()

    def __call__(self, texts: Sequence[str]) -> Matrix:
        """Vectors of the texts, shape (texts, dimension); only texts not seen lately reach the model."""
        with self._lock:
            known = {text: self._known[text] for text in texts if text in self._known}
        missing = [text for text in dict.fromkeys(texts) if text not in known]
        if missing:
            known.update(zip(missing, self._embedder.encode(missing), strict=True))
        with self._lock:
            for text in texts:
                self._known[text] = known[text]
                self._known.move_to_end(text)
            while len(self._known) > self._size:
                self._known.popitem(last=False)
        return np.stack([known[text] for text in texts])


@dataclass(frozen=True, slots=True)
class Corpus:
    """What questions of one task are asked of.

    Attributes:
        visible: The filter in force when a question is asked.
        current: Which of these versions are current, all by default; asked after the search, as a commit may come in
            between.
        query_prompt: Put before questions in the task-aware mode.
        memory: Questions asked before, for tasks that discount what is near to all of them.
    """

    spec: TaskSpec
    index: VectorIndex
    questions: QuestionEmbedder
    query_prompt: str
    visible: Callable[[], Filter]
    reranker: Reranker | None = None
    current: Callable[[set[str]], set[str]] = set
    memory: QuestionMemory | None = None


def retrieve(
    corpus: Corpus,
    question: str,
    modes: Sequence[Mode],
    strategy: Strategy,
    k: int,
    names: Sequence[str] | None = None,
) -> dict[Mode, Retrieved]:
    """Hits of one question in each of the modes.

    The questions of all modes are embedded in one batch, and all lists come from one call to the engine.

    Args:
        corpus: Task, index and embedder.
        question: As the person wrote it; prompts are added here.
        modes: Modes to answer in.
        strategy: For the task-aware mode; the naive mode is always dense.
        k: Most hits to return a mode.
        names: Only these files, or None for all.
    """
    started = time.perf_counter()
    by_mode = {mode: strategy if mode is Mode.TASK_AWARE else Strategy.DENSE for mode in modes}
    vectors = _embed(corpus, question, [mode for mode, chosen in by_mode.items() if chosen is not Strategy.BM25])
    embedded = time.perf_counter()
    wants_words = any(chosen is not Strategy.DENSE for chosen in by_mode.values())
    terms = analyse(question, corpus.spec.analyser) if wants_words else []
    lists = _search(corpus, terms if wants_words else None, vectors, names)
    searched = time.perf_counter()
    fused = {mode: _rank(corpus, question, terms, lists, mode, chosen)[:k] for mode, chosen in by_mode.items()}
    if corpus.memory is not None and Mode.TASK_AWARE in vectors:
        corpus.memory.add(vectors[Mode.TASK_AWARE])
    ended = time.perf_counter()
    timings = {
        "embed": 1000 * (embedded - started),
        "search": 1000 * (searched - embedded),
        "fuse": 1000 * (ended - searched),
        "total": 1000 * (ended - started),
    }
    return {
        mode: Retrieved(question, corpus.spec.name, mode, by_mode[mode], _hits(ranking), timings)
        for mode, ranking in fused.items()
    }


def _embed(corpus: Corpus, question: str, modes: Sequence[Mode]) -> dict[Mode, Vector]:
    if not modes:
        return {}
    texts = [corpus.query_prompt + question if mode is Mode.TASK_AWARE else question for mode in modes]
    return dict(zip(modes, corpus.questions(texts), strict=True))


def _search(
    corpus: Corpus, terms: Sequence[str] | None, vectors: Mapping[Mode, Vector], names: Sequence[str] | None
) -> dict[Mode | None, list[ScoredPoint]]:
    """Candidates by signal: dense by mode, BM25 under None."""
    where = corpus.visible()
    if names is not None:
        where = Filter(where.workspace, where.hidden_versions, where.documents, tuple(names))
    near = terms is not None and (corpus.spec.spread > 0 or corpus.memory is not None)
    searches: dict[Mode | None, Search] = {
        mode: Search(where, CANDIDATES, vector, mode, with_vectors=near and mode is Mode.TASK_AWARE)
        for mode, vector in vectors.items()
    }
    if terms is not None:
        searches[None] = Search(where, CANDIDATES, terms=question_terms(terms, corpus.spec.analyser))
    lists = corpus.index.search(list(searches.values()))
    current = corpus.current({found.payload.version for one in lists for found in one})
    seen = [[found for found in one if found.payload.version in current] for one in lists]
    return dict(zip(searches, seen, strict=True))


def _rank(
    corpus: Corpus,
    question: str,
    terms: Sequence[str],
    lists: Mapping[Mode | None, list[ScoredPoint]],
    mode: Mode,
    strategy: Strategy,
) -> list[Fused]:
    dense, bm25 = lists.get(mode, []), lists.get(None, [])
    if strategy is Strategy.DENSE:
        ranking = [Fused(found, found.score, {"dense": found.score}) for found in dense]
    elif strategy is Strategy.BM25:
        ranking = [Fused(found, found.score, {"bm25": found.score}) for found in bm25]
    else:
        ranking = _mixed(corpus, terms, dense, bm25)
    if corpus.reranker is None or mode is Mode.NAIVE:
        return ranking
    return _rerank(corpus.reranker, question, ranking)


def _mixed(
    corpus: Corpus, terms: Sequence[str], dense: Sequence[ScoredPoint], bm25: Sequence[ScoredPoint]
) -> list[Fused]:
    """The task's own mix of the two lists."""
    spec = corpus.spec
    texts = {found.id: found.terms.split() for found in bm25[:PHRASED]}
    phrases = phrase_shares(terms, texts)
    discounts = {} if corpus.memory is None else corpus.memory.discounts(dense)
    return spread(convex(dense, bm25, spec.dense_weight, phrases=phrases, discounts=discounts), spec.spread)


def _rerank(reranker: Reranker, question: str, ranking: list[Fused]) -> list[Fused]:
    head, tail = ranking[:RERANKED], ranking[RERANKED:]
    if not head:
        return ranking
    scores = reranker.scores(question, [fused.found.payload.chunk.text for fused in head])
    rescored = [
        Fused(fused.found, score, {**fused.scores, "reranker": score})
        for fused, score in zip(head, scores, strict=True)
    ]
    return sorted(rescored, key=lambda fused: (-fused.score, fused.found.id)) + tail


def _hits(ranking: Sequence[Fused]) -> tuple[Hit, ...]:
    return tuple(
        Hit(fused.found.id, rank, fused.score, fused.found.payload, fused.scores)
        for rank, fused in enumerate(ranking, start=1)
    )
