"""Jobs as every page shows them: progress with a stop button while they run, and how they ended."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.parts.errors import show_error
from pages.parts.services import Ending, forget_files, services
from rag import JobState, JobView
from rag.render import escaped, plain, printable, progress_line, table_html

REFRESH_SECONDS = 0.5
_NAME_CHARACTERS = 120


def show_jobs(*queues: str, only_failed: bool = False, until: Callable[[], bool] | None = None) -> None:
    """Show the jobs of some queues; those that run are drawn anew by themselves.

    Args:
        queues: The queues, or none for all of them.
        only_failed: True to show only the failed ones of those that have ended.
        until: The page is drawn anew as soon as this is true, not only when a job ends.
    """
    views = services().jobs.views(*queues)
    running = frozenset(view.id for view in views if view.active)
    if running:
        _show_running(queues, running, until)
    for view in views:
        if not view.active and (view.error if only_failed else _has_news(view)):
            _show_ended(view)


def _has_news(view: JobView[Ending]) -> bool:
    """True unless all went well and there is nothing to say about it; a report is shown by its page."""
    return view.state is not JobState.DONE or bool(view.result and (view.result.sentences or view.result.files))


@st.fragment(run_every=REFRESH_SECONDS)
def _show_running(queues: tuple[str, ...], running: frozenset[str], until: Callable[[], bool] | None) -> None:
    """Draw the progress, and the whole page as soon as one of the jobs it began with has ended."""
    active = [view for view in services().jobs.views(*queues) if view.active]
    for view in active:
        _show_progress(view)
    if not running <= {view.id for view in active} or (until is not None and until()):
        forget_files()
        st.rerun()


def _show_progress(view: JobView[Ending]) -> None:
    stopping = view.state is JobState.STOPPING
    with st.container(border=True):
        title, stop = st.columns([5, 1], vertical_alignment="center")
        title.html(f'<div class="rag-job">{escaped(view.title)}</div>')
        stop.button(
            "Stop",
            key=f"stop-{view.id}",
            icon=":material/stop_circle:",
            disabled=stopping,
            on_click=services().jobs.stop,
            args=(view.id,),
            width="stretch",
        )
        if view.progress is None:
            st.progress(0.0, text="Waiting" if view.state is JobState.WAITING else "Starting")
            return
        progress = view.progress
        share = min(1.0, progress.done / progress.total) if progress.total else 0.0
        st.progress(share, text=plain(progress_line(progress, stopping=stopping)))
        if progress.item:
            st.text(printable(progress.item)[-_NAME_CHARACTERS:])


def _show_ended(view: JobView[Ending]) -> None:
    ending = view.result or Ending()
    note = "; ".join(part for part in (view.state.value, ending.summary) if part)
    with st.container(border=True):
        title, dismiss = st.columns([5, 1], vertical_alignment="center")
        title.html(f'<span class="rag-job">{escaped(view.title)}</span> <span class="rag-note">{escaped(note)}</span>')
        dismiss.button(
            "Dismiss",
            key=f"dismiss-{view.id}",
            on_click=services().jobs.dismiss,
            args=(view.id,),
            width="stretch",
        )
        if view.error:
            show_error(view.error)
        if ending.sentences:
            items = "".join(f"<li>{escaped(sentence)}</li>" for sentence in ending.sentences)
            st.html(f'<div class="rag-answer"><ul>{items}</ul></div>')
        if ending.files:
            with st.expander("File by file", expanded=ending.unfolded):
                st.html(table_html(["Task", "File", "Outcome", "Chunks"], ending.files))
