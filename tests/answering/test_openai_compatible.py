"""The OpenAI-compatible answerer against a real server on loopback; its faults are in `test_faults`."""

import pytest

from rag.answering.answerers import open_answerer
from rag.errors import SettingsError
from rag.settings import load_settings
from rag.tasks import get_task
from rag.types import Turn
from tests.llm_server import KEY, answers, serving

GOOD = answers("Two ", "years [1].")


def answerer(server):
    return open_answerer(load_settings(llm_base_url=server.url, llm_model="m", openai_api_key=KEY, llm_timeout=5))


def test_pieces_stream_and_the_last_one_has_the_finish_reason():
    with serving(GOOD) as server:
        *pieces, last = answerer(server).stream("How long?", (), (), get_task("qa"))
    assert [piece.text for piece in pieces] == ["Two ", "years [1]."]
    assert {piece.finish_reason for piece in pieces} == {""}
    assert last.finish_reason == "stop"
    assert server.requests[0]["path"] == "/v1/chat/completions"
    assert server.requests[0]["key"] == f"Bearer {KEY}"
    assert server.requests[0]["body"]["stream"] is True
    assert "tools" not in server.requests[0]["body"]


def test_a_follow_up_is_rewritten_by_the_model():
    history = [Turn("user", "How long is the warranty?"), Turn("assistant", "Two years [1].")]
    with serving(GOOD) as server:
        assert answerer(server).condense("And for batteries?", history) == "Two years [1]."
        assert answerer(server).condense("How long?", []) == "How long?"
    assert len(server.requests) == 1


def test_a_question_that_the_model_makes_too_long_is_cut():
    with serving(answers("word " * 1000)) as server:
        assert len(answerer(server).condense("And?", [Turn("user", "What?")])) <= 1000


def test_half_a_description_is_refused_and_shows_no_password():
    with pytest.raises(SettingsError, match="RAG_LLM_MODEL") as caught:
        open_answerer(load_settings(llm_base_url="http://user:pa55@127.0.0.1:9/v1"))
    assert "pa55" not in str(caught.value)


def test_text_that_cannot_be_encoded_is_made_so():
    with serving(answers("a\ud800b\0c")) as server:
        pieces = list(answerer(server).stream("How long?", (), (), get_task("qa")))
    assert "".join(piece.text for piece in pieces) == "a\ufffdbc"
