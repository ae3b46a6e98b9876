"""The chat page in a real browser: `python -m bench.ui`, with Chromium and Playwright installed.

Rerun: from the press of the R key, which has Streamlit run the page's script again, until the browser says that the
script has ended and has drawn a frame. Ours is a conversation of 50 messages, answers with their sources; the baseline
is `bench/empty_chat.py`, one `st.chat_input`. Blocks of reruns alternate, and the p95 of each block is compared. The
server counts how often it opens a model or an index meanwhile.

First token: from the moment a scripted endpoint on this machine has written the first piece of an answer until the
browser has drawn a frame with it. Both read this machine's clock. The endpoint waits a third of a second before it, as
a model does that reads its prompt.
"""

from __future__ import annotations

import argparse
import functools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np

from bench.harness import FOLDER, PAIRS, Case, Result, Sample, Target, judge, table, write
from rag import Rag, Request, Settings
from tests.browser.serving import CHROMIUM, FLAGS, Scripted, free_port, wait_for_server

ROOT = Path(__file__).resolve().parents[1]
MESSAGES, BLOCK, ANSWERS = 50, 20, 20
SHARE, TOKEN_MS = 1.5, 50.0
VISIBLE = ("--disable-renderer-backgrounding", "--disable-backgrounding-occluded-windows")
QUESTIONS = (
    "How do I pair a Leaf?",
    "What does the light ALM mean?",
    "How many days do I have to send a device back?",
    "What happens when the clock battery is empty?",
    "Was ist neu in Firmware 4.6?",
)
_WATCH = """() => {
    const app = document.querySelector('[data-testid=stApp]');
    const began = new Promise(pressed => addEventListener('keydown', () => pressed(performance.now()), {once: true}));
    window.ended = new Promise(ended => {
        const watch = new MutationObserver(() => {
            if (app.getAttribute('data-test-script-state') !== 'notRunning') return;
            watch.disconnect();
            requestAnimationFrame(() => setTimeout(async () => ended(performance.now() - await began)));
        });
        watch.observe(app, {attributes: true, attributeFilter: ['data-test-script-state']});
    });
}"""
_TOKEN = """word => {
    window.seen = new Promise(seen => {
        const watch = new MutationObserver(() => {
            if (!document.body.textContent.includes(word)) return;
            watch.disconnect();
            requestAnimationFrame(() => setTimeout(() => seen(performance.timeOrigin + performance.now())));
        });
        watch.observe(document.body, {childList: true, subtree: true, characterData: true});
    });
}"""


class Timed(Scripted):
    """Answers with a word of its own for each request, and remembers when it was written."""

    requests = 0
    written: float = 0.0
    pause = 0.3
    reads = 0.3
    """Seconds before the first piece, in which a model reads its prompt and the page draws the sources."""

    def do_POST(self) -> None:  # noqa: N802 - the name the server calls
        """Stream the next word, and some more."""
        kind = type(self)
        kind.requests += 1
        kind.pieces = (word(kind.requests), " and", " more.")
        kind.written = 0.0
        time.sleep(kind.reads)
        super().do_POST()

    def _send(self, delta: Any, finish: Any) -> None:
        super()._send(delta, finish)
        type(self).written = type(self).written or 1000 * time.time()


def word(number: int) -> str:
    """First words of the answer to that request."""
    return "zebra " + "".join(chr(ord("a") + int(digit)) for digit in f"{number:04}")


def serve(app: str, port: int) -> None:
    """Run an app, in a process of its own; add a line to `$BENCH_LOADS` each time a model or an index is opened."""
    from streamlit.web import cli

    import rag.embedding
    from rag.index.edge.shard import Shard

    def noted(what: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            with Path(os.environ["BENCH_LOADS"]).open("a") as file:
                file.write(what + "\n")
            return function(*args, **kwargs)

        return call

    rag.embedding.open_embedder = noted("model", rag.embedding.open_embedder)
    Shard.__init__ = noted("index", Shard.__init__)  # type: ignore[method-assign]
    sys.argv = ["streamlit", "run", app, "--server.headless=true", f"--server.port={port}"]
    cli.main()


@contextmanager
def running(app: str, folder: Path, **settings: str) -> Iterator[str]:
    """Run an app in a process of its own; yield its address."""
    port = free_port()
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "server.log"
    env = {**os.environ, "RAG_DATA_DIR": str(folder), "BENCH_LOADS": str(folder / "loads.txt"), **settings}
    (folder / "loads.txt").touch()
    with log.open("w") as output:
        command = [sys.executable, "-m", "bench.ui", "--serve", app, str(port)]
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=output, stderr=subprocess.STDOUT)
        try:
            wait_for_server(f"http://localhost:{port}/_stcore/health", process, log)
            yield f"http://localhost:{port}"
        finally:
            process.terminate()
            process.wait(30)


def conversation(folder: Path) -> str:
    """Write a library and a conversation of `MESSAGES` messages into the data folder; return its id."""
    (folder / "models").symlink_to(_prepared())
    rag = Rag(Settings(data_dir=folder))
    rag.ingest_sample()
    conversation_id = rag.new_conversation()
    for number in range(MESSAGES // 2):
        list(rag.ask(Request(QUESTIONS[number % len(QUESTIONS)], conversation=conversation_id)))
    rag.close()
    return conversation_id


def _prepared() -> Path:
    prepared = FOLDER / "data" / "models"
    prepared.mkdir(parents=True, exist_ok=True)
    return prepared


def rerun(page: Any) -> float:
    """Run the page's script again; return the seconds it took."""
    page.evaluate(_WATCH)
    page.keyboard.press("r")
    return float(page.evaluate("window.ended")) / 1000


def reruns(page: Any, count: int) -> Sample:
    """Return the p95 of a block of reruns."""
    page.bring_to_front()
    load, cpu = os.getloadavg()[0], time.process_time()
    seconds = [rerun(page) for _ in range(count)]
    return Sample(float(np.quantile(seconds, 0.95)), (time.process_time() - cpu) / count, load)


def compare(pages: dict[str, Any], pairs: int, count: int, loads: Path) -> Result:
    """Time blocks in alternating order, the first pair unrecorded."""
    samples: dict[str, list[Sample]] = {name: [] for name in pages}
    before = loads.read_text().splitlines()
    for pair in range(pairs + 1):
        for name in list(pages) if pair % 2 else reversed(pages):
            sample = reruns(pages[name], count)
            if pair:
                samples[name].append(sample)
    opened = loads.read_text().splitlines()[len(before) :]
    notes = {"messages": MESSAGES, "reruns": (pairs + 1) * count, "models and indexes opened by them": len(opened)}
    subject, reference = (Case(name, lambda: None) for name in pages)
    return judge(subject, reference, Target("chat rerun, p95", SHARE, at_least=False), samples, notes)


def first_tokens(browser: Any, address: str, count: int) -> list[float]:
    """Milliseconds from the endpoint's first piece to the frame that shows it, for answers in new conversations."""
    delays = []
    page = opened(browser, address)
    for number in range(count + 1):
        page.goto(address)
        idle(page)
        page.evaluate(_TOKEN, word(Timed.requests + 1))
        box = page.get_by_test_id("stChatInputTextArea")
        box.fill(QUESTIONS[number % len(QUESTIONS)])
        box.press("Enter")
        drawn = float(page.evaluate("window.seen"))
        if number:
            delays.append(drawn - Timed.written)
        page.get_by_text(f"{word(Timed.requests)} and more.").wait_for()
        idle(page)
    return delays


def opened(browser: Any, address: str) -> Any:
    """Open a page in a browser context of its own and wait until its script has run."""
    page = browser.new_context(viewport={"width": 1280, "height": 860}).new_page()
    page.set_default_timeout(60_000)
    page.goto(address)
    idle(page)
    return page


def idle(page: Any) -> None:
    """Wait until the chat input is there and no script runs."""
    page.get_by_test_id("stChatInputTextArea").wait_for()
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()


def run(pairs: int, count: int, answers: int, folder: Path) -> tuple[Result, list[float]]:
    """Measure both, with their servers and one browser."""
    from playwright.sync_api import sync_playwright

    ours, talking = folder / "ours", folder / "talking"
    ours.mkdir()
    talk = conversation(ours)
    talking.mkdir()
    conversation(talking)
    endpoint = ThreadingHTTPServer(("127.0.0.1", 0), Timed)
    Thread(target=endpoint.serve_forever, daemon=True).start()
    with sync_playwright() as playwright, ExitStack() as stack:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *VISIBLE])
        stack.callback(browser.close)
        chat = stack.enter_context(running("app.py", ours))
        empty = stack.enter_context(running("bench/empty_chat.py", folder / "empty"))
        pages = {"ours": opened(browser, f"{chat}/?c={talk}"), "empty chat": opened(browser, empty)}
        pages["ours"].get_by_text(QUESTIONS[(MESSAGES // 2 - 1) % len(QUESTIONS)], exact=True).last.wait_for()
        result = compare(pages, pairs, count, ours / "loads.txt")
        url = f"http://127.0.0.1:{endpoint.server_port}/v1"
        llm = {"RAG_LLM_BASE_URL": url, "RAG_LLM_MODEL": "scripted", "OPENAI_API_KEY": "none"}
        return result, first_tokens(browser, stack.enter_context(running("app.py", talking, **llm)), answers)


def summary(tokens: Sequence[float]) -> dict[str, object]:
    """The first token in figures."""
    p95 = float(np.quantile(tokens, 0.95))
    median = statistics.median(tokens)
    return {"median_ms": median, "p95_ms": p95, "target_ms": TOKEN_MS, "holds": p95 <= TOKEN_MS, "all_ms": list(tokens)}


def main() -> None:
    """Print the tables and write `.bench/ui.json`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("--reruns", type=int, default=BLOCK)
    parser.add_argument("--answers", type=int, default=ANSWERS)
    parser.add_argument("--serve", nargs=2, metavar=("APP", "PORT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve[0], int(options.serve[1]))
        return
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        result, tokens = run(options.pairs, options.reruns, options.answers, Path(folder))
    token = summary(tokens)
    print(table([result]))
    print(f"{result.notes}; seconds a rerun: ours {1 / result.subject_rate:.3f}, empty {1 / result.baseline_rate:.3f}")
    print(
        f"first token after the endpoint's first byte: median {token['median_ms']:.0f} ms, p95 {token['p95_ms']:.0f} "
        f"ms, target <= {TOKEN_MS:.0f} ms: {'yes' if token['holds'] else 'NO'}"
    )
    write("ui", {"results": [asdict(result)], "first_token": token})


if __name__ == "__main__":
    main()
