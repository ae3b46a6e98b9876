"""A real chat endpoint on loopback that plays one fault at a time, and what each of them has to look like."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "k3y-of-the-endpoint"
CLOSED = "http://127.0.0.1:9/v1"
Play = Callable[["Exchange"], None]


class Exchange(BaseHTTPRequestHandler):
    """One request and its reply; a server's `play` writes the reply."""

    server: LlmServer

    def do_POST(self) -> None:
        self.body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.requests.append({"path": self.path, "body": self.body, "key": self.headers["authorization"]})
        try:
            self.server.play(self)
        except OSError:
            self.server.hung_up.set()

    def head(self, status: int = 200, kind: str = "text/event-stream", **headers: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.flush()

    def raw(self, text: str) -> None:
        self.wfile.write(text.encode("utf-8", "surrogatepass"))
        self.wfile.flush()

    def send(self, status: int, text: str, kind: str = "application/json", **headers: str) -> None:
        self.head(status, kind, **headers)
        self.raw(text)

    def event(self, value: Any) -> None:
        self.raw(f"data: {value if isinstance(value, str) else json.dumps(value)}\n\n")

    def events(self, *values: Any) -> None:
        self.head()
        for value in values:
            self.event(value)

    def stall(self) -> None:
        self.server.closing.wait(30)

    def drip(self, make: Callable[[], None]) -> None:
        """Write again and again, until the client hangs up."""
        while not self.server.closing.wait(0.03):
            make()

    def log_message(self, *args: object) -> None:
        """Keep the output clean."""


class LlmServer(ThreadingHTTPServer):
    """Replies to every request with `play`.

    Attributes:
        requests: What came so far.
        hung_up: Set when a client went away in mid-reply.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, play: Play) -> None:
        super().__init__(("127.0.0.1", 0), Exchange)
        self.play = play
        self.requests: list[dict[str, Any]] = []
        self.closing, self.hung_up = threading.Event(), threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, *args: object) -> None:
        """A client that hangs up is no news."""


@contextmanager
def serving(play: Play) -> Iterator[LlmServer]:
    """A running server, closed at the end with all its replies."""
    server = LlmServer(play)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


def delta(text: object = None, finish: object = None, **more: object) -> dict[str, Any]:
    """One event of a stream."""
    choice = {"index": 0, "delta": {"role": "assistant", "content": text, **more}, "finish_reason": finish}
    return {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


def answers(*texts: str) -> Play:
    """A good reply, in pieces."""
    return lambda reply: reply.events(*map(delta, texts), delta("", "stop"), "[DONE]")


def _error(message: str) -> str:
    return json.dumps({"error": {"message": message, "type": "server_error"}})


def _after(status: int, text: str, **headers: str) -> Play:
    return lambda reply: reply.send(status, text, **headers)


def _ends(*values: Any) -> Play:
    return lambda reply: reply.events(*values)


def _stall_after_headers(reply: Exchange) -> None:
    reply.head()
    reply.stall()


def _stall_in_mid_stream(reply: Exchange) -> None:
    reply.events(delta("Two "))
    reply.stall()


def _drip_words(reply: Exchange) -> None:
    reply.head()
    reply.drip(lambda: reply.event(delta("word ")))


def _drip_comments(reply: Exchange) -> None:
    reply.head()
    reply.drip(lambda: reply.raw(": still here\n"))


def _drip_empty(reply: Exchange) -> None:
    reply.head()
    reply.drip(lambda: reply.event(delta("")))


def _drip_headers(reply: Exchange) -> None:
    reply.raw("HTTP/1.1 200 OK\r\nx-slow: ")
    reply.drip(lambda: reply.raw("z"))


def _cut_in_a_chunk(reply: Exchange) -> None:
    event = f"data: {json.dumps(delta('Two '))}\n\n"
    reply.head(transfer_encoding="chunked")
    reply.raw(f"{len(event):x}\r\n{event}\r\n40\r\ndata: {{")
    reply.close_connection = True


def _echo_prompt(reply: Exchange) -> None:
    reply.send(500, _error("failed on " + " | ".join(m["content"] for m in reply.body["messages"][::-1])))


def _echo_key(reply: Exchange) -> None:
    reply.send(403, _error(f"{reply.headers['authorization']} may not use this model"))


def _nothing(reply: Exchange) -> None:
    reply.close_connection = True


@dataclass(frozen=True, slots=True)
class Fault:
    """A way to fail.

    Attributes:
        play: Plays it; None when there is no server at `url`.
        words: Expression that the error or the note has to match.
        text: The part of the answer that comes all the same.
        url: Address in the place of the server's.
    """

    play: Play | None
    words: str
    text: str = ""
    url: str = ""


_CUDA = "CUDA out of memory. Tried to allocate 2 GiB"
FAULTS: dict[str, Fault] = {
    "connection refused": Fault(None, "cannot be reached.*refused the connection.*RAG_LLM_BASE_URL", url=CLOSED),
    "unknown host": Fault(None, "cannot be reached.*host name is not known", url="http://no-such-host.invalid/v1"),
    "TLS error": Fault(answers("x"), "cannot be reached.*TLS failed", url="https"),
    "stall before headers": Fault(Exchange.stall, r"sent nothing for 0\.4 s.*RAG_LLM_TIMEOUT"),
    "stall after headers": Fault(_stall_after_headers, r"sent nothing for 0\.4 s.*RAG_LLM_TIMEOUT"),
    "stall in mid-stream": Fault(_stall_in_mid_stream, r"sent nothing for 0\.4 s.*RAG_LLM_TIMEOUT", "Two "),
    "endless words": Fault(_drip_words, "not done after 1 s.*RAG_LLM_TOTAL_TIMEOUT", "word "),
    "endless comments": Fault(_drip_comments, r"sent nothing for 0\.4 s.*RAG_LLM_TIMEOUT"),
    "endless empty events": Fault(_drip_empty, "not done after 1 s.*RAG_LLM_TOTAL_TIMEOUT"),
    "endless headers": Fault(_drip_headers, r"sent nothing for 0\.4 s.*RAG_LLM_TIMEOUT"),
    "closed without a reply": Fault(_nothing, "closed the connection"),
    "400": Fault(_after(400, _error("context of 4096 tokens exceeded")), "status 400: context of 4096"),
    "401": Fault(_after(401, _error("no such key")), "status 401: no such key.*OPENAI_API_KEY"),
    "403 that echoes the key": Fault(_echo_key, "status 403.*OPENAI_API_KEY"),
    "404": Fault(_after(404, json.dumps({"error": "model 'm' not found"})), "status 404: model 'm' not.*RAG_LLM_MODEL"),
    "422": Fault(_after(422, json.dumps({"detail": "temperature too high"})), "status 422: temperature too high"),
    "429 that asks for 40 s": Fault(_after(429, _error("slow down"), retry_after="40"), "asks to wait 40 s"),
    "429": Fault(_after(429, _error("slow down"), retry_after="0"), "too many requests"),
    "500 with a page": Fault(_after(500, "<html><b>oops</b></html>", kind="text/html"), r"status 500\. "),
    "500 with a reason": Fault(_after(500, _error(_CUDA)), "status 500: CUDA out of memory"),
    "500 that echoes the prompt": Fault(_echo_prompt, "status 500: failed on"),
    "503": Fault(_after(503, _error("loading model")), "status 503: loading model"),
    "a page in place of a stream": Fault(_after(200, "<html>It works!</html>", kind="text/html"), "sent text/html"),
    "JSON in place of a stream": Fault(_after(200, json.dumps({"answer": "x"})), "sent application/json"),
    "empty body": Fault(_ends(), "without any text"),
    "[DONE] alone": Fault(_ends("[DONE]"), "without any text"),
    "no choices": Fault(_ends({**delta(), "choices": []}, "[DONE]"), "without any text"),
    "odd choices": Fault(_ends(*({**delta(), "choices": odd} for odd in (None, [None], 5, "x")), "5"), "any text"),
    "white space alone": Fault(_ends(delta(" \n"), delta("\u200b"), delta("", "stop"), "[DONE]"), "without any text"),
    "not JSON": Fault(_ends("{not json"), "not JSON"),
    "not JSON in mid-stream": Fault(_ends(delta("Two "), "{not json"), "not JSON", "Two "),
    "cut off": Fault(_ends(delta("Two ")), "broke off", "Two "),
    "cut off in a chunk": Fault(_cut_in_a_chunk, "closed the connection|broke off", "Two "),
    "finish_reason null": Fault(_ends(delta("Two "), delta("", None), "[DONE]"), "broke off", "Two "),
    "error in mid-stream": Fault(_ends(delta("Two "), _error(_CUDA)), "stopped with an error: CUDA out", "Two "),
    "error of vLLM": Fault(_ends(delta("Two "), {"object": "error", "message": _CUDA}), "error: CUDA out", "Two "),
    "content_filter": Fault(_ends(delta("Two "), delta("", "content_filter"), "[DONE]"), "content filter", "Two "),
    "content_filter alone": Fault(_ends(delta("", "content_filter"), "[DONE]"), "content filter"),
    "length": Fault(_ends(delta("Two "), delta("", "length"), "[DONE]"), "RAG_LLM_MAX_TOKENS", "Two "),
    "length alone": Fault(_ends(delta("", "length"), "[DONE]"), "RAG_LLM_MAX_TOKENS"),
    "tool_calls": Fault(_ends(delta(None, "tool_calls", tool_calls=[]), "[DONE]"), "asked for a tool"),
    "tool_calls after text": Fault(_ends(delta("Two "), delta("", "tool_calls"), "[DONE]"), "call a tool", "Two "),
    "unknown finish_reason": Fault(_ends(delta("Two "), delta("", "w\x1beird"), "[DONE]"), "“w eird”", "Two "),
    "refusal": Fault(_ends(delta(None, None, refusal="I will not."), delta(None, "stop")), "refused", "I will not."),
}
"""Every fault by name; timeouts are those of `QUICK`."""
QUICK: dict[str, Any] = {"llm_model": "m", "openai_api_key": KEY, "llm_timeout": 0.4, "llm_total_timeout": 1.0}
"""Settings under which a fault shows at once."""


def settings_for(fault: Fault, server: LlmServer) -> dict[str, Any]:
    """Return the settings that lead to a fault."""
    url = server.url.replace("http://", "https://") if fault.url == "https" else fault.url or server.url
    return {**QUICK, "llm_base_url": url}
