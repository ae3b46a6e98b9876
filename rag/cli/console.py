"""The console of all commands: text and tables on standard output, notes and progress on standard error."""

from __future__ import annotations

import json
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from rag.jobs import OnProgress, Progress
from rag.render.progress import speed, time_left
from rag.render.text import printable

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import ProgressColumn, Task

_UNSEEN = re.compile(
    "[\x7f-\x9f\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e0fff]"
)
"""Control and format characters that JSON does not escape by itself."""
WIDTH_WITHOUT_TERMINAL = 200
"""Columns of a table that goes into a file or a pipe."""
LINE_SECONDS = 5.0
"""Between two lines of progress where there is no terminal."""


def say(text: str = "") -> None:
    """Print a text as it is, without its control characters."""
    sys.stdout.write(printable(text) + "\n")


def note(text: str) -> None:
    """Print one line on standard error."""
    sys.stderr.write(printable(text) + "\n")


def emit(value: Any) -> None:
    """Print JSON; characters that would steer a terminal or cannot be seen are escaped, so that nothing is lost."""
    text = json.dumps(value, ensure_ascii=False, indent=2, default=_as_json)
    sys.stdout.write(_UNSEEN.sub(_escape, text) + "\n")


def _escape(match: re.Match[str]) -> str:
    return json.dumps(match.group())[1:-1]


def fields(record: Any) -> dict[str, Any]:
    """Return a dataclass as plain values for JSON."""
    return asdict(record)


def _as_json(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def table(headers: list[str], rows: list[list[str]], right: tuple[int, ...] = ()) -> None:
    """Print a table of untrusted headers and cells.

    Args:
        headers: Name of each column.
        rows: Cells, as many in each row as there are headers.
        right: Positions of the columns that are set flush right.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for position, header in enumerate(headers):
        grid.add_column(printable(header), justify="right" if position in right else "left", overflow="fold")
    for row in rows:
        grid.add_row(*(Text(printable(cell)) for cell in row))
    # no markup, emoji codes or guessed colours in what documents and file names say
    width = None if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL
    Console(markup=False, emoji=False, highlight=False, width=width).print(grid)


@contextmanager
def working() -> Iterator[tuple[OnProgress, threading.Event]]:
    """Run long work: a callback that draws its progress, and the event that Ctrl-C sets to stop it."""
    with stoppable() as cancel, progress_bar() as report:
        yield report, cancel


@contextmanager
def progress_bar(drawn: bool | None = None) -> Iterator[OnProgress]:
    """A callback that shows count, rate and time left on standard error: a bar on a terminal, else now and then a line.

    Args:
        drawn: Whether it is a bar; by default when standard error is a terminal.
    """
    if not (sys.stderr.isatty() if drawn is None else drawn):
        yield _line_now_and_then()
        return
    bar = _bar()
    task = bar.add_task("Starting", total=None, speed="", left="", item="")

    def draw(progress: Progress) -> None:
        bar.update(
            task,
            description=progress.stage or "Working",
            total=progress.total or None,
            completed=progress.done,
            speed=speed(progress),
            left=time_left(progress),
            item=printable(progress.item)[-60:],
        )

    with bar:
        yield draw


def _line_now_and_then() -> OnProgress:
    """A line every few seconds, for logs; work that ends sooner writes none."""
    last = time.monotonic()

    def write(progress: Progress) -> None:
        nonlocal last
        if time.monotonic() - last >= LINE_SECONDS:
            last = time.monotonic()
            count = f"{progress.done:,} of {progress.total:,}" if progress.total else f"{progress.done:,}"
            more = ", ".join(text for text in (speed(progress), time_left(progress)) if text)
            note(f"{progress.stage or 'Working'}: {count}{', ' + more if more else ''}")

    return write


def _bar() -> Bar:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn
    from rich.text import Text

    class Field(ProgressColumn):
        """A field of the task, as plain text."""

        def __init__(self, name: str, style: str = "") -> None:
            super().__init__()
            self._name, self._style = name, style

        def render(self, task: Task) -> Text:
            return Text(str(task.fields.get(self._name, "")), style=self._style, overflow="ellipsis", no_wrap=True)

    columns: list[ProgressColumn | str] = [
        TextColumn("{task.description:<10}", markup=False),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        Field("speed", "cyan"),
        Field("left", "magenta"),
        Field("item", "dim"),
    ]
    console = Console(stderr=True, force_terminal=True, emoji=False, markup=False)
    return Progress(*columns, console=console, transient=True)


@contextmanager
def stoppable() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C sets; the second one aborts."""
    cancel = threading.Event()

    def stop(signum: int, frame: FrameType | None) -> None:
        del signum, frame
        if cancel.is_set():
            raise KeyboardInterrupt
        cancel.set()
        note("stopping after the current step; what is done is kept (Ctrl-C again to abort)")

    if threading.current_thread() is not threading.main_thread():  # only the main thread may set a handler
        yield cancel
        return
    before = signal.signal(signal.SIGINT, stop)
    try:
        yield cancel
    finally:
        signal.signal(signal.SIGINT, before)
