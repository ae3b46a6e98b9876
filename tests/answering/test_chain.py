from dataclasses import replace

import pytest

from rag.answering.chain import AnswerEvent, ChainInput, SourcesEvent, TokenEvent, build_chain
from rag.errors import AnswererAwayError, AnswererError
from rag.retrieval.langchain import TaskRetriever
from rag.retrieval.request import Request, Retrieved
from rag.tasks import get_task
from rag.types import AnswerDelta, Mode, Strategy, Turn
from tests.build import hit


class Scripted:
    """An answerer that says what the test tells it to."""

    name = "scripted"

    def __init__(self, *pieces, fails="", finish=""):
        self.pieces, self.fails, self.finish, self.asked = pieces, fails, finish, []

    def stream(self, question, hits, history, task):
        self.asked.append(question)
        yield from map(AnswerDelta, self.pieces)
        if self.fails:
            raise AnswererError(self.fails)
        if self.finish:
            yield AnswerDelta("", self.finish)

    def condense(self, question, history):
        return f"{question} (about {history[-1].text})"


def search(request):
    hits = (hit("a", 1), hit("b", 2))[: request.k]
    return Retrieved(request.question, request.task, Mode.TASK_AWARE, Strategy.DENSE, hits, {"total": 1.0})


RETRIEVER = TaskRetriever(search=search, request=Request(""))


def events(answerer, question="How long?", history=()):
    chain = build_chain(RETRIEVER, answerer, get_task("qa"))
    return list(chain.stream(ChainInput(question, history)))


def test_sources_come_first_then_tokens_then_the_answer():
    got = events(Scripted("Two ", "years [1]."))
    assert [type(event) for event in got] == [SourcesEvent, TokenEvent, TokenEvent, AnswerEvent]
    answer = got[-1].answer
    assert answer.text == "Two years [1]."
    assert [citation.number for citation in answer.citations] == [1]
    assert got[-1].timings["answer"] >= 0


def test_marks_without_a_source_never_reach_the_reader():
    got = events(Scripted("Two years [", "9] and [2]."))
    shown = "".join(event.text for event in got if isinstance(event, TokenEvent))
    answer = got[-1].answer
    assert "[9]" not in shown
    assert shown == answer.text
    assert answer.removed_citations == 1
    assert [citation.hit.payload.name for citation in answer.citations] == ["b"]


def test_a_failing_answerer_still_shows_sources_and_what_was_said():
    got = events(Scripted("Two ", fails="the endpoint is gone"))
    assert isinstance(got[0], SourcesEvent)
    answer = got[-1].answer
    assert (answer.error, answer.text) == ("the endpoint is gone The answer is incomplete.", "Two ")
    assert (answer.finish_reason, answer.complete) == ("error", False)


@pytest.mark.parametrize("blank", ["", " \n", "\u200b\u3164", "[9]"])
def test_an_answer_that_nobody_can_see_is_an_error(blank):
    answer = events(Scripted(blank, finish="stop"))[-1].answer
    assert "scripted answered without any text" in answer.error
    assert not answer.complete


def test_a_model_that_is_away_for_the_follow_up_is_not_asked_for_the_answer():
    class Away(Scripted):
        def condense(self, question, history):
            raise AnswererAwayError("nobody there")

    answerer = Away("x")
    got = events(answerer, "And batteries?", (Turn("user", "the warranty"),))
    assert answerer.asked == []
    assert "nobody there" in got[-1].answer.error
    assert got[0].retrieved.question == "warranty And batteries?"


def test_a_follow_up_is_condensed_with_its_history():
    answerer = Scripted("x")
    events(answerer, "And batteries?", (Turn("user", "the warranty"),))
    assert answerer.asked == ["And batteries? (about the warranty)"]


@pytest.mark.parametrize(("finish", "expected"), [("length", "length"), ("stop", "stop"), ("", "stop")])
def test_the_finish_reason_is_that_of_the_last_piece(finish, expected):
    assert events(Scripted("x", finish=finish))[-1].answer.finish_reason == expected


@pytest.mark.parametrize("question", ["How long?", ""])
def test_langchain_sees_documents_with_their_place(question):
    documents = RETRIEVER.invoke(question)
    assert [document.metadata["rank"] for document in documents] == [1, 2]
    assert documents[0].metadata["name"] == "a"
    assert documents[0].id == "a"


def test_the_number_of_documents_is_the_calls_then_the_retrievers_then_the_requests():
    one = TaskRetriever(search=search, request=Request("", k=2), k=1)
    assert len(one.invoke("x")) == 1
    assert len(one.invoke("x", k=2)) == 2
    assert len(TaskRetriever(search=search, request=Request("", k=1)).invoke("x")) == 1


def test_the_chain_runs_the_retriever_that_is_exported():
    runs = []

    class Watched(TaskRetriever):
        def _get_relevant_documents(self, query, *, run_manager, k=None):
            runs.append((query, run_manager.run_id))
            return super()._get_relevant_documents(query, run_manager=run_manager, k=k)

    request = replace(RETRIEVER.request, k=1)
    chain = build_chain(Watched(search=search, request=request), Scripted("x [1]"), get_task("qa"))
    first = next(chain.stream(ChainInput("How long?")))
    assert len(first.retrieved.hits) == 1
    assert [query for query, _ in runs] == ["How long?"]
