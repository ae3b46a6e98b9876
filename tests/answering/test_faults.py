"""Every way in which a chat endpoint fails, against a real server: nothing is blank, nothing falsely looks whole."""

import logging
import re
import threading
import time

import pytest

from rag.answering.answerers import open_answerer
from rag.answering.chain import AnswerEvent, ChainInput, SourcesEvent, TokenEvent, build_chain
from rag.render import ending, reply_html
from rag.retrieval.langchain import TaskRetriever
from rag.retrieval.request import Request, Retrieved
from rag.settings import load_settings
from rag.tasks import get_task
from rag.types import Mode, Strategy, Turn
from tests.build import hit
from tests.llm_server import CLOSED, FAULTS, KEY, QUICK, Fault, answers, delta, serving, settings_for

QUESTION = "How long does the secret warranty of the motor last?"
PASSAGE = "The secret warranty of the motor lasts two long years."
SECRETS = re.compile(rf"{KEY}|user|pa55word|s3cret|secret warranty|{QUESTION[:9]}")
HISTORY = (Turn("user", "Tell me about the motor, please."), Turn("assistant", "It is under warranty [1]."))


def search(request):
    hits = (hit("guide.md", 1, PASSAGE), hit("other.md", 2, "Bananas are yellow."))
    return Retrieved(request.question, "qa", Mode.TASK_AWARE, Strategy.HYBRID, hits, {"total": 1.0})


def ask(history=(), **settings):
    answerer = open_answerer(load_settings(**settings))
    chain = build_chain(TaskRetriever(search=search, request=Request("")), answerer, get_task("qa"))
    return list(chain.stream(ChainInput(QUESTION, history)))


def play(fault: Fault, history=()):
    with serving(fault.play or answers("unused")) as server:
        settings = settings_for(fault, server)
        settings["llm_base_url"] = settings["llm_base_url"].replace("://", "://user:pa55word@") + "?code=s3cret"
        return ask(history, **settings), server


@pytest.mark.parametrize("name", FAULTS)
def test_no_fault_is_blank_or_looks_whole_and_each_is_named(name, caplog):
    for logger in ("", "openai", "httpx", "httpx2", "httpcore", "httpcore2", "langchain", "langchain_core", "rag"):
        caplog.set_level(logging.DEBUG, logger or None)
    fault = FAULTS[name]
    events, _ = play(fault)
    answer = events[-1].answer
    told = f"{answer.error} {ending(answer.finish_reason)}"
    assert isinstance(events[0], SourcesEvent)
    assert isinstance(events[-1], AnswerEvent)
    assert re.search(fault.words, told), told
    assert answer.text.startswith(fault.text)
    assert answer.text == "".join(event.text for event in events if isinstance(event, TokenEvent))
    assert not answer.complete
    assert not fault.text or "quotations" not in told
    assert fault.text or "two long years. [1]" in answer.text
    shown = reply_html(answer, {})
    assert 'class="rag-error"' in shown
    assert not SECRETS.search(told)
    assert not SECRETS.search(caplog.text)


ATTEMPTS = {"429": 2, "503": 2, "500 with a reason": 2, "closed without a reply": 2}
ATTEMPTS |= dict.fromkeys(["400", "401", "403 that echoes the key", "404", "422", "429 that asks for 40 s"], 1)
ATTEMPTS |= dict.fromkeys(["stall before headers", "cut off", "error in mid-stream", "length"], 1)


@pytest.mark.parametrize(("name", "requests"), ATTEMPTS.items())
def test_an_endpoint_is_asked_again_once_and_only_when_that_may_help(name, requests):
    assert len(play(FAULTS[name])[1].requests) == requests


def test_a_busy_moment_is_bridged():
    replies = [FAULTS["503"].play, answers("Two years [1].")]
    with serving(lambda reply: replies.pop(0)(reply)) as server:
        answer = ask(**QUICK, llm_base_url=server.url)[-1].answer
    assert (answer.text, answer.complete) == ("Two years [1].", True)


@pytest.mark.parametrize("name", ["stall before headers", "connection refused"])
def test_a_follow_up_does_not_wait_twice_for_a_model_that_is_away(name):
    events, server = play(FAULTS[name], HISTORY)
    answer = events[-1].answer
    assert len(server.requests) <= 1
    assert "two long years. [1]" in answer.text
    assert re.search(r"sent nothing for 0\.2 s \(half of RAG_LLM_TIMEOUT\)|refused the connection", answer.error)
    assert events[0].retrieved.question.endswith(QUESTION)


@pytest.mark.parametrize("name", ["white space alone", "length", "content_filter", "cut off", "401", "refusal"])
def test_a_follow_up_that_the_model_cannot_rewrite_is_made_whole_by_its_words(name):
    events, _ = play(FAULTS[name], HISTORY)
    assert events[0].retrieved.question.endswith(QUESTION)


def test_one_who_stops_listening_ends_the_connection():
    def endless(reply):
        reply.events(delta("Two "))
        reply.drip(lambda: reply.raw(": still here\n"))

    with serving(endless) as server:
        settings = load_settings(**QUICK | {"llm_timeout": 20}, llm_base_url=server.url)
        pieces = open_answerer(settings).stream(QUESTION, (), (), get_task("qa"))
        assert next(pieces).text == "Two "
        pieces.close()
        assert server.hung_up.wait(5)


def test_no_thread_stays_behind():
    before = threading.active_count()
    for name in ("endless comments", "stall in mid-stream", "endless words"):
        play(FAULTS[name])
    end = time.monotonic() + 10
    while threading.active_count() > before and time.monotonic() < end:
        time.sleep(0.05)
    assert threading.active_count() <= before, [thread.name for thread in threading.enumerate()]


def test_an_answer_that_never_ends_is_cut_at_its_longest_length():
    with serving(answers(*["word " * 400] * 40)) as server:
        answer = ask(**QUICK | {"llm_timeout": 20, "llm_total_timeout": 60}, llm_max_tokens=16, llm_base_url=server.url)
    assert answer[-1].answer.finish_reason == "length"
    assert len(answer[-1].answer.text) < 10_000


def test_quotations_are_shown_as_such_and_nothing_is_quoted_that_does_not_answer():
    answer = ask(**QUICK, llm_base_url=CLOSED)[-1].answer
    assert "quotations" in answer.error
    assert reply_html(answer, {}).index("rag-error") < reply_html(answer, {}).index("two long years")
    answerer = open_answerer(load_settings(**QUICK, llm_base_url=CLOSED))
    chain = build_chain(TaskRetriever(search=search, request=Request("")), answerer, get_task("qa"))
    other = list(chain.stream(ChainInput("Who painted the Sistine Chapel?")))[-1].answer
    assert (other.text, other.answered, other.finish_reason) == ("", False, "error")
    assert "refused the connection" in other.error


def test_user_password_and_query_of_the_address_are_sent():
    with serving(answers("Two years [1].")) as server:
        url = server.url.replace("://", "://user:pa%24s@") + "?api-version=7"
        assert ask(**QUICK, llm_base_url=url)[-1].answer.complete
    assert server.requests[0]["path"] == "/v1/chat/completions?api-version=7"
    assert server.requests[0]["key"] == "Basic dXNlcjpwYSRz"


def test_addresses_are_shown_without_password_and_query():
    settings = load_settings(**QUICK, llm_base_url="http://user:pa55@127.0.0.1:9/v1?api-key=s3cret")
    answerer = open_answerer(settings)
    assert answerer.name == "m at http://127.0.0.1:9/v1"
    error = ask(**QUICK, llm_base_url="http://user:pa55@127.0.0.1:9/v1?api-key=s3cret")[-1].answer.error
    assert "http://127.0.0.1:9/v1 " in error
    assert not re.search("pa55|s3cret|user", error)
