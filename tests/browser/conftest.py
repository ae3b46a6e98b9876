"""The app in a real browser: each server has a port and a data folder of its own; model files are shared."""

from __future__ import annotations

import os
import re
import threading
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.browser.serving import CHROMIUM, FLAGS, Page, Scripted, serving


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
    return Path(os.environ.get("RAG_TEST_MODELS") or tmp_path_factory.mktemp("models"))


@pytest.fixture
def open_page(browser, request):
    """Opens pages; with RAG_TEST_SHOTS set, their last view is kept in that folder."""
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
        shots = os.environ.get("RAG_TEST_SHOTS")
        if shots:
            context.pages[0].screenshot(path=Path(shots) / f"{request.node.name}.png")
        context.close()


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
