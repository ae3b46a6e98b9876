"""What the pages share: the services, errors in words, and the progress of background work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from importlib import import_module
from typing import TYPE_CHECKING, Any

import streamlit as st

from rag import TASKS, Jobs, JobState, JobView, Rag, RagError
from rag.render import clean, duration, number, plain, table_html

if TYPE_CHECKING:
    from pages.parts.runs import Moment, Outcome
    from rag import FileOutcome, IngestReport, Progress

    Reports = dict[str, IngestReport]

_STATES = {
    "added": "Added",
    "updated": "Replaced",
    "unchanged": "Unchanged",
    "duplicate": "Already there",
    "failed": "Failed",
    "stopped": "Stopped",
}
_FEW = 12
"""With up to so many files in a job, what became of each shows at once."""


@dataclass(frozen=True)
class Services:
    """What all sessions share."""

    rag: Rag
    jobs: Jobs[Reports, Progress]
    runs: Jobs[Outcome, Moment]

    @classmethod
    def make(cls) -> Services:
        """The services by the environment's settings.

        SQLAlchemy's ORM, which conversations need, is imported here: by two threads at once it comes half made.
        """
        import_module("sqlalchemy.orm")
        return cls(Rag(), Jobs(), Jobs())


def services() -> Services:
    """The services that `app.py` put into the session.

    The first visitor of a fresh server may come by a page's own address; Streamlit then runs the page without `app.py`,
    until navigation is declared once.
    """
    if "services" not in st.session_state:
        st.navigation([st.Page("pages/chat.py"), st.Page("pages/documents.py")], position="hidden")
        st.rerun()
    found: Services = st.session_state["services"]
    return found


def lasting(name: str, default: object, then: Callable[[], None] | None = None) -> dict[str, Any]:
    """Arguments for a widget whose value lasts while another page is in view; Streamlit forgets those of widgets.

    Args:
        name: Where the value lasts in the session; the widget's own key is `pick-` and the name.
        default: The value to begin with.
        then: Called after a change.
    """
    st.session_state[f"pick-{name}"] = st.session_state.setdefault(name, default)
    return {"key": f"pick-{name}", "on_change": _last, "args": (name, then)}


def _last(name: str, then: Callable[[], None] | None) -> None:
    st.session_state[name] = st.session_state[f"pick-{name}"]
    if then is not None:
        then()


def choose_task(then: Callable[[], None]) -> str:
    """The task selector, one choice for all pages; `then` is called when another was chosen."""
    st.segmented_control(
        "Task",
        list(TASKS),
        format_func=lambda name: TASKS[name].title,
        required=True,
        label_visibility="collapsed",
        **lasting("task", next(iter(TASKS)), then),
    )
    return str(st.session_state["task"])


@contextmanager
def guarded() -> Iterator[None]:
    """Show an expected error as a message instead of failing the page."""
    try:
        yield
    except RagError as exc:
        show_error(str(exc))


def show_error(message: str) -> None:
    """A message that may hold names from outside."""
    st.error(plain(message, limit=2000), icon=":material/error:")


@st.cache_data(ttl=10, show_spinner=False, max_entries=64)
def file_names(_rag: Rag, task: str) -> list[str]:
    """Names of a task's files; asked of the catalog at most every ten seconds."""
    return sorted(file.name for file in _rag.files(task))


def forget_files() -> None:
    """Have the next page look at the library again."""
    file_names.clear()


def load_sample() -> None:
    """Start loading the sample library in the background."""
    found = services()
    if not found.jobs.active():
        found.jobs.start("Loading the sample library", found.rag.ingest_sample)


def sample_button(key: str, primary: bool = True) -> None:
    """One click that fills every task with something to ask about."""
    st.button(
        "Load the sample library",
        key=key,
        type="primary" if primary else "secondary",
        icon=":material/library_books:",
        disabled=services().jobs.active(),
        on_click=load_sample,
        help="This project's own documentation, an FAQ and its source code, so that every task has something to find.",
    )


def show_jobs(ended: bool = True, waiting: str = "") -> None:
    """Progress of the running jobs, refreshed by itself, and what came of those that ended.

    Args:
        ended: Whether finished jobs are shown; those that failed always are.
        waiting: A task without files: its page is drawn anew as soon as it has one.
    """
    if services().jobs.active():
        _running(waiting)
    for view in services().jobs.views():
        if not view.active and (ended or view.error):
            _ended(view)


@st.fragment(run_every=0.5)
def _running(waiting: str) -> None:
    jobs = services().jobs
    for view in jobs.views():
        if view.active:
            _progress(view)
    if not jobs.active() or (waiting and services().rag.files(waiting)):
        forget_files()
        st.rerun()


def _progress(view: JobView[Reports, Progress]) -> None:
    with st.container(border=True):
        job_header(view, services().jobs.stop)
        done = view.progress
        if done is None:
            st.progress(0.0, text="Waiting" if view.state is JobState.WAITING else "Starting")
            return
        share = min(1.0, done.done / done.total) if done.total else 0.0
        parts = [
            "Stopping after the current step" if view.state is JobState.STOPPING else done.stage,
            f"{done.done} of {number(done.total, done.unit)}" if done.total else "",
            f"{number(done.work, done.work_unit)}, {done.rate:.0f}/s" if done.work else "",
            f"{duration(done.seconds_left)} left" if done.seconds_left is not None else "",
        ]
        st.progress(share, text=plain(" · ".join(part for part in parts if part)))
        st.text(clean(done.item)[-120:])


def job_header(view: JobView[Any, Any], stop: Callable[[str], object]) -> None:
    """The title of a running job, and the button that stops it."""
    left, right = st.columns([5, 1], vertical_alignment="center")
    left.html(f'<div class="rag-job">{escaped(view.title)}</div>')
    right.button(
        "Stop",
        key=f"stop-{view.id}",
        icon=":material/stop_circle:",
        disabled=view.state is JobState.STOPPING,
        on_click=stop,
        args=(view.id,),
        width="stretch",
    )


def escaped(text: str) -> str:
    """Escaped text for `st.html`."""
    return escape(clean(text))


def _ended(view: JobView[Reports, Progress]) -> None:
    reports = view.result or {}
    outcomes = [outcome for report in reports.values() for outcome in report.outcomes]
    with st.container(border=True):
        left, right = st.columns([6, 1], vertical_alignment="center")
        note = f"{view.state.value}; {_counted(outcomes)}" if outcomes else view.state.value
        left.html(f'<span class="rag-job">{escaped(view.title)}</span> <span class="rag-note">{escaped(note)}</span>')
        right.button("Dismiss", key=f"dismiss-{view.id}", on_click=services().jobs.dismiss, args=(view.id,))
        if view.error:
            show_error(view.error)
        if outcomes:
            failed = any(outcome.status == "failed" for outcome in outcomes)
            with st.expander("File by file", expanded=failed or len(outcomes) <= _FEW):
                st.html(table_html(["Task", "File", "Outcome", "Chunks"], _rows(reports)))


def _counted(outcomes: list[FileOutcome]) -> str:
    counts = Counter(_STATES.get(outcome.status, outcome.status).lower() for outcome in outcomes)
    return ", ".join(f"{count} {state}" for state, count in counts.items())


def _rows(reports: Reports) -> list[list[str]]:
    return [
        [
            TASKS[task].title,
            outcome.name,
            ": ".join(part for part in (_STATES.get(outcome.status, outcome.status), outcome.reason) if part),
            f"{outcome.chunks:,}",
        ]
        for task, report in reports.items()
        for outcome in report.outcomes
    ]
