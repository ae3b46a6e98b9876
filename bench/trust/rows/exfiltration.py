"""A hundred texts that want a browser to ask another server, in every place that the app shows text."""

from __future__ import annotations

import csv
import io
import json
import re
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from bench.harness import FOLDER
from bench.trust.payloads import payloads
from bench.trust.spec import Figure, Row
from rag import Rag, Request
from rag.settings import load_settings
from tests.browser.serving import CHROMIUM, FLAGS, Listener, Page, Scripted, serving

_SHORT = 90
"""Characters of a payload in a file name."""
_SYSTEMS = ("naive", "bm25")
_SETTLE = 400
"""Milliseconds in which a page that is drawn would ask."""


def _measure(full: bool) -> Figure:
    if not CHROMIUM:
        return Figure("not run: no chromium on the path", held=False)
    from playwright.sync_api import sync_playwright

    with ExitStack() as stack:
        listener = stack.enter_context(_serve(Listener))
        llm = stack.enter_context(_serve(Scripted))
        Listener.requests, outside = [], []
        texts = payloads(f"http://127.0.0.1:{listener}")[:: 1 if full else 3]
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))) / "data"
        conversation = _library(folder, texts)
        Scripted.pieces, Scripted.pause = (*re.findall(r".{1,60}", "[1] " + "\n\n".join(texts), re.DOTALL),), 0.0
        settings = {"RAG_LLM_BASE_URL": f"http://127.0.0.1:{llm}/v1", "RAG_LLM_MODEL": texts[0], "OPENAI_API_KEY": "x"}
        address = stack.enter_context(serving(folder, FOLDER / "data" / "models", **settings))
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        stack.callback(browser.close)
        visited = 0
        for visit in _VISITS if full else _VISITS[:6]:
            # without the content security policy, so that it is the rendering that holds
            raw = browser.new_context(viewport={"width": 1280, "height": 2000}, bypass_csp=True).new_page()
            raw.set_default_timeout(30_000)
            page = Page(raw, address)
            visited += visit(page, texts, conversation)
            raw.context.close()
            outside += page.outside
    requests = sorted({*outside, *Listener.requests})
    text = f"{len(requests)} requests of {len(texts)} payloads in {visited} places, the content security policy off"
    return Figure(text + (f": {requests[:3]}" if requests else ""), not requests)


class _serve:  # noqa: N801 - used like a function
    """A server on a free port while the block lasts."""

    def __init__(self, handler: type[Any]) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)

    def __enter__(self) -> int:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return int(self._server.server_port)

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


# -- what the library holds --------------------------------------------------------------------------------------------


def _library(folder: Path, texts: Sequence[str]) -> str:
    """Fill a library with payloads wherever it holds text; return the id of a conversation about it."""
    models = FOLDER / "data" / "models"
    models.mkdir(parents=True, exist_ok=True)
    folder.mkdir()
    (folder / "models").symlink_to(models)
    rag = Rag(load_settings(data_dir=folder))
    sections = "\n\n".join(f"# {text}\n\nThe warranty {text} lasts." for text in texts)
    named = [(f"{text[:_SHORT]}.md", f"The warranty is in file {n}.".encode()) for n, text in enumerate(texts[::6])]
    broken = [(f"{text[:_SHORT]}.pdf", b"%PDF-1.4 broken") for text in texts[::10]]
    rag.ingest_uploads([("hostile.md", sections.encode()), *named, *broken], "qa")
    rag.ingest_uploads([("faq.csv", _table(texts))], "faq")
    code = "\n\n".join(f"def warranty_{n}():\n    return {text!r}" for n, text in enumerate(texts))
    rag.ingest_uploads([("hostile.py", code.encode())], "code")
    for text in texts[:25]:
        rag.new_conversation(text)
    conversation = rag.new_conversation(texts[0])
    list(rag.ask(Request(" ".join(texts), conversation=conversation)))
    data = rag.evaluations.from_path(_dataset(folder.parent / "![x](x) <img src=x>", texts[:34]))
    rag.evaluations.run(data, "qa", _SYSTEMS)
    rag.close()
    return conversation


def _table(texts: Sequence[str]) -> bytes:
    table = io.StringIO()
    csv.writer(table).writerows([("question", "answer"), *((f"Warranty {text}?", text) for text in texts)])
    return table.getvalue().encode()


def _dataset(folder: Path, texts: Sequence[str]) -> Path:
    """Write judged data whose every text is a payload."""
    (folder / "qrels").mkdir(parents=True)
    for name, kind in (("corpus", "d"), ("queries", "q")):
        lines = [json.dumps({"_id": f"{kind}{n}", "title": text, "text": text}) for n, text in enumerate(texts)]
        (folder / f"{name}.jsonl").write_text("\n".join(lines))
    (folder / "qrels" / "test.tsv").write_text("\n".join(f"q{n}\td{n}\t1" for n in range(len(texts))))
    return folder


# -- where it is shown; each visit returns the number of places --------------------------------------------------------


def _stored(page: Page, _texts: Sequence[str], conversation: str) -> int:
    """Questions, answers, sources and titles of conversations, as they are read again."""
    page.goto(f"{page.address}/?c={conversation}")
    page.get_by_test_id("stChatMessage").last.wait_for()
    _unfold(page)
    return 5


def _asked(page: Page, texts: Sequence[str], _conversation: str) -> int:
    """A question and what a model writes, in both modes side by side."""
    page.goto(page.address)
    page.get_by_test_id("stCheckbox").filter(has_text="Compare with naive").click()
    page.ask("warranty " + " ".join(text.replace("\n", " ") for text in texts[:40]))
    page.get_by_text("Judge sources").last.wait_for()
    page.get_by_text("Judge sources").last.click()
    _unfold(page)
    return 4


def _documents(page: Page, texts: Sequence[str], _conversation: str) -> int:
    """Names of files, reasons of failures, what a job works on and how it ended."""
    page.goto(f"{page.address}/documents")
    page.get_by_text("could not be read").wait_for()
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(
        [
            {"name": f"{text[:_SHORT].replace('/', ':')}.md", "mimeType": "text/plain", "buffer": text.encode()}
            for text in texts[1::7]
        ]
    )
    page.get_by_role("button", name=re.compile(r"Add \d+ file")).click()
    page.get_by_text("File by file").first.wait_for()
    _unfold(page)
    return 5


def _evaluated(page: Page, _texts: Sequence[str], _conversation: str) -> int:
    """Questions, documents and names of a report."""
    page.goto(f"{page.address}/evaluate")
    page.get_by_text("Question by question").wait_for()
    _unfold(page)
    return 3


def _status(page: Page, _texts: Sequence[str], _conversation: str) -> int:
    """The name of a model."""
    page.goto(f"{page.address}/status")
    page.get_by_text("In force").wait_for()
    _unfold(page)
    return 1


def _task(title: str) -> Callable[[Page, Sequence[str], str], int]:
    """A question to another task: stored answers, or code with its colours."""

    def visit(page: Page, _texts: Sequence[str], _conversation: str) -> int:
        page.goto(page.address)
        page.get_by_role("radio", name=title).click()
        page.get_by_test_id("stChatInputTextArea").wait_for()
        page.wait_for_timeout(_SETTLE)
        page.ask("warranty")
        page.get_by_text("Judge sources").wait_for()
        _unfold(page)
        return 2

    return visit


def _unfold(page: Page) -> None:
    """Open all that is folded, and give the page the time to ask for what is in it."""
    page.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")
    page.wait_for_timeout(_SETTLE)


_VISITS = (_stored, _asked, _documents, _evaluated, _status, _task("FAQ matching"), _task("Code search"))

ROW = Row(
    name="exfiltration",
    promise="No text from a document, a name, a title or a model makes a browser ask another server.",
    kept="Text from outside is escaped by `rag.render` alone, which a static check of every page holds; a content "
    "security policy allows no other host anyway.",
    tests=("tests/pages/test_untrusted_text.py", "tests/pages/test_protection.py", "tests/browser/test_server.py"),
    target="100 payloads in every place that renders text, in Chromium: 0 requests",
    measure=_measure,
)
