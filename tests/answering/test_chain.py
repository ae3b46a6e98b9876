import pytest

from rag.answering.chain import (
    AnswerEvent,
    Question,
    SourcesEvent,
    TaskRetriever,
    TokenEvent,
    build_chain,
    final_answer,
)
from rag.errors import AnswererError
from rag.retrieval.retriever import Retrieved
from rag.types import Mode, Strategy, Turn
from tests.helpers import hit


class Scripted:
    """An answerer that says what the test tells it to."""

    name = "scripted"

    def __init__(self, *pieces, fails="", finish="stop"):
        self.pieces, self.fails, self.finish, self.asked = pieces, fails, finish, []

    def stream(self, question, hits, history, task):
        self.asked.append(question)
        yield from self.pieces
        if self.fails:
            raise AnswererError(self.fails)
        return self.finish

    def condense(self, question, history):
        return f"{question} (about {history[-1].text})"


def find(question):
    return Retrieved(question, "qa", Mode.TASK_AWARE, Strategy.DENSE, (hit("a", 1), hit("b", 2)), {"total": 1.0})


def events(answerer, question="How long?", history=()):
    return list(build_chain(find, answerer).stream(Question(question, history)))


def test_sources_come_first_then_tokens_then_the_answer():
    got = events(Scripted("Two ", "years [1]."))
    assert [type(event) for event in got] == [SourcesEvent, TokenEvent, TokenEvent, AnswerEvent]
    answer = final_answer(got)
    assert answer.text == "Two years [1]."
    assert [citation.number for citation in answer.citations] == [1]
    assert got[-1].timings["answer"] >= 0


def test_marks_without_a_source_never_reach_the_reader():
    got = events(Scripted("Two years [", "9] and [2]."))
    shown = "".join(event.text for event in got if isinstance(event, TokenEvent))
    answer = final_answer(got)
    assert "[9]" not in shown
    assert shown == answer.text
    assert answer.removed_citations == 1
    assert [citation.hit.payload.name for citation in answer.citations] == ["b"]


def test_a_failing_answerer_still_shows_sources_and_what_was_said():
    got = events(Scripted("Two ", fails="the endpoint is gone"))
    assert isinstance(got[0], SourcesEvent)
    answer = final_answer(got)
    assert (answer.error, answer.text) == ("the endpoint is gone", "Two ")


def test_a_follow_up_is_condensed_with_its_history():
    answerer = Scripted("x")
    events(answerer, "And batteries?", (Turn("user", "the warranty"),))
    assert answerer.asked == ["And batteries? (about the warranty)"]


def test_the_finish_reason_is_kept():
    assert final_answer(events(Scripted("x", finish="length"))).finish_reason == "length"


@pytest.mark.parametrize("question", ["How long?", ""])
def test_langchain_sees_documents_with_their_place(question):
    documents = TaskRetriever(find=find).invoke(question)
    assert [document.metadata["rank"] for document in documents] == [1, 2]
    assert documents[0].metadata["name"] == "a"
    assert documents[0].id == "a"
