"""An evaluation measures the product's own retrieval: the same hits, to the depth that is judged."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from rag.evaluation.data.datasets import Dataset, assemble
from rag.evaluation.run import rankings
from rag.evaluation.run.contenders import contenders
from rag.evaluation.run.context import EvaluationContext
from rag.evaluation.run.ranker import ranked_documents
from rag.evaluation.run.rankings import ranking_key
from rag.evaluation.run.runs import full_rankings
from rag.evaluation.stats.metrics import DEPTH
from rag.retrieval.request import Request
from rag.services import Rag
from rag.settings import Settings
from rag.tasks import TASKS, get_task
from rag.tasks.corpus import Record
from rag.types import Hit, Mode, Strategy
from tests.build import payload
from tests.evaluation.build import in_force
from tests.fakes import FakeEmbedder


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(
    ("system", "mode", "strategy"),
    [
        ("default", Mode.TASK_AWARE, Strategy.HYBRID),
        ("bm25", Mode.TASK_AWARE, Strategy.BM25),
        ("naive", Mode.NAIVE, Strategy.DENSE),
    ],
)
def test_systems_rank_as_the_app_does(
    dataset: Dataset, settings: Settings, embedder: FakeEmbedder, task: str, system: str, mode: Mode, strategy: Strategy
) -> None:
    context = EvaluationContext(settings, embedder)
    single = dataset.only([dataset.questions[3].id])  # an app that was asked before may rank otherwise
    measured = full_rankings(context, single, in_force(settings, task), system)
    corpus = "".join(
        json.dumps({"_id": record.id, "title": record.title, "text": record.text}) + "\n"
        for record in dataset.documents
    )
    rag = Rag(settings, embedder=embedder)
    try:
        rag.ingest_uploads([("corpus.jsonl", corpus.encode())], task)
        question = single.questions[0]
        shipped = rag.search(Request(question.text, task, mode, strategy, k=100))
    finally:
        rag.close()
    by_document = {hit.payload.key: hit.score for hit in reversed(shipped.hits)}
    ranking = measured[question.id]
    assert set(ranking) == set(by_document)
    assert [by_document[key] for key in ranking] == sorted(by_document.values(), reverse=True)


def long_and_short() -> Dataset:
    """One document with as many chunks as all others together, which answers every question best."""
    words = [f"word{number}" for number in range(4000)]
    documents = {"long": Record("long", "", " ".join(f"river {word}" for word in words))}
    documents |= {f"d{number:03}": Record(f"d{number:03}", "", f"river {words[number]} stone") for number in range(130)}
    return assemble("uneven", documents, {"q": "river"}, {("q", "d001"): 1})


@pytest.mark.parametrize("system", ["naive", "bm25"])
def test_one_long_document_does_not_hide_the_others(settings: Settings, system: str) -> None:
    qa = get_task("qa")
    spec = replace(qa, chunking=replace(qa.chunking, tokens=16 + 8, overlap=0))
    context = EvaluationContext(settings, FakeEmbedder(dimension=16))
    ranking = full_rankings(context, long_and_short(), in_force(settings, spec), system)["q"]
    assert len(ranking) == len(set(ranking)) == DEPTH


def test_cached_rankings_hang_on_declared_versions(
    dataset: Dataset, settings: Settings, embedder: FakeEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, recipe = EvaluationContext(settings, embedder), in_force(settings, "qa")
    contender = contenders(["default"], recipe, settings)[1]

    def key(**changes: object) -> str:
        return ranking_key(context, replace(contender, **changes), "data")

    first = key()
    assert first == key()
    mix = replace(recipe.task.mix, dense_weight=0.99)
    others = {
        key(strategy=Strategy.DENSE),
        key(recipe=replace(recipe, signals=(replace(recipe.signals[0], document_prompt="other: "),))),
        key(recipe=replace(recipe, task=replace(recipe.task, mix=mix))),
        key(recipe=replace(recipe, task=replace(recipe.task, chunking=replace(recipe.task.chunking, tokens=99)))),
        ranking_key(context, contender, "other data"),
        ranking_key(replace(context, embedder=FakeEmbedder(dimension=8)), contender, "data"),
    }
    monkeypatch.setattr(rankings, "RETRIEVAL_VERSION", -1)
    others.add(key())
    monkeypatch.undo()
    monkeypatch.setattr(rankings, "VERSION", -1)
    others.add(key())
    assert len(others) == 8
    assert first not in others


def test_equal_scores_go_by_document_and_a_document_stands_where_its_first_hit_stands() -> None:
    def hit(document: str, rank: int, score: float) -> Hit:
        return Hit(f"p{rank}", rank, score, payload(document=document, key=document))

    hits = [hit("c", 1, 0.9), hit("b", 2, 0.5), hit("a", 3, 0.5), hit("c", 4, 0.5), hit("d", 5, 0.1)]
    assert ranked_documents(hits) == ["c", "a", "b", "d"]
    reranked = [hit("b", 1, 0.2), hit("a", 2, 0.8)]  # a reranker's scores do not compare with those behind them
    assert ranked_documents(reranked) == ["b", "a"]
