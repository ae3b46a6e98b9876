"""An embeddings endpoint that fails in every way, in the middle of an ingest."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any

from bench.trust.spec import Figure, Row
from rag import Rag
from rag.errors import RagError
from rag.settings import Settings, load_settings
from tests.fakes import FakeEmbedder
from tests.llm_server import CLOSED, KEY, Exchange, LlmServer, Play, serving

_DIMENSION = 16
_OLD = b"# Warranty\n\nThe warranty lasts two years.\n"
_PARTS = [f"## Part {n}\n\nThe warranty of part {n} lasts long." for n in range(80)]
_NEW = "\n\n".join(["# Warranty", *_PARTS]).encode()
_LAST = "part 79"


def _rows(body: dict[str, Any]) -> list[dict[str, Any]]:
    vectors = FakeEmbedder(_DIMENSION).encode(body["input"])
    return [{"object": "embedding", "index": i, "embedding": row.tolist()} for i, row in enumerate(vectors)]


def _send(reply: Exchange, rows: list[dict[str, Any]]) -> None:
    reply.send(200, json.dumps({"object": "list", "model": "m", "data": rows}))


def _good(reply: Exchange) -> None:
    _send(reply, _rows(reply.body))


def _unordered(reply: Exchange) -> None:
    _send(reply, _rows(reply.body)[::-1])


def _with_vectors(change: Any) -> Play:
    def play(reply: Exchange) -> None:
        _send(reply, [{**row, "embedding": change(row["embedding"])} for row in _rows(reply.body)])

    return play


def _late(play: Play) -> Play:
    """A fault that comes when most of a file is embedded already."""
    return lambda reply: (play if any(_LAST in text for text in reply.body["input"]) else _good)(reply)


def _status(code: int, text: str = "{}", **headers: str) -> Play:
    return lambda reply: reply.send(code, text, **headers)


_FAULTS: dict[str, tuple[Play, str]] = {
    "refused": (_good, "cannot be reached.*RAG_EMBEDDINGS_BASE_URL"),
    "timeout": (Exchange.stall, "did not answer within.*RAG_EMBEDDINGS_TIMEOUT"),
    "401": (_status(401, json.dumps({"error": {"message": f"bad key {KEY}"}})), "401.*RAG_EMBEDDINGS_API_KEY"),
    "429": (_status(429, retry_after="40"), "asks to wait 40 s"),
    "500": (_status(500, json.dumps({"error": "out of memory"})), "500: out of memory"),
    "one vector too few": (lambda reply: _send(reply, _rows(reply.body)[1:]), "sent [0-9]+ vectors, expected"),
    "other dimension": (_with_vectors(lambda vector: vector[:5]), r"length \[5\], expected 16|dimension: 16 -> 5"),
    "not a number": (_with_vectors(lambda vector: [float("nan")] * len(vector)), "not numbers"),
    "zeros": (_with_vectors(lambda vector: [0.0] * len(vector)), "all zero"),
    "page": (_status(200, "<html>login</html>", kind="text/html"), "RAG_EMBEDDINGS_BASE_URL"),
    "numbered twice": (lambda reply: _send(reply, [{**row, "index": 1} for row in _rows(reply.body)]), "numbered"),
}


def _measure(full: bool) -> Figure:
    times, broken = (20 if full else 1), list[str]()
    with tempfile.TemporaryDirectory() as folder, serving(_good) as server:
        settings = _settings(Path(folder), server)
        rag = Rag(settings)
        rag.ingest_uploads([("guide.md", _OLD)], "qa")
        expected = [(hit.id, hit.score) for hit in rag.search("How long is the warranty?").hits]
        rag.close()
        for name, (play, words) in _FAULTS.items():
            for _ in range(times):
                asked = _settings(Path(folder), server, CLOSED) if name == "refused" else settings
                for server.play in (play, _late(play)) if asked is settings else (play,):
                    if problem := _problem(asked, words):
                        broken.append(f"{name}: {problem}")
        server.play = _unordered
        rag = Rag(settings)
        order = [(hit.id, hit.score) for hit in rag.search("How long is the warranty?").hits]
        rag.close()
    if order != expected:
        broken.append("answers in another order are mixed up, or something was half stored")
    where = "at the start and late in a file"
    text = f"{len(_FAULTS)} faults x {times}, {where}: {len(broken)} without their cause or half stored"
    return Figure(text + "".join(f"; {line}" for line in broken[:3]), not broken)


def _settings(folder: Path, server: LlmServer, url: str = "") -> Settings:
    described = {"model": "m", "model_family": "plain", "comparison": False}
    endpoint = {"embeddings_base_url": url or server.url, "embeddings_api_key": KEY, "embeddings_timeout": 0.3}
    return load_settings(data_dir=folder, **described, **endpoint)


def _problem(settings: Settings, words: str) -> str:
    """Update a file whose chunks cannot be embedded; says what is wrong afterwards, empty when nothing is."""
    rag = Rag(settings)
    try:
        before = [(file.id, file.chunks, file.committed) for file in rag.files("qa")]
        try:
            report = rag.ingest_uploads([("guide.md", _NEW)], "qa")
            told = " ".join(outcome.reason for outcome in report.outcomes)
        except RagError as exc:
            told = str(exc)
        after = [(file.id, file.chunks, file.committed) for file in rag.files("qa")]
    finally:
        rag.close()
    if before != after:
        return "something was stored"
    if KEY in told:
        return "shows the key"
    return "" if re.search(words, told) else f"says {told or 'nothing'}"


ROW = Row(
    name="embeddings",
    promise="What cannot be embedded is not stored, and says why.",
    kept="Every answer of an embeddings endpoint is checked for number, order, length and finite values before a point "
    "is written; a request is given up at RAG_EMBEDDINGS_TIMEOUT and repeated at most twice.",
    tests=("tests/embedding/test_endpoint.py",),
    target="8 faults and more x 20: 0 without their cause, 0 half stored",
    measure=_measure,
)
