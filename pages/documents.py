"""The library: upload, list, replace and delete, for one task at a time."""

from __future__ import annotations

import streamlit as st

from pages.parts.conversations import select
from pages.parts.shared import choose_task, escaped, forget_files, guarded, sample_button, services, show_jobs
from rag import TASKS, FileRecord
from rag.render import printable, number, plain, size, when


def upload(task: str) -> None:
    """Choose files and start reading them in the background."""
    turn = st.session_state.setdefault("upload_turn", 0)
    with st.container(border=True):
        files = st.file_uploader(
            "Add or replace files",
            accept_multiple_files=True,
            key=f"upload-{turn}",
            help="PDF, Word, HTML, Markdown, text, CSV, TSV, JSONL, notebooks and source code.",
        )
        st.caption(
            "A file with a name that is already here replaces the old one in one step; unchanged files cost nothing."
        )
        left, right, _ = st.columns([2, 3, 4], vertical_alignment="center")
        label = f"Add {number(len(files), 'file')}" if files else "Add files"
        if left.button(label, type="primary", icon=":material/add:", disabled=not files, width="stretch"):
            start(task, [(file.name, file.getvalue()) for file in files])
            st.session_state["upload_turn"] = turn + 1
            st.rerun()
        with right:
            sample_button("documents-sample", primary=False)


def start(task: str, uploads: list[tuple[str, bytes]]) -> None:
    """Read uploads in a job that goes on when the page is left."""
    rag = services().rag
    title = f"{TASKS[task].title}: {number(len(uploads), 'file')}"
    services().jobs.start(
        title,
        lambda report, cancel: {task: rag.ingest_uploads(uploads, task, progress=report, cancel=cancel)},
        tuple(printable(name) for name, _ in uploads),
    )


def listing(task: str) -> None:
    """The files of the task; chosen ones can be deleted."""
    files = services().rag.files(task)
    st.subheader(number(len(files), "file"), anchor=False)
    if not files:
        st.caption(f"Nothing here yet. {TASKS[task].title} searches {TASKS[task].document_is}.")
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
    st.text("\n".join(printable(file.name) for file in chosen[:20]) + ("\n…" if len(chosen) > 20 else ""))
    chunks = sum(file.chunks for file in chosen)
    st.caption(f"{number(len(chosen), 'file')} and {number(chunks, 'chunk')} go, in both modes. This cannot be undone.")
    left, right = st.columns(2)
    if left.button("Delete", type="primary", width="stretch", key="confirm-delete"):
        with guarded():
            services().rag.delete([file.id for file in chosen], task)
            forget_files()
            st.session_state["table_turn"] += 1
            st.rerun()
    if right.button("Keep", width="stretch"):
        st.rerun()


def failures(task: str) -> None:
    """Files that could not be read, and why."""
    found = services().rag.failures(task)
    if not found:
        return
    st.subheader(f"{number(len(found), 'file')} could not be read", anchor=False)
    for failure in found:
        left, right = st.columns([6, 1], vertical_alignment="center")
        left.html(f'<b>{escaped(failure.name)}</b><p class="rag-note">{escaped(failure.reason)}</p>')
        right.button(
            "Dismiss",
            key=f"failure-{failure.sha256}-{failure.name}",
            on_click=services().rag.dismiss_failure,
            args=(failure.task, failure.name),
            width="stretch",
        )


def main() -> None:
    """The page."""
    st.title("Documents", anchor=False)
    task = choose_task(then=select)
    st.caption(
        plain(f"{TASKS[task].title}: a query is {TASKS[task].query_is}, a document is {TASKS[task].document_is}.")
    )
    upload(task)
    show_jobs()
    listing(task)
    failures(task)


with guarded():
    main()
