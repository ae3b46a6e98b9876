"""The facade with its real parts, only the model is small."""

import threading

import pytest

from rag.answering.chain import AnswerEvent, SourcesEvent, TokenEvent
from rag.errors import NotFoundError, RecipeMismatchError, SettingsError, UnknownNameError
from rag.models import BUNDLED, MODELS, prompt
from rag.retrieval.request import Request
from rag.services import Rag
from rag.settings import load_settings
from rag.tasks import TASKS
from rag.types import Mode, Role, Strategy
from tests.fakes import FakeEmbedder

GUIDE = b"# Warranty\n\nThe warranty lasts two years.\n\n# Battery\n\nCharge the battery for three hours.\n"
DIMENSION = 384


@pytest.fixture
def embedder():
    return FakeEmbedder(DIMENSION)


@pytest.fixture
def rag(embedder):
    rag = Rag(embedder=embedder)
    yield rag
    rag.close()


@pytest.fixture
def guide(rag):
    rag.ingest_uploads([("guide.md", GUIDE)], "qa")
    return rag


def said(events):
    return "".join(event.text for event in events if isinstance(event, TokenEvent))


def test_a_file_goes_in_and_a_cited_answer_comes_out(guide):
    events = list(guide.ask("How long does the warranty last?"))
    assert isinstance(events[0], SourcesEvent)
    answer = events[-1].answer
    assert "two years" in answer.text
    assert answer.citations[0].hit.payload.name == "guide.md"
    assert said(events) == answer.text


@pytest.mark.parametrize("strategy", Strategy)
def test_every_strategy_finds_it(guide, strategy):
    hits = guide.search(Request("charge the battery", strategy=strategy, k=1)).hits
    assert "three hours" in hits[0].payload.chunk.text


def test_a_comparison_has_both_modes(guide):
    both = guide.compare("charge the battery")
    assert (both.task_aware.mode, both.naive.mode) == (Mode.TASK_AWARE, Mode.NAIVE)
    assert both.naive.strategy is Strategy.DENSE
    assert set(both.rank_changes()) == {hit.id for hit in both.task_aware.hits}


_ONE_A_FAMILY = {model.family: model.id for model in reversed(MODELS.values())}.values()
"""With task qa they stand for all models: a prompt depends on family and task alone."""


def _speed_of(model_id: str, task: str) -> list[pytest.MarkDecorator]:
    is_default = task == "qa" and (model_id == BUNDLED or model_id in _ONE_A_FAMILY)
    return [] if is_default else [pytest.mark.slow]


@pytest.mark.parametrize(
    ("model_id", "task"),
    [pytest.param(model_id, task, marks=_speed_of(model_id, task)) for model_id in MODELS for task in TASKS],
)
def test_exactly_the_prompted_texts_reach_the_model_on_every_path(monkeypatch, embedder, tmp_path, model_id, task):
    monkeypatch.setenv("RAG_MODEL", model_id)
    text = "Alpha beta gamma"
    before = [prompt(MODELS[model_id], task, role) for role in (Role.QUERY, Role.DOCUMENT)]
    rag = Rag(load_settings(data_dir=tmp_path), embedder=embedder)
    embedder.seen.clear()
    rag.ingest_uploads([("note.txt", text.encode())], task)
    assert _of(text, embedder.seen) == {before[1] + text, text}, "ingest"
    embedder.seen.clear()
    rag.search(Request("delta", task))
    assert _of("delta", embedder.seen) == {before[0] + "delta"}, "question"
    embedder.seen.clear()
    rag.compare(Request("epsilon", task))
    assert _of("epsilon", embedder.seen) == {before[0] + "epsilon", "epsilon"}, "comparison"
    rag.close()
    monkeypatch.setenv("RAG_DOCUMENT_PROMPT", "doc: ")
    again = Rag(load_settings(data_dir=tmp_path), embedder=embedder)
    embedder.seen.clear()
    again.reindex(task)
    assert "doc: " + text in embedder.seen, "reindex"
    again.close()


def _of(text, seen):
    """The texts that hold `text`; summaries and titles aside."""
    return {prompted for prompted in seen if prompted.endswith(text)}


def test_a_changed_prompt_is_refused_until_the_index_is_rebuilt(guide, embedder, monkeypatch):
    guide.close()
    monkeypatch.setenv("RAG_QUERY_PROMPT", "ask: ")
    changed = Rag(embedder=embedder)
    with pytest.raises(RecipeMismatchError, match="python -m rag reindex --task qa"):
        changed.search("warranty")
    assert any("reindex" in problem for problem in changed.status().problems)
    assert changed.reindex("qa")["qa"].switched
    assert changed.search("warranty").hits
    changed.close()


def test_comparison_that_was_turned_on_later_asks_for_a_reindex(embedder, tmp_path):
    with_one = Rag(load_settings(data_dir=tmp_path, comparison=False), embedder=embedder)
    with_one.ingest_uploads([("guide.md", GUIDE)], "qa")
    assert with_one.status().problems == ()
    with_one.close()
    both = Rag(load_settings(data_dir=tmp_path, comparison=True), embedder=embedder)
    (problem,) = both.status().problems
    assert "python -m rag reindex --task qa" in problem
    assert not both.search(Request("warranty", mode=Mode.NAIVE)).hits
    both.reindex("qa")
    assert both.status().problems == ()
    assert both.search(Request("warranty", mode=Mode.NAIVE)).hits
    both.close()


def test_a_search_that_meets_a_switch_over_is_answered_by_the_new_index(guide, monkeypatch):
    make_retriever, indexes = guide._retriever, []

    def switch_after_opening(task):
        retriever = make_retriever(task)
        indexes.append(retriever.index.name)
        if len(indexes) == 1:
            guide._parts.ingestor.reindex("qa", force=True)
        return retriever

    monkeypatch.setattr(guide, "_retriever", switch_after_opening)
    assert guide.search("charge the battery").hits
    assert len(set(indexes)) == 2, "the first one was gone when it was searched"


def test_a_conversation_keeps_what_was_asked_and_shown(guide):
    conversation = guide.new_conversation()
    list(guide.ask(Request("How long does the warranty last?", conversation=conversation)))
    user, assistant = guide.turns(conversation)
    assert (user.role, user.text) == ("user", "How long does the warranty last?")
    assert "two years" in assistant.text
    assert assistant.details["sources"][0]["name"] == "guide.md"
    assert guide.conversations()[0].title == "How long does the warranty last?"
    guide.delete_conversation(conversation)
    with pytest.raises(NotFoundError):
        guide.turns(conversation)


def test_a_stopped_answer_is_kept_as_far_as_it_came(guide):
    conversation = guide.new_conversation()
    events = guide.ask(Request("How long does the warranty last?", conversation=conversation))
    while not isinstance(next(events), TokenEvent):
        pass
    events.close()
    assert guide.turns(conversation)[-1].text


def test_known_hits_are_not_searched_again(guide, embedder):
    both = guide.compare("charge the battery")
    embedder.seen.clear()
    events = list(guide.ask(Request("charge the battery", mode=Mode.NAIVE), retrieved=both.naive))
    assert events[0].retrieved is both.naive
    assert embedder.seen == []


def test_deleting_takes_a_file_out_of_both_modes(guide):
    assert guide.delete(["guide.md"]) == 1
    both = guide.compare("warranty")
    assert both.task_aware.hits == both.naive.hits == ()
    with pytest.raises(NotFoundError):
        guide.delete(["guide.md"])


def test_workspaces_see_only_their_own(guide, embedder):
    guide.close()
    other = Rag(load_settings(workspace="other"), embedder=embedder)
    assert other.documents() == []
    assert other.search("warranty").hits == ()
    other.close()


def test_without_comparison_it_says_how_to_get_it(embedder):
    rag = Rag(load_settings(comparison=False), embedder=embedder)
    rag.ingest_uploads([("guide.md", GUIDE)], "qa")
    with pytest.raises(SettingsError, match="RAG_COMPARISON"):
        rag.compare("warranty")
    assert rag.search("warranty").hits
    rag.close()


def test_a_dead_language_model_still_shows_the_sources(embedder):
    settings = load_settings(llm_base_url="http://127.0.0.1:9/v1", llm_model="m", llm_timeout=2)
    rag = Rag(settings, embedder=embedder)
    rag.ingest_uploads([("guide.md", GUIDE)], "qa")
    first, *_, last = rag.ask("warranty")
    assert first.retrieved.hits
    assert isinstance(last, AnswerEvent)
    assert "RAG_LLM_BASE_URL" in last.answer.error
    assert "two years" in last.answer.text
    rag.close()


def test_addresses_are_shown_without_passwords(embedder):
    settings = load_settings(llm_base_url="http://user:pa55@127.0.0.1:9/v1?key=s3cret", llm_model="m")
    rag = Rag(settings, embedder=embedder)
    assert rag.status().answerer == "m at http://127.0.0.1:9/v1"
    rag.close()


def test_an_unknown_task_names_the_near_one(rag):
    with pytest.raises(UnknownNameError, match="Did you mean qa"):
        rag.ingest([], "qaa")


def test_many_threads_ask_at_the_same_time(guide):
    wrong = []

    def ask(question, expected):
        if expected not in guide.search(Request(question, k=1)).hits[0].payload.chunk.text:
            wrong.append(question)

    pairs = [("charge the battery", "three hours"), ("how long is the warranty", "two years")] * 8
    threads = [threading.Thread(target=ask, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_the_status_says_what_is_in_force(guide):
    status = guide.status()
    assert status.counts["qa"][:2] == (1, 1)
    assert {task: (query, document) for task, query, document in status.prompts}["qa"] == ("query: ", "passage: ")
    assert status.problems == ()
