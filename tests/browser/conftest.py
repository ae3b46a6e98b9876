"""The app in a real browser: each server has a port and a data folder of its own; model files are shared."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

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


@pytest.fixture(scope="session")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM:
        pytest.skip("no chromium on the path; `apt-get install chromium` brings one")
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    return tmp_path_factory.mktemp("models")


@contextmanager
def serving(data: Path, models: Path, **settings: str) -> Iterator[str]:
    """The address of a running app."""
    data.mkdir()
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
        yield f"http://localhost:{port}"
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


@pytest.fixture
def open_page(browser):
    contexts = []

    def visit(address, path="", **options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 860}, **options})
        contexts.append(context)
        page = Page(context.new_page(), address)
        page.page.set_default_timeout(60_000)
        page.page.goto(address + path)
        page.page.get_by_test_id("stSidebarNavLink").filter(has_text=re.compile("^.*Chat$")).wait_for()
        return page

    yield visit
    for context in contexts:
        context.close()


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


@pytest.fixture(scope="session")
def llm():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Scripted)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def app(tmp_path_factory, models):
    """The app as it comes."""
    with serving(tmp_path_factory.mktemp("plain") / "data", models) as address:
        yield address


@pytest.fixture(scope="session")
def llm_app(tmp_path_factory, models, llm):
    """The app with the scripted endpoint."""
    folder = tmp_path_factory.mktemp("llm") / "data"
    with serving(folder, models, RAG_LLM_BASE_URL=llm, RAG_LLM_MODEL="scripted", OPENAI_API_KEY="none") as address:
        yield address
