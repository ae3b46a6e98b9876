import threading
from dataclasses import replace

import numpy as np
import pytest

from rag.recipes import resolve
from rag.retrieval.centring import QuestionMemory
from rag.retrieval.request import ALL_SOURCES, Comparison, Filters, Request
from rag.retrieval.retriever import CachedEmbedder, Retriever
from rag.settings import Settings
from rag.tasks import Mix, get_task
from rag.types import Filter, Mode, Search, Strategy
from tests.fakes import FakeEmbedder
from tests.fakes_index import SpyIndex, filled_index

TEXTS = {
    "warranty": "The warranty lasts two years from the day of purchase.",
    "battery": "Charge the battery for three hours before first use.",
    "speaker": "Pair a Bluetooth speaker in the sound settings.",
}


@pytest.fixture
def embedder():
    return FakeEmbedder()


@pytest.fixture
def index(embedder):
    return SpyIndex(filled_index(embedder, TEXTS))


@pytest.fixture
def retriever(index, embedder):
    return Retriever(resolve(Settings(), get_task("qa")), index, CachedEmbedder(embedder), Filter("default"))


def retrieve(retriever, question, modes, strategy, k, filters=ALL_SOURCES):
    return retriever.retrieve(Request(question, strategy=strategy, k=k, filters=filters), modes)


@pytest.mark.parametrize("strategy", Strategy)
@pytest.mark.parametrize("mode", Mode)
def test_the_passage_with_the_words_is_found_by_every_strategy(retriever, strategy, mode):
    found = retrieve(retriever, "how long is the warranty", [mode], strategy, 3)[mode]
    assert found.hits[0].payload.name == "warranty"
    assert [hit.rank for hit in found.hits] == list(range(1, len(found.hits) + 1))
    assert found.strategy is (strategy if mode is Mode.TASK_AWARE else Strategy.DENSE)


def test_only_the_task_aware_question_is_prompted(retriever, embedder):
    retrieve(retriever, "warranty", [Mode.TASK_AWARE, Mode.NAIVE], Strategy.DENSE, 3)
    assert embedder.seen[-2:] == ["query: warranty", "warranty"]


def test_both_modes_take_one_call_to_the_engine_and_one_to_the_model(retriever, index):
    index.calls.clear()
    retrieve(retriever, "warranty", [Mode.TASK_AWARE, Mode.NAIVE], Strategy.HYBRID, 3)
    assert [len(call) for call in index.calls] == [3]


def test_bm25_alone_embeds_nothing(retriever, embedder):
    embedder.seen.clear()
    retrieve(retriever, "warranty", [Mode.TASK_AWARE], Strategy.BM25, 3)
    assert embedder.seen == []


def test_dense_alone_does_not_ask_for_bm25(retriever, index):
    index.calls.clear()
    retrieve(retriever, "warranty", [Mode.TASK_AWARE], Strategy.DENSE, 3)
    (call,) = index.calls
    assert all(isinstance(search, Search) and search.terms is None for search in call)


def test_names_narrow_the_search(retriever):
    found = retrieve(retriever, "warranty", [Mode.TASK_AWARE], Strategy.HYBRID, 3, Filters(names=("battery",)))[
        Mode.TASK_AWARE
    ]
    assert {hit.payload.name for hit in found.hits} == {"battery"}


def test_what_is_replaced_during_the_search_is_not_shown(retriever):
    gone = "version-warranty"
    later = replace(retriever, current=lambda versions: versions - {gone})
    found = retrieve(later, "warranty", list(Mode), Strategy.HYBRID, 3)
    assert all(hit.payload.version != gone for mode in Mode for hit in found[mode].hits)


def test_hybrid_hits_say_what_each_signal_gave(retriever):
    best = retrieve(retriever, "warranty years", [Mode.TASK_AWARE], Strategy.HYBRID, 1)[Mode.TASK_AWARE].hits[0]
    assert set(best.scores) >= {"dense", "bm25"}


def test_a_reranker_orders_the_task_aware_list_only(retriever):
    class Shortest:
        def scores(self, question, texts):
            return [-float(len(text)) for text in texts]

    reranked = replace(retriever, reranker=Shortest())
    found = retrieve(reranked, "warranty", list(Mode), Strategy.DENSE, 3)
    assert found[Mode.TASK_AWARE].hits[0].payload.name == min(TEXTS, key=lambda name: len(TEXTS[name]))
    assert found[Mode.NAIVE].hits[0].payload.name == "warranty"


def test_rank_changes_count_places_gained(retriever):
    found = retrieve(retriever, "how long is the warranty", list(Mode), Strategy.BM25, 1)
    changes = Comparison(found[Mode.TASK_AWARE], found[Mode.NAIVE]).rank_changes()
    assert list(changes.values()) == [0]


def test_known_questions_do_not_reach_the_model_again(embedder):
    questions = CachedEmbedder(embedder, size=2)
    first = questions(["a b", "c d"])
    embedder.seen.clear()
    assert np.array_equal(questions(["c d", "a b"]), first[::-1])
    assert embedder.seen == []
    questions(["e f"])
    questions(["c d"])
    assert embedder.seen == ["e f", "c d"]


def test_many_threads_get_their_own_answers(embedder):
    questions = CachedEmbedder(embedder, size=4)
    expected = {f"word{i}": embedder.encode([f"word{i}"])[0] for i in range(16)}
    wrong = []

    def ask(text):
        if not np.array_equal(questions([text])[0], expected[text]):
            wrong.append(text)

    threads = [threading.Thread(target=ask, args=(text,)) for text in list(expected) * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_hybrid_prefers_the_text_with_the_words_side_by_side(embedder):
    texts = {
        "apart": "screen of the protector and lock of the door",
        "together": "the door has a screen lock",
        "x": "lock",
    }
    index = filled_index(embedder, texts)
    spec = replace(get_task("qa"), mix=Mix(dense_weight=0.0))
    retriever = Retriever(resolve(Settings(), spec), index, CachedEmbedder(embedder), Filter("default"))
    hits = retrieve(retriever, "screen lock", [Mode.TASK_AWARE], Strategy.HYBRID, 3)[Mode.TASK_AWARE].hits
    assert hits[0].payload.name == "together"


def test_vectors_are_fetched_only_for_tasks_that_compare_hits(retriever, index):
    for task, wanted in (("qa", False), ("faq", True)):
        index.calls.clear()
        retrieve(
            replace(retriever, recipe=resolve(Settings(), get_task(task))),
            "warranty",
            [Mode.TASK_AWARE],
            Strategy.HYBRID,
            3,
        )
        assert [search.with_vectors for call in index.calls for search in call] == [wanted, False]


def test_a_question_is_remembered_once_it_was_answered(retriever):
    memory = QuestionMemory()
    remembering = replace(retriever, memory=lambda _: memory)
    for question in ("warranty", "warranty", "battery"):
        retrieve(remembering, question, list(Mode), Strategy.HYBRID, 3)
    assert memory.asked == 2
