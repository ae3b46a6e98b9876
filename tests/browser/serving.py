"""A server of the app, a page that knows where it goes, and a scripted LLM."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import ClassVar

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@contextmanager
def serving(data: Path, models: Path, **settings: str) -> Iterator[str]:
    """The address of a running app."""
    with server(data, models, **settings) as (address, _):
        yield address


@contextmanager
def server(data: Path, models: Path, **settings: str) -> Iterator[tuple[str, int]]:
    """The address of a running app, and the id of its process."""
    data.mkdir(exist_ok=True)
    if not (data / "models").exists():
        (data / "models").symlink_to(models)
    port = free_port()
    env = {
        name: value for name, value in os.environ.items() if not name.startswith("RAG_") and name != "OPENAI_API_KEY"
    }
    log = (data / "server.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true", f"--server.port={port}"],
        cwd=ROOT,
        env={**env, "RAG_DATA_DIR": str(data), **settings},
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        wait_for_server(f"http://localhost:{port}/_stcore/health", process, data / "server.log")
        yield f"http://localhost:{port}", process.pid
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_server(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise AssertionError(f"the server ended:\n{log.read_text()}")
        try:
            with urllib.request.urlopen(address, timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise AssertionError(f"the server did not start:\n{log.read_text()}")


class Page:
    """A browser page that remembers every request which would leave the machine."""

    def __init__(self, page, address):
        self.page, self.address, self.outside = page, address, []
        page.on("request", self._note)
        page.on("websocket", self._note)

    def _note(self, request):
        url = request.url
        local = url.startswith(("data:", "blob:", f"{self.address}/", self.address.replace("http", "ws", 1) + "/"))
        if not local:
            self.outside.append(url)

    def __getattr__(self, name):
        return getattr(self.page, name)

    def ask(self, question):
        box = self.page.get_by_test_id("stChatInputTextArea")
        box.fill(question)
        box.press("Enter")

    def visit(self, title):
        self.page.get_by_test_id("stSidebarNavLink").filter(has_text=title).click()
        path = "/" if title == "Chat" else f"/{title.lower()}"
        self.page.wait_for_function("path => location.pathname === path", arg=path)


class Scripted(BaseHTTPRequestHandler):
    """An OpenAI-compatible endpoint that streams what the test put into `pieces`, one piece every `pause` seconds."""

    pieces: tuple[str, ...] = ()
    pause = 0.0

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        try:
            for piece in type(self).pieces:
                self._send({"content": piece}, None)
                time.sleep(type(self).pause)
            self._send({}, "stop")
            self.wfile.write(b"data: [DONE]\n\n")
        except (BrokenPipeError, ConnectionResetError):
            return

    def _send(self, delta, finish):
        choice = {"index": 0, "delta": {"role": "assistant", **delta}, "finish_reason": finish}
        chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "scripted", "choices": [choice]}
        self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
        self.wfile.flush()

    def log_message(self, *args):
        return


class Listener(BaseHTTPRequestHandler):
    """Notes every request, and has an empty page for each."""

    requests: ClassVar[list[str]] = []

    def do_GET(self):
        type(self).requests.append(self.path)
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Access-Control-Allow-Origin", "*")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>another</title>")

    def do_POST(self):
        self.do_GET()

    def log_message(self, *args):
        return
