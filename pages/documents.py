"""The library: upload, list, replace and delete, for one task at a time."""

from __future__ import annotations

import streamlit as st

from pages.parts.conversations import select
from pages.parts.errors import guarded
from pages.parts.jobs import show_jobs
from pages.parts.library import sample_button, start_upload
from pages.parts.services import DOCUMENTS, forget_files, services
from pages.parts.widgets import choose_task
from rag import TASKS, FileRecord
from rag.render import escaped, number, plain, printable, size, when

NAMED = 20
"""How many of the files to delete are named in the question."""


def upload(task: str) -> None:
    """Choose files and start reading them in the background."""
    turn = st.session_state.setdefault("upload_turn", 0)
    limit = services().rag.settings.max_file_mb
    with st.container(border=True):
        files = st.file_uploader(
            "Add or replace files",
            accept_multiple_files=True,
            key=f"upload-{turn}",
            max_upload_size=limit,
            help="PDF, Word, HTML, Markdown, text, CSV, TSV, JSONL, notebooks and source code, "
            f"up to {limit:,} MB each. `python -m rag ingest` reads larger tables and text files.",
        )
        st.caption(
            "A file with a name that is already here replaces the old one in one step; unchanged files cost nothing."
        )
        add, sample, _ = st.columns([2, 3, 4], vertical_alignment="center")
        label = f"Add {number(len(files), 'file')}" if files else "Add files"
        if add.button(label, type="primary", icon=":material/add:", disabled=not files, width="stretch"):
            with guarded():
                start_upload(task, [(file.name, file) for file in files])
                st.session_state["upload_turn"] = turn + 1  # a widget of a new key is an empty uploader
                st.rerun()
        with sample:
            sample_button("documents-sample", primary=False)


def listing(task: str) -> None:
    """List the files of the task; chosen ones can be deleted."""
    files = services().rag.files(task)
    st.subheader(number(len(files), "file"), anchor=False)
    if not files:
        st.caption("Nothing here yet. Add files above, or load the sample library.")
        return
    rows = {
        "File": [printable(file.name) for file in files],
        "Documents": [file.documents for file in files],
        "Chunks": [file.chunks for file in files],
        "Size": [size(file.size) for file in files],
        "Updated": [when(file.committed) for file in files],
    }
    turn = st.session_state.setdefault("table_turn", 0)
    event = st.dataframe(
        rows,
        hide_index=True,
        width="stretch",
        on_select="rerun",
        selection_mode="multi-row",
        key=f"files-{task}-{turn}",
    )
    chosen = [files[row] for row in event["selection"]["rows"] if row < len(files)]
    label = f"Delete {number(len(chosen), 'file')}" if chosen else "Delete"
    if st.button(label, icon=":material/delete:", disabled=not chosen, help="Choose rows first."):
        confirm(task, chosen)


@st.dialog("Delete files?")
def confirm(task: str, chosen: list[FileRecord]) -> None:
    """Ask once more; deleting cannot be undone."""
    st.text("\n".join(printable(file.name) for file in chosen[:NAMED]) + ("\n…" if len(chosen) > NAMED else ""))
    chunks = sum(file.chunks for file in chosen)
    st.caption(f"{number(len(chosen), 'file')} and {number(chunks, 'chunk')} go, in both modes. This cannot be undone.")
    yes, no = st.columns(2)
    if yes.button("Delete", type="primary", width="stretch", key="confirm-delete"):
        with guarded():
            services().rag.delete([file.id for file in chosen], task)
            forget_files()
            st.session_state["table_turn"] += 1  # a table of a new key has no row selected
            st.rerun()
    if no.button("Keep", width="stretch"):
        st.rerun()


def failures(task: str) -> None:
    """List the files that could not be read, and why."""
    records = services().rag.failures(task)
    if not records:
        return
    st.subheader(f"{number(len(records), 'file')} could not be read", anchor=False)
    for failure in records:
        reason, dismiss = st.columns([6, 1], vertical_alignment="center")
        reason.html(f'<b>{escaped(failure.name)}</b><p class="rag-note">{escaped(failure.reason)}</p>')
        dismiss.button(
            "Dismiss",
            key=f"failure-{failure.sha256}-{failure.name}",
            on_click=services().rag.dismiss_failure,
            args=(failure.task, failure.name),
            width="stretch",
        )


def main() -> None:
    """Draw the page."""
    st.title("Documents", anchor=False)
    task = choose_task(then=select)
    st.caption(
        plain(f"{TASKS[task].title}: a query is {TASKS[task].query_is}, a document is {TASKS[task].document_is}.")
    )
    upload(task)
    show_jobs(DOCUMENTS)
    listing(task)
    failures(task)


with guarded():
    main()
