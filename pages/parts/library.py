"""Jobs that fill the library: uploads and the sample."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import streamlit as st

from pages.parts.services import DOCUMENTS, Ending, services
from rag import TASKS, FileOutcome, IngestReport
from rag.render import number

_OUTCOMES = {
    "added": "Added",
    "updated": "Replaced",
    "unchanged": "Unchanged",
    "duplicate": "Already there",
    "failed": "Failed",
    "stopped": "Stopped",
    "skipped": "Skipped",
}
_FEW = 12
"""With up to so many files in a job, the outcome of each shows at once."""

_DOCUMENTS = Path(__file__).resolve().parents[1] / "documents.py"


def start_upload(task: str, uploads: Sequence[tuple[str, BinaryIO]]) -> None:
    """Read uploads in a job that goes on when the page is left.

    They are saved first, so that memory holds none of them while the job waits and works.

    Raises:
        RagError: They cannot be saved.
    """
    rag = services().rag
    items = rag.stage(uploads)
    services().jobs.start(
        f"{TASKS[task].title}: {number(len(uploads), 'file')}",
        lambda report, cancel: ending({task: rag.ingest_staged(items, task, progress=report, cancel=cancel)}),
        DOCUMENTS,
    )


def start_sample() -> None:
    """Load the sample library in a job, unless documents are being read already."""
    jobs, rag = services().jobs, services().rag
    if not jobs.active(DOCUMENTS):
        jobs.start(
            "Loading the sample library", lambda report, cancel: ending(rag.ingest_sample(report, cancel)), DOCUMENTS
        )


def sample_button(key: str, primary: bool = True) -> None:
    """Draw a button that fills every task with something to ask about."""
    st.button(
        "Load the sample library",
        key=key,
        type="primary" if primary else "secondary",
        icon=":material/library_books:",
        disabled=services().jobs.active(DOCUMENTS),
        on_click=start_sample,
        help="The papers of an invented maker of greenhouse controllers, so that every task has something to find.",
    )


def ways_to_begin(key: str, primary: bool = True) -> None:
    """Draw the two ways to fill an empty library, unless it is being filled."""
    if services().jobs.active(DOCUMENTS):
        return
    sample, upload, _ = st.columns([2, 2, 3])
    with sample:
        sample_button(key, primary)
    upload.page_link(_DOCUMENTS, label="Add your own documents", icon=":material/upload_file:")


def ending(reports: Mapping[str, IngestReport]) -> Ending:
    """Return how an ingest ended, by the reports of its tasks."""
    outcomes = [outcome for report in reports.values() for outcome in (*report.outcomes, *report.skipped)]
    counts = Counter(_label(outcome).lower() for outcome in outcomes)
    rows = [_row(task, o) for task, report in reports.items() for o in (*report.outcomes, *report.skipped)]
    return Ending(
        summary=", ".join(f"{count} {label}" for label, count in counts.items()),
        files=tuple(rows),
        unfolded=len(outcomes) <= _FEW or any(outcome.status == "failed" for outcome in outcomes),
    )


def _label(outcome: FileOutcome) -> str:
    return _OUTCOMES.get(outcome.status, outcome.status)


def _row(task: str, outcome: FileOutcome) -> tuple[str, str, str, str]:
    words = ": ".join(part for part in (_label(outcome), outcome.reason) if part)
    return TASKS[task].title, outcome.name, words, f"{outcome.chunks:,}"
