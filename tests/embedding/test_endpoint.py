"""The endpoint runtime against a real HTTP server on this machine that answers in every wrong way."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest
from pydantic import SecretStr

from rag.embedding import open_embedder
from rag.embedding.endpoint import BATCH, EndpointEmbedder, Patience
from rag.errors import EmbeddingError
from rag.settings import Settings
from tests.fakes import FakeEmbedder
from tests.llm_server import Exchange, serving

KEY = "sk-very-secret-key"
Reply = Callable[[dict[str, Any]], tuple[int, str, str]]


class Server:
    """Answers each request with the next of `replies`; the last one stays."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.authorizations: list[str] = []
        self.replies: list[Reply] = [vectors]
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.requests.append(body)
                outer.authorizations.append(self.headers["Authorization"])
                reply = outer.replies.pop(0) if len(outer.replies) > 1 else outer.replies[0]
                status, kind, text = reply(body)
                data = text.encode()
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.send_header("retry-after-ms", "1")
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def vectors(body: dict[str, Any], dimension: int = 8) -> tuple[int, str, str]:
    rows = 3.0 * FakeEmbedder(dimension).encode(body["input"])
    data = [{"object": "embedding", "index": i, "embedding": row.tolist()} for i, row in enumerate(rows)]
    usage = {"prompt_tokens": 1, "total_tokens": 1}
    answer = {"object": "list", "model": body["model"], "data": data[::-1], "usage": usage}
    return 200, "application/json", json.dumps(answer)


def fixed(text: str, status: int = 200, kind: str = "application/json") -> Reply:
    return lambda body: (status, kind, text)


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.close()


def embedder(server: Server, dimension: int = 8, retries: int = 0) -> EndpointEmbedder:
    return EndpointEmbedder(server.url, "some-model", SecretStr(KEY), dimension, 32, Patience(5, retries))


def test_exact_texts_go_out_and_unit_rows_come_back_in_order(server: Server) -> None:
    texts = ["query: a\n\tb", "", "passage: c  d "]
    vectors = embedder(server).encode(texts)
    assert [request["input"] for request in server.requests] == [texts]
    assert server.requests[0]["model"] == "some-model"
    assert server.authorizations == [f"Bearer {KEY}"]
    np.testing.assert_allclose(vectors, FakeEmbedder(8).encode(texts), atol=1e-6)
    assert vectors.dtype == np.float32


def test_many_texts_go_in_batches(server: Server) -> None:
    vectors = embedder(server).encode([f"text {i}" for i in range(BATCH + 5)])
    assert [len(request["input"]) for request in server.requests] == [BATCH, 5]
    assert vectors.shape == (BATCH + 5, 8)


def test_nothing_asks_for_nothing(server: Server) -> None:
    assert embedder(server).encode([]).shape == (0, 8)
    assert server.requests == []


def test_an_unregistered_models_dimension_is_asked_once(server: Server) -> None:
    unregistered = embedder(server, dimension=0)
    assert unregistered.dimension == unregistered.dimension == 8
    assert len(server.requests) == 1


def test_a_text_over_the_limit_is_cut_at_the_end(server: Server) -> None:
    limited = embedder(server)
    limited.encode(["word " * 100])
    sent = server.requests[0]["input"][0]
    assert len(limited.token_offsets(sent)) == limited.max_tokens - 2
    assert ("word " * 100).startswith(sent)


def test_tokens_are_estimated_too_many_rather_than_too_few() -> None:
    spans = EndpointEmbedder("http://x/v1", "m", SecretStr("")).token_offsets("tokens 12\n中é.")
    assert spans == [(0, 3), (3, 6), (7, 8), (8, 9), (9, 10), (10, 11), (11, 12), (12, 13)]


def test_a_busy_endpoint_is_asked_again(server: Server) -> None:
    server.replies = [fixed("{}", 503), fixed("{}", 429), vectors]
    assert embedder(server, retries=3).encode(["a"]).shape == (1, 8)
    assert len(server.requests) == 3


def _rows(*rows: object) -> str:
    data = [{"object": "embedding", "index": i, "embedding": row} for i, row in enumerate(rows)]
    usage = {"prompt_tokens": 1, "total_tokens": 1}
    return json.dumps({"object": "list", "model": "m", "data": data, "usage": usage})


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (fixed("<html><body>login</body></html>", kind="text/html"), "something else than embeddings.*BASE_URL"),
        (fixed(""), "BASE_URL"),
        (fixed("{}"), "BASE_URL"),
        (fixed("not json at all"), "BASE_URL"),
        (fixed(_rows()), r"BASE_URL|0 vectors"),
        (fixed(_rows([1.0] * 8, [1.0] * 8)), "sent 2 vectors, expected 1"),
        (fixed(_rows([1.0] * 5)), r"length \[5\], expected 8.*RAG_MODEL"),
        (fixed(_rows([])), r"length \[0\], expected 8"),
        (fixed(_rows(None)), r"length \[0\], expected 8"),
        (fixed(_rows([float("nan")] * 8)), "not numbers"),
        (fixed(_rows([0.0] * 8)), "all zero"),
        (
            fixed(json.dumps({"error": {"message": f"bad key {KEY}"}}), 401),
            "status 401.*RAG_EMBEDDINGS_API_KEY",
        ),
        (fixed('{"error": {"message": "no such model"}}', 404), "answered with status 404.*RAG_MODEL"),
        (fixed('{"error": {"message": "boom"}}', 500), "answered with status 500"),
    ],
    ids=[
        "web page",
        "empty body",
        "empty object",
        "not JSON",
        "no vector",
        "too many vectors",
        "other dimension",
        "empty vector",
        "null vector",
        "NaN",
        "zeros",
        "wrong key",
        "not found",
        "server error",
    ],
)
def test_a_wrong_answer_is_named_and_the_key_is_not(server: Server, reply: Reply, message: str) -> None:
    server.replies = [reply]
    with pytest.raises(EmbeddingError, match=message) as caught:
        embedder(server).encode(["a"])
    assert KEY not in str(caught.value)
    assert server.url in str(caught.value)


def indexed(*indices: object) -> Reply:
    data = [{"object": "embedding", "index": i, "embedding": [1.0] * 8} for i in indices]
    return fixed(json.dumps({"object": "list", "model": "m", "data": data}))


@pytest.mark.parametrize("indices", [(0, 2), (1, 1), (1, 2), (None, 1), ("a", "b"), ([], {})])
def test_vectors_that_cannot_be_told_apart_are_refused(server: Server, indices: tuple[object, ...]) -> None:
    server.replies = [indexed(*indices)]
    with pytest.raises(EmbeddingError, match="numbered its vectors"):
        embedder(server).encode(["a", "b"])


@pytest.mark.parametrize("indices", [(0, 0), (None, None)])
def test_vectors_without_numbers_keep_their_order(server: Server, indices: tuple[object, ...]) -> None:
    server.replies = [indexed(*indices)]
    assert embedder(server).encode(["a", "b"]).shape == (2, 8)


@pytest.mark.parametrize(
    "row", [["x"] * 8, [None] * 8, [[1.0]] * 8, [1e300] * 8, [float("inf")] * 8, [1e-30] * 8, [{}] * 8]
)
def test_vectors_of_something_else_are_refused(server: Server, row: list[object]) -> None:
    server.replies = [fixed(_rows(row))]
    with pytest.raises(EmbeddingError, match="not numbers, or all zero"):
        embedder(server).encode(["a"])


@pytest.mark.parametrize(("status", "requests"), [(400, 1), (401, 1), (403, 1), (404, 1), (422, 1), (429, 3), (500, 3)])
def test_an_endpoint_is_asked_again_only_when_that_may_help(server: Server, status: int, requests: int) -> None:
    server.replies = [fixed("{}", status)]
    with pytest.raises(EmbeddingError, match=f"status {status}"):
        embedder(server, retries=2).encode(["a"])
    assert len(server.requests) == requests


def test_a_long_pause_is_reported_and_not_waited_out() -> None:
    def busy(reply: Exchange) -> None:
        reply.send(429, "{}", retry_after="40")

    with serving(busy) as server, pytest.raises(EmbeddingError, match=r"asks to wait 40 s.*Try again later"):
        EndpointEmbedder(server.url, "m", SecretStr(KEY), 8).encode(["a"])
    assert len(server.requests) == 1


def test_an_endpoint_that_stalls_or_drips_is_given_up() -> None:
    def drips(reply: Exchange) -> None:
        reply.head(kind="application/json")
        reply.drip(lambda: reply.raw(" "))

    for play in (Exchange.stall, drips):
        with serving(play) as server, pytest.raises(EmbeddingError, match=r"within 0\.2 s \(RAG_EMBEDDINGS_TIMEOUT\)"):
            EndpointEmbedder(server.url, "m", SecretStr(KEY), 8, patience=Patience(0.2)).encode(["a"])
        assert len(server.requests) == 1


def test_no_error_repeats_a_text_or_shows_the_password_of_the_address() -> None:
    def echo(reply: Exchange) -> None:
        reply.send(500, json.dumps({"error": f"bad input: {reply.body['input'][0]} {reply.headers['authorization']}"}))

    with serving(echo) as server:
        url = server.url.replace("://", "://user:pa55@")
        failing = EndpointEmbedder(url, "m", SecretStr(KEY), 8, patience=Patience(5, 0))
        with pytest.raises(EmbeddingError, match="500: bad input: …") as caught:
            failing.encode(["passage: The secret plan of the company is to sell bananas."])
    assert not re.search(f"{KEY}|pa55|user|secret|dXNlcjpwYTU1", str(caught.value))
    assert caught.value.__suppress_context__


def test_a_dead_endpoint_names_the_setting() -> None:
    dead = EndpointEmbedder("http://127.0.0.1:9/v1", "m", SecretStr(KEY), 8, 32, Patience(5, 0))
    with pytest.raises(EmbeddingError, match=r"cannot be reached.*RAG_EMBEDDINGS_BASE_URL") as caught:
        dead.encode(["a"])
    assert KEY not in str(caught.value)


def test_settings_choose_the_endpoint(server: Server) -> None:
    settings = Settings(
        model="served-model", model_family="e5", embeddings_base_url=server.url + "/", embeddings_api_key=SecretStr(KEY)
    )
    opened = open_embedder(settings)
    assert opened.encode(["query: hello"]).shape == (1, 8)
    assert server.requests[-1]["model"] == "served-model"
