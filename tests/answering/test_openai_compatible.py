"""The OpenAI-compatible answerer against a real HTTP server on loopback that plays every kind of endpoint."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from rag.answering.answerers import open_answerer
from rag.errors import AnswererError, SettingsError
from rag.settings import load_settings
from rag.tasks import get_task
from rag.types import Turn


class Endpoint(BaseHTTPRequestHandler):
    behaviour = "good"
    seen: list[dict]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        type(self).seen.append({"path": self.path, "body": body, "authorization": self.headers["authorization"]})
        getattr(self, f"play_{type(self).behaviour}")()

    def send(self, status: int, kind: str, *parts: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.end_headers()
        for part in parts:
            self.wfile.write(part.encode())
            self.wfile.flush()

    def events(self, *events: dict | str) -> None:
        lines = [f"data: {event if isinstance(event, str) else json.dumps(event)}\n\n" for event in events]
        self.send(200, "text/event-stream", *lines)

    def play_good(self) -> None:
        self.events(delta("Two "), delta("years [1]."), delta("", "stop"), "[DONE]")

    def play_cut(self) -> None:
        self.events(delta("Two "))

    def play_length(self) -> None:
        self.events(delta("Two "), delta("", "length"), "[DONE]")

    def play_html(self) -> None:
        self.send(200, "text/html", "<html><body>It works!</body></html>")

    def play_done_only(self) -> None:
        self.events("[DONE]")

    def play_empty(self) -> None:
        self.send(200, "text/event-stream")

    def play_no_choices(self) -> None:
        self.events({"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": []}, "[DONE]")

    def play_unauthorised(self) -> None:
        self.send(401, "application/json", json.dumps({"error": {"message": "bad key sk-very-secret"}}))

    def play_unknown_model(self) -> None:
        self.send(404, "application/json", json.dumps({"error": {"message": "no such model"}}))

    def play_broken(self) -> None:
        self.send(500, "application/json", json.dumps({"error": {"message": "out of memory"}}))

    def play_garbage(self) -> None:
        self.events("{not json")

    def log_message(self, *args: object) -> None:
        """Keep the test's output clean."""


def delta(text: str, finish: str | None = None) -> dict:
    choice = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": finish}
    return {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


@pytest.fixture
def endpoint() -> Iterator[type[Endpoint]]:
    handler = type("Handler", (Endpoint,), {"seen": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    handler.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield handler
    server.shutdown()
    server.server_close()
    thread.join()


def answerer(url: str):
    return open_answerer(load_settings(llm_base_url=url, llm_model="m", openai_api_key="sk-very-secret", llm_timeout=5))


def test_pieces_stream_and_the_last_one_has_the_finish_reason(endpoint):
    *pieces, last = answerer(endpoint.url).stream("How long?", (), (), get_task("qa"))
    assert [piece.text for piece in pieces] == ["Two ", "years [1]."]
    assert {piece.finish_reason for piece in pieces} == {""}
    assert last.finish_reason == "stop"
    assert endpoint.seen[0]["path"] == "/v1/chat/completions"
    assert endpoint.seen[0]["authorization"] == "Bearer sk-very-secret"
    assert endpoint.seen[0]["body"]["stream"] is True


@pytest.mark.parametrize(
    ("behaviour", "message"),
    [
        ("cut", "broke off"),
        ("html", "RAG_LLM_BASE_URL"),
        ("done_only", "without any text"),
        ("empty", "without any text"),
        ("no_choices", "without any text"),
        ("unauthorised", "OPENAI_API_KEY"),
        ("unknown_model", "RAG_LLM_MODEL"),
        ("broken", "500"),
        ("garbage", "not JSON"),
    ],
)
def test_every_kind_of_bad_endpoint_gets_its_own_message(endpoint, behaviour, message):
    endpoint.behaviour = behaviour
    with pytest.raises(AnswererError, match=message) as caught:
        list(answerer(endpoint.url).stream("How long?", (), (), get_task("qa")))
    assert "sk-very-secret" not in str(caught.value)


def test_a_dead_endpoint_is_named():
    with pytest.raises(AnswererError, match="cannot be reached: start it, or correct RAG_LLM_BASE_URL"):
        list(answerer("http://127.0.0.1:9/v1").stream("How long?", (), (), get_task("qa")))


def test_a_follow_up_is_rewritten_by_the_model(endpoint):
    history = [Turn("user", "How long is the warranty?"), Turn("assistant", "Two years [1].")]
    assert answerer(endpoint.url).condense("And for batteries?", history) == "Two years [1]."
    assert answerer(endpoint.url).condense("How long?", []) == "How long?"
    assert len(endpoint.seen) == 1


def test_half_a_description_is_refused():
    with pytest.raises(SettingsError, match="RAG_LLM_MODEL"):
        open_answerer(load_settings(llm_base_url="http://127.0.0.1:9/v1"))
