"""Runs in the background: measuring, choosing by measurement and going back, with progress and stop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from pages.parts.evaluation import Choice, preview, read
from pages.parts.shared import escaped, job_header, services, show_error
from rag import TASKS, JobState, JobView, Rag
from rag.render import duration, plain

if TYPE_CHECKING:
    from rag import Progress as FileProgress
    from rag import Progress as Moment


@dataclass(frozen=True)
class Outcome:
    """What a run in the background left: the folder of a report, or sentences about a choice."""

    folder: Path | None = None
    words: tuple[str, ...] = ()


def start_run(choice: Choice, systems: tuple[str, ...]) -> None:
    """Measure in a job that goes on when the page is left."""
    evaluations = services().rag.evaluations

    def work(report: Callable[[Moment], None], cancel: threading.Event) -> Outcome:
        data = read(evaluations, choice)
        _, folder = evaluations.run(data, choice.task, systems, progress=report, cancel=cancel)
        return Outcome(folder)

    services().runs.start(f"{TASKS[choice.task].title}: measuring", work)


def start_tuning(choice: Choice) -> None:
    """Choose by measurement in a job; what holds is used at once, so the index is rebuilt where it has to be."""
    rag = services().rag

    def work(report: Callable[[Moment], None], cancel: threading.Event) -> Outcome:
        data = read(rag.evaluations, choice)
        result, path = rag.evaluations.tune(data, choice.task, progress=report, cancel=cancel)
        if path is not None:
            _rebuild(rag, choice.task, report, cancel)
        return Outcome(None, tuple(result.words))

    services().runs.start(f"{TASKS[choice.task].title}: choosing by measurement", work)


def start_return(task: str) -> None:
    """Go back to the shipped choice in a job, with the index that it needs."""
    rag = services().rag

    def work(report: Callable[[Moment], None], cancel: threading.Event) -> Outcome:
        rag.evaluations.forget_profile(task)
        _rebuild(rag, task, report, cancel)
        return Outcome()

    services().runs.start(f"{TASKS[task].title}: going back to the shipped choice", work)


def _rebuild(rag: Rag, task: str, report: Callable[[Moment], None], cancel: threading.Event) -> None:
    """Bring the index in line with the choice in force; one that is in line already stays."""
    from rag import Progress

    def tell(moment: FileProgress) -> None:
        report(Progress("Rebuilding the index", moment.done, moment.total, "file", seconds_left=moment.seconds_left))

    rag.reindex(task, tell, cancel)


def finished() -> Path | None:
    """The report of a run that ended since this session last asked."""
    seen = st.session_state.setdefault("runs_seen", set())
    fresh = [view for view in services().runs.views() if not view.active and view.id not in seen]
    seen |= {view.id for view in fresh}
    if fresh:
        preview.clear()
    folders = [view.result.folder for view in fresh if view.result is not None and view.result.folder is not None]
    return folders[-1] if folders else None


def show_runs() -> None:
    """Progress of what runs, refreshed by itself, and why something ended without a report."""
    if services().runs.active():
        _running()
    for view in services().runs.views():
        if not view.active and (view.state is not JobState.DONE or view.result.words):
            _ended(view)


@st.fragment(run_every=0.5)
def _running() -> None:
    for view in services().runs.views():
        if view.active:
            _progress(view)
    if not services().runs.active():
        st.rerun()


def _progress(view: JobView[Outcome, Moment]) -> None:
    with st.container(border=True):
        job_header(view, services().runs.stop)
        moment = view.progress
        if moment is None:
            st.progress(0.0, text="Waiting" if view.state is JobState.WAITING else "Reading the documents")
            return
        parts = [
            "Stopping after the current step" if view.state is JobState.STOPPING else moment.stage,
            f"{moment.done:,} of {moment.total:,}",
            f"{moment.rate:,.0f}/s" if moment.rate >= 1 else "",
            f"{duration(moment.seconds_left)} left" if moment.seconds_left is not None else "",
        ]
        share = min(1.0, moment.done / moment.total) if moment.total else 0.0
        st.progress(share, text=plain(" · ".join(part for part in parts if part)))


def _ended(view: JobView[Outcome, Moment]) -> None:
    with st.container(border=True):
        left, right = st.columns([5, 1], vertical_alignment="center")
        left.html(
            f'<span class="rag-job">{escaped(view.title)}</span> <span class="rag-note">{escaped(view.state)}</span>'
        )
        right.button(
            "Dismiss",
            key=f"dismiss-{view.id}",
            on_click=services().runs.dismiss,
            args=(view.id,),
            width="stretch",
        )
        if view.error:
            show_error(view.error)
        if view.result and view.result.words:
            lines = "".join(f"<li>{escaped(words)}</li>" for words in view.result.words)
            st.html(f'<div class="rag-answer"><ul>{lines}</ul></div>')
