"""Request -> hits: one call to the model, one to the engine, fused by the task's own mix."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np

from rag.language import language_of
from rag.recipes import DenseSignal, RecipeInForce
from rag.retrieval.analyser import analyse, question_terms
from rag.retrieval.centring import QuestionMemory
from rag.retrieval.fusion import BM25, Fused, Mixture, Ranked, phrase_shares, rrf
from rag.retrieval.languages import Say, say_of
from rag.retrieval.request import Request, Retrieved
from rag.retrieval.reranking import rerank
from rag.retrieval.vocabulary import Vocabulary, Wording
from rag.tasks import Mix
from rag.turns import TURNS
from rag.types import Embedder, Filter, Hit, Matrix, Mode, Reranker, ScoredPoint, Search, Strategy, Vector, VectorIndex

VERSION = 3
"""Raised whenever the same signals give another ranking."""
CANDIDATES = 100
"""How many points of each signal are fused; scores are scaled over these."""
PHRASE_POINTS = 30
"""How many BM25 points are read for words that stand side by side."""
HITS = 6
_DENSE_ALONE = Mix(dense_weight=1.0)
_BESIDE = ThreadPoolExecutor(thread_name_prefix="embed-beside")

QueryEmbedder = Callable[[Sequence[str]], Matrix]
"""Vectors of exact question texts, prompts included, shape (texts, dimension)."""
Lists = Mapping[str, list[ScoredPoint]]
"""Candidates by signal: dense ones by the name of their vectors, and `BM25`."""


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
class _Query:
    """A question with its language and its terms; none of these when nobody searches by them."""

    question: str
    spoken: str
    wording: Wording


@dataclass(frozen=True, slots=True)
class Gathered:
    """The candidates of one question.

    Attributes:
        mixture: The lists of its signals. A model that does not know the question's language has none.
        say: In how far they have a say in it.
    """

    mixture: Mixture
    say: Say


@dataclass(frozen=True, slots=True)
class Retriever:
    """Answers requests of one task from its index.

    Attributes:
        recipe: Prompts and mix in force.
        index: The task's open index.
        embed: Embeds questions by the model in force.
        others: Embed questions by the other models of the recipe's signals, by model id.
        visible: The points that may be found.
        current: Given versions, returns those that are current; asked after the search, as a commit may come in
            between.
        reranker: Reorders the first hits of the task-aware mode, or None.
        memory: Gives the questions asked before, by dense signal, for tasks that discount texts near to all of them.
        candidates: Points of each signal that are fused.
        vocabulary: The terms of the index, which slips and compounds are read by; None takes a question as it is.
    """

    recipe: RecipeInForce
    index: VectorIndex
    embed: QueryEmbedder
    visible: Filter
    current: Callable[[set[str]], set[str]] = set
    others: Mapping[str, QueryEmbedder] = field(default_factory=dict)
    reranker: Reranker | None = None
    memory: Callable[[str], QuestionMemory] | None = None
    candidates: int = CANDIDATES
    vocabulary: Vocabulary | None = None

    def retrieve(self, request: Request, modes: Sequence[Mode] = ()) -> dict[Mode, Retrieved]:
        """Find the hits of one question in each of the modes, by default in the request's.

        The questions of all modes are embedded in one batch for each model, and all lists come from one call to the
        engine. The naive mode is always dense.
        """
        started = time.perf_counter()
        hybrid = request.strategy or Strategy.HYBRID
        strategies = {m: hybrid if m is Mode.TASK_AWARE else Strategy.DENSE for m in modes or (request.mode,)}
        spoken = language_of(request.question)
        vectors = self._embed(request.question, spoken, strategies)
        embedded = time.perf_counter()
        wording = Wording((), ())
        lexical: Search | None = None
        visible = replace(self.visible, documents=request.filters.documents, names=request.filters.names)
        if set(strategies.values()) != {Strategy.DENSE}:
            wording = self._wording(request.question, spoken)
            lexical = Search(visible, self.candidates, terms=wording.searched)
        lists = self._search(visible, vectors, lexical)
        searched = time.perf_counter()
        query = _Query(request.question, spoken, wording)
        rankings = {mode: self._rank(query, lists, mode, strategy) for mode, strategy in strategies.items()}
        if Mode.TASK_AWARE in strategies:
            self._remember(vectors)
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

    def gather(self, question: str) -> Gathered:
        """Find the candidates of every signal for one question, to be mixed in many ways, and remember the question."""
        spoken = language_of(question)
        wording = self._wording(question, spoken)
        vectors = self._embed(question, spoken, {Mode.TASK_AWARE: Strategy.HYBRID})
        lexical = Search(self.visible, self.candidates, terms=wording.searched)
        lists = self._search(self.visible, vectors, lexical)
        dense, query = self._dense(lists, Mode.TASK_AWARE), _Query(question, spoken, wording)
        gathered = self._gathered(query, dense, lists[BM25], Mode.TASK_AWARE)
        self._remember(vectors)
        return gathered

    def _wording(self, question: str, spoken: str) -> Wording:
        analyser = self.recipe.task.mix.analyser
        if self.vocabulary is not None:
            return self.vocabulary.read(question, analyser, spoken)
        terms = analyse(question, analyser, spoken)
        return Wording(tuple(terms), question_terms(terms, analyser))

    def _embed(self, question: str, spoken: str, strategies: Mapping[Mode, Strategy]) -> dict[str, Vector]:
        """Vectors of the question by signal; models that do not know its language are left out."""
        signals = {
            signal.name: signal
            for mode, strategy in strategies.items()
            if strategy is not Strategy.BM25
            for signal in self.recipe.signals_of(mode)
            if not spoken or signal.model.spoken in ("", spoken)
        }
        by_model: dict[str, list[DenseSignal]] = {}
        for signal in signals.values():
            by_model.setdefault(signal.model.id, []).append(signal)

        def embed(model: str) -> Matrix:
            prompts = [signal.query_prompt for signal in by_model[model]]
            embedder = self.embed if model == self.recipe.model.id else self.others[model]
            return embedder([prompt + question for prompt in prompts])

        # Models run beside each other: a question keeps one core busy.
        beside = {model: _BESIDE.submit(embed, model) for model in list(by_model)[1:]}
        rows = {model: beside[model].result() if model in beside else embed(model) for model in by_model}
        return {
            signal.name: row
            for model, of_model in by_model.items()
            for signal, row in zip(of_model, rows[model], strict=True)
        }

    def _search(self, visible: Filter, vectors: Mapping[str, Vector], lexical: Search | None) -> Lists:
        """Candidates by signal from one call to the engine."""
        # Neighbours and discounts are worked out from vectors, which cost time to read: only hybrid search needs them.
        compared = set() if lexical is None or self.memory is None else {signal.name for signal in self.recipe.signals}
        if lexical is not None and self.recipe.task.mix.spread > 0:
            compared.add(self.recipe.signals[0].name)
        searches = {
            name: Search(visible, self.candidates, vector, name, with_vectors=name in compared)
            for name, vector in vectors.items()
        }
        if lexical is not None:
            searches[BM25] = lexical
        lists = self.index.search(list(searches.values()))
        current = self.current({point.payload.version for points in lists for point in points})
        return {
            signal: [point for point in points if point.payload.version in current]
            for signal, points in zip(searches, lists, strict=True)
        }

    def _rank(self, query: _Query, lists: Lists, mode: Mode, strategy: Strategy) -> list[Fused]:
        bm25, dense = lists.get(BM25, []), self._dense(lists, mode)
        if strategy is Strategy.BM25:
            ranking = [Fused(point, point.score, {BM25: point.score}) for point in bm25]
        elif strategy is Strategy.DENSE and len(dense) == 1:
            ranking = [Fused(point, point.score, {dense[0].name: point.score}) for point in dense[0].points]
        elif self.recipe.task.mix.rrf is not None:
            ranking = rrf([*(signal.points for signal in dense), bm25], self.recipe.task.mix.rrf)
        else:
            how = self.recipe.task.mix if strategy is Strategy.HYBRID else _DENSE_ALONE
            gathered = self._gathered(query, dense, bm25, mode)
            shares = np.array([signal.share for signal in dense])
            ranking = gathered.mixture.ranking(*gathered.say.weigh(shares, how.dense_weight), how.spread)
        if self.reranker is None or mode is Mode.NAIVE:
            return ranking
        return rerank(self.reranker, query.question, ranking)

    def _gathered(self, query: _Query, dense: Sequence[Ranked], bm25: Sequence[ScoredPoint], mode: Mode) -> Gathered:
        languages = {signal.label: signal.model.spoken for signal in self.recipe.signals_of(mode)}
        head = dense[0].points if dense else ()
        texts = {point.id: point.terms.split() for point in bm25[:PHRASE_POINTS]}
        return Gathered(
            Mixture(dense, bm25, phrase_shares(query.wording.terms, texts)),
            say_of(head, query.spoken, [languages[signal.name] for signal in dense], query.wording.matched),
        )

    def _dense(self, lists: Lists, mode: Mode) -> list[Ranked]:
        """The lists of a mode's dense signals that were searched."""
        dense = []
        for signal in self.recipe.signals_of(mode):
            if signal.name in lists:
                points = lists[signal.name]
                is_discounted = self.memory is not None and mode is Mode.TASK_AWARE
                discounts = self.memory(signal.name).discounts(points) if self.memory and is_discounted else {}
                dense.append(Ranked(signal.label, points, signal.share, discounts))
        return dense

    def _remember(self, vectors: Mapping[str, Vector]) -> None:
        if self.memory is not None:
            for signal in self.recipe.signals:
                if signal.name in vectors:
                    self.memory(signal.name).add(vectors[signal.name])


def _hits(ranking: Sequence[Fused]) -> tuple[Hit, ...]:
    return tuple(
        Hit(fused.point.id, rank, fused.score, fused.point.payload, fused.scores)
        for rank, fused in enumerate(ranking, start=1)
    )
