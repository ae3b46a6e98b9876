"""Progress of long work in words, the same in a terminal and on a page."""

from __future__ import annotations

from rag.jobs import Progress
from rag.render.text import duration, number

STOPPING = "Stopping after the current step"


def progress_line(progress: Progress, *, stopping: bool = False) -> str:
    """Return all there is to say on one line: `Embedding · 1 of 3 files · 12 chunks, 40/s · 8 s left`."""
    stage = STOPPING if stopping else progress.stage
    return " · ".join(part for part in (stage, count(progress), speed(progress), time_left(progress)) if part)


def count(progress: Progress) -> str:
    """Return the steps done of all steps: `1 of 3 files`; empty while their number is not known."""
    if not progress.total:
        return ""
    total = f"{progress.total:,}" if progress.unit == "step" else number(progress.total, progress.unit)
    return f"{progress.done:,} of {total}"


def speed(progress: Progress) -> str:
    """Return the work done and its rate, `12 chunks, 40/s`; the rate alone when steps are all there is."""
    if progress.work:
        return f"{number(progress.work, progress.work_unit)}, {progress.rate:,.0f}/s"
    return f"{progress.rate:,.0f}/s" if progress.rate >= 1 else ""


def time_left(progress: Progress) -> str:
    """Return the estimate in words, `8 s left`; empty before there is one."""
    return f"{duration(progress.seconds_left)} left" if progress.seconds_left is not None else ""
