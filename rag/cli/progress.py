"""Progress of long work on stderr, and Ctrl-C that stops it cleanly."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from rag.cli.shell import note
from rag.render.text import clean, duration, number

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import ProgressColumn, Task, TaskID

    from rag.jobs import Progress

Report = Callable[["Progress"], None]


@contextmanager
def progress_bar(shown: bool | None = None) -> Iterator[Report]:
    """A callback that draws files, rate and time left on stderr; it does nothing when stderr is no terminal."""
    if not (sys.stderr.isatty() if shown is None else shown):
        yield _silent
        return
    bar = _bar()
    task = bar.add_task("Reading", total=None, rate="", left="", name="")
    with bar:
        yield lambda progress: _draw(bar, task, progress)


def _silent(progress: Progress) -> None:
    del progress


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
        Field("rate", "cyan"),
        Field("left", "magenta"),
        Field("name", "dim"),
    ]
    return Progress(
        *columns, console=Console(stderr=True, force_terminal=True, emoji=False, markup=False), transient=True
    )


def _draw(bar: Bar, task: TaskID, progress: Progress) -> None:
    rate = f"{number(progress.work, progress.work_unit)}, {progress.rate:.0f}/s" if progress.work else ""
    left = f"{duration(progress.seconds_left)} left" if progress.seconds_left is not None else ""
    bar.update(
        task,
        description=progress.stage or "Working",
        total=progress.total or None,
        completed=progress.done,
        rate=rate,
        left=left,
        name=clean(progress.item)[-60:],
    )


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

    if threading.current_thread() is not threading.main_thread():
        yield cancel
        return
    before = signal.signal(signal.SIGINT, stop)
    try:
        yield cancel
    finally:
        signal.signal(signal.SIGINT, before)
