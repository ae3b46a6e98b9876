"""The server engine where it meets a network."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from rag.errors import IndexUnavailableError, RecipeMismatchError, VectorIndexError
from rag.index import collection_name
from rag.index.engines.server import PREFIX, ServerEngine
from tests.build import RECIPE

KEY = "a-key-that-must-not-leak"


@pytest.fixture
def answering() -> Iterator[Callable[[int, object], str]]:
    """Start a server that gives every request the same answer; returns its address."""
    servers = []

    def start(status: int, body: object) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args: object) -> None:
                return

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def engine(url: str) -> ServerEngine:
    with pytest.warns(UserWarning, match="insecure"):
        return ServerEngine(url, KEY)


def test_a_server_that_is_not_there_is_named_with_its_setting() -> None:
    with pytest.raises(IndexUnavailableError, match=r"127\.0\.0\.1:9 .*RAG_QDRANT_URL") as caught:
        engine("http://127.0.0.1:9").open(RECIPE)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_names_its_setting_and_not_itself(answering: Callable[[int, object], str], status: int) -> None:
    with pytest.raises(IndexUnavailableError, match="RAG_QDRANT_API_KEY") as caught:
        engine(answering(status, {"status": {"error": "no"}})).collections()
    assert KEY not in str(caught.value)


def test_a_server_that_is_starting_is_unavailable(answering: Callable[[int, object], str]) -> None:
    with pytest.raises(IndexUnavailableError, match="503"):
        engine(answering(503, {"status": "starting"})).collections()


def test_something_else_that_answers_is_reported_as_it_is(answering: Callable[[int, object], str]) -> None:
    with pytest.raises(VectorIndexError, match="404"):
        engine(answering(404, {"detail": "what?"})).collections()


def test_what_is_no_qdrant_at_all_is_unavailable(answering: Callable[[int, object], str]) -> None:
    with pytest.raises(IndexUnavailableError, match="RAG_QDRANT_URL"):
        engine(answering(200, ["hello"])).collections()


def test_collections_of_other_programs_are_left_alone() -> None:
    from qdrant_client import QdrantClient, models

    client = QdrantClient(":memory:")
    client.create_collection("theirs", vectors_config=models.VectorParams(size=4, distance=models.Distance.DOT))
    server = ServerEngine("http://memory", client=client)
    assert server.collections() == []
    server.drop("theirs")
    assert client.collection_exists("theirs")


def test_a_collection_without_our_identity_is_refused() -> None:
    from qdrant_client import QdrantClient, models

    client = QdrantClient(":memory:")
    name = PREFIX + collection_name(RECIPE)
    client.create_collection(name, vectors_config=models.VectorParams(size=4, distance=models.Distance.DOT))
    server = ServerEngine("http://memory", client=client)
    with pytest.raises(RecipeMismatchError, match="python -m rag reindex --task qa"):
        server.open(RECIPE)
    with pytest.raises(RecipeMismatchError, match="reindex"):
        server.open_as_built(collection_name(RECIPE))
