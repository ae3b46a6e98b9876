"""Twenty people who ask, a thousand who come and go, and questions while files are read."""

from __future__ import annotations

import random
import re
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from bench.harness import FOLDER
from bench.trust.spec import Figure, Row
from rag import Rag
from rag.errors import RagError
from rag.settings import load_settings
from tests.browser.serving import server
from tests.browser.session import Session

_PEOPLE = 20
_THINK_SECONDS = 5.0
_MODELS = FOLDER / "data" / "models"
_SYLLABLES = ("mo", "fil", "wa", "ter", "pum", "val", "ba", "tte", "ry", "gar", "den", "lock", "gate", "ure")
_KEPT = 150
"""Sessions after which Streamlit's own memory of closed ones is full."""


@dataclass(slots=True)
class _Asked:
    """Seconds that questions took, and what went wrong."""

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def p95(self) -> float:
        return float(np.quantile(self.seconds, 0.95)) if self.seconds else float("inf")


def _measure(full: bool) -> Figure:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        quiet, busy, outcome = _while_files_are_read(Path(folder) / "reading", files=200 if full else 8)
        chat, grown, opened, kept = _with_many_people(Path(folder) / "people", full)
    ratio = busy.p95 / quiet.p95
    errors = chat.errors + quiet.errors + busy.errors
    parts = [
        f"{len(errors)} errors in {len(chat.seconds)} questions of {_PEOPLE} sessions, p95 {chat.p95:.2f} s",
        f"{ratio:.1f} x the quiet p95 of {1000 * quiet.p95:.0f} ms while {outcome} files are read "
        f"({len(busy.seconds)} questions)",
    ]
    held = not errors and chat.p95 < 2.0 and ratio <= 3.0
    if full:
        parts.append(f"{grown:+.1f}% memory after warm-up, {kept:+.0f} MB after {opened:,} sessions")
        held = held and grown < 10.0 and kept < 50.0
    return Figure("; ".join(parts) + (f"; first error: {errors[0]}" if errors else ""), held)


# -- many people -------------------------------------------------------------------------------------------------------


def _with_many_people(data: Path, full: bool) -> tuple[_Asked, float, int, float]:
    """Return what they asked, the growth of memory in percent, and sessions opened and closed with their megabytes."""
    with _library(data) as rag:
        del rag
    with server(data, _MODELS) as (address, process):
        _chat(address, 30.0 if full else 2.0)  # warm-up
        before = _resident(process)
        asked = _chat(address, 600.0 if full else 15.0)
        grown = 100 * (_resident(process) / before - 1)
        if not full:
            return asked, grown, 0, 0.0
        _visits(address, _KEPT)
        before = _resident(process)
        _visits(address, 1000)
        return asked, grown, 1000, _resident(process) - before


def _chat(address: str, seconds: float) -> _Asked:
    """Have people ask in conversations of their own, with time to think in between."""
    asked, end = _Asked(), time.monotonic() + seconds
    with ExitStack() as stack:
        sessions = [stack.enter_context(Session(address)) for _ in range(_PEOPLE)]
        end = time.monotonic() + seconds

        def person(number: int, session: Session) -> None:
            choose = random.Random(number + seconds)
            pause = threading.Event()
            while time.monotonic() < end:
                pause.wait(choose.uniform(0, 2 * _THINK_SECONDS))
                asked.seconds.append(session.run(_words(choose, 8) + "?"))
                asked.errors += session.errors

        _together([partial(person, number, session) for number, session in enumerate(sessions)], asked.errors)
    return asked


def _visits(address: str, count: int) -> None:
    """Open the page and close it again, a few at a time."""

    def visitor() -> None:
        for _ in range(count // 4):
            Session(address).close()

    _together([visitor] * 4, [])


def _together(works: Sequence[Callable[[], None]], errors: list[str]) -> None:
    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except (OSError, TimeoutError, RagError) as exc:
            errors.append(f"{type(exc).__name__}: {exc}")

    threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _resident(process: int) -> float:
    """Megabytes that a process has in memory."""
    status = Path(f"/proc/{process}/status").read_text()
    match = re.search(r"VmRSS:\s+(\d+)", status)
    return int(match.group(1)) / 1024 if match else 0.0


# -- questions while files are read ------------------------------------------------------------------------------------


def _while_files_are_read(data: Path, files: int) -> tuple[_Asked, _Asked, str]:
    """Return questions asked before and during an ingest, and how many of its files were added."""
    with _library(data) as rag:
        quiet, busy, ended, added = _Asked(), _Asked(), threading.Event(), [0]
        numbers = iter(range(10**6))
        for _ in range(5):
            _ask(rag, next(numbers), _Asked())
        for _ in range(50):
            _ask(rag, next(numbers), quiet)
        uploads = [(f"file{n}.md", _text(1000 + n, 300)) for n in range(files)]

        def ingest() -> None:
            report = rag.ingest_uploads(uploads, "qa")
            added[0] = sum(outcome.status == "added" for outcome in report.outcomes)
            ended.set()

        thread = threading.Thread(target=ingest)
        thread.start()
        ended.wait(0.5)
        while not ended.is_set():
            _ask(rag, next(numbers), busy)
        thread.join()
    if added[0] != files:
        busy.errors.append(f"{files - added[0]} of {files} files were not added")
    return quiet, busy, f"{added[0]}"


def _ask(rag: Rag, number: int, asked: _Asked) -> None:
    question = _words(random.Random(number), 8) + "?"
    started = time.perf_counter()
    try:
        list(rag.ask(question))
    except RagError as exc:
        asked.errors.append(str(exc))
    asked.seconds.append(time.perf_counter() - started)
    threading.Event().wait(0.05)


@contextmanager
def _library(data: Path) -> Iterator[Rag]:
    _MODELS.mkdir(parents=True, exist_ok=True)
    data.mkdir()
    (data / "models").symlink_to(_MODELS)
    rag = Rag(load_settings(data_dir=data))
    rag.ingest_uploads([(f"base{n}.md", _text(n, 500)) for n in range(6)], "qa")
    yield rag
    rag.close()


def _text(number: int, count: int) -> bytes:
    choose = random.Random(number)
    parts = [f"# Part {part}\n\n{_words(choose, 100)}.\n" for part in range(count // 100)]
    return "\n".join(parts).encode()


def _words(choose: random.Random, count: int) -> str:
    return " ".join("".join(choose.choices(_SYLLABLES, k=2)) for _ in range(count))


ROW = Row(
    name="load",
    promise="The app stays quick and whole however many use it.",
    kept="Readers wait for no writer; an ingest gives way to questions, which have an encoder of their own; sessions "
    "share one library and hold nothing when they end.",
    tests=("tests/catalog/test_waiting.py", "tests/test_turns.py", "tests/embedding/test_open.py"),
    target="20 sessions, 10 min: 0 errors, p95 < 2 s, memory +10% at most; p95 during an ingest at most 3 x the quiet "
    "one; 1,000 sessions: < 50 MB",
    measure=_measure,
)
