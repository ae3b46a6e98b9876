"""Past reports of evaluations, and which of them is in view."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import streamlit as st

from pages.parts.services import services
from pages.parts.widgets import lasting, numbered_titles
from rag import TASKS, EvaluationResult, Evaluations, RagError, report_files
from rag.render import number, printable, when

ORIGINS = {
    "sample": "judgments of the sample library",
    "synthetic": "synthetic judgments",
    "feedback": "thumbs from the chat",
    "uploaded": "uploaded judgments",
}
_LISTED = 30
_NAME_CHARACTERS = 40


def choose_report(newest: Path | None) -> Path | None:
    """Return the report in view: the newest run, unless an older one was chosen; None when there is none to show.

    Args:
        newest: A report that has just been written; it comes into view.
    """
    evaluations = services().rag.evaluations
    titles = [(str(folder), _title(evaluations, folder)) for folder in evaluations.reports()[:_LISTED]]
    readable = numbered_titles([(folder, title) for folder, title in titles if title])
    if not readable:
        return None
    if newest is not None:
        st.session_state["report"] = str(newest)
    if st.session_state.get("report") not in readable:
        st.session_state["report"] = next(iter(readable))
    st.selectbox(
        "Report",
        list(readable),
        format_func=readable.__getitem__,
        label_visibility="collapsed",
        help="Runs are kept; choose an older one to see it again.",
        **lasting("report", ""),
    )
    return Path(st.session_state["report"])


@st.cache_data(max_entries=200, show_spinner=False)
def _title(_evaluations: Evaluations, folder: Path) -> str:
    """Return the title of a report in the list; empty when it cannot be read."""
    try:
        result = _evaluations.report(folder)
    except RagError:
        return ""
    task = TASKS[result.task].title if result.task in TASKS else result.task
    name = f" · {printable(result.dataset)[:_NAME_CHARACTERS]}" if result.origin == "uploaded" else ""
    questions = number(len(result.questions), "question")
    return f"{when(result.created)} · {task} · {ORIGINS[result.origin]}{name} · {questions}"


@st.cache_resource(max_entries=4, show_spinner=False)
def cached_report(_evaluations: Evaluations, folder: Path) -> EvaluationResult:
    """Return a report out of its folder."""
    return _evaluations.report(folder)


@st.cache_resource(max_entries=4, show_spinner=False)
def packed_report(_result: EvaluationResult, folder: Path) -> tuple[dict[str, bytes], bytes]:
    """Return every file of a report by name, and all of them in a zip file."""
    del folder
    files = {name: text.encode() for name, text in report_files(_result).items()}
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return files, stream.getvalue()
