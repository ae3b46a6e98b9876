"""What is in force: model, exact prompts, engine, LLM, counts, and problems with their remedies."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.parts.errors import guarded, show_error
from pages.parts.services import services
from rag import TASKS, Status
from rag.render import NAIVE_GLOSS, number, table_html, visible


def parts(status: Status) -> list[list[str]]:
    """Return the parts in force, as rows of name and value."""
    dimensions, tokens = number(status.dimension, "dimension"), number(status.max_tokens, "token")
    return [
        ["Embedding model", status.model],
        ["Second model", status.second_model or "none"],
        ["Precision", status.precision],
        ["Vector", f"{dimensions}, texts of up to {tokens}"],
        ["Index", status.engine],
        ["Catalog", status.database],
        ["Answers", status.answerer],
        ["Workspace", status.workspace],
        ["Data folder", str(status.data_dir)],
    ]


def show_calibrated(calibrated: Sequence[tuple[str, str]]) -> None:
    """Draw the shares that indexes calibrated for themselves, each with a button that takes them back."""
    st.subheader("Calibrated", anchor=False)
    st.caption("Tasks whose shares were adapted to your index. Taken back, the index keeps the task's own shares.")
    for task, words in calibrated:
        shares, button = st.columns([5, 1], vertical_alignment="center")
        shares.html(table_html(["Task", "Shares"], [[TASKS[task].title, words]]))
        if button.button("Take back", key=f"take-back-{task}", help=f"Rank {TASKS[task].title} as shipped"):
            services().rag.take_back_calibration(task)
            st.rerun()


def main() -> None:
    """Draw the page."""
    st.title("Status", anchor=False)
    with st.spinner("Looking"):
        status = services().rag.status()
    if not status.problems:
        st.success("Everything works.", icon=":material/check_circle:")
    for problem in status.problems:
        show_error(problem)
    st.subheader("In force", anchor=False)
    st.html(table_html(["Part", "Value"], parts(status)))
    st.subheader("Prompts", anchor=False)
    st.caption(f"The exact strings put before each text. The naive mode puts nothing before either: {NAIVE_GLOSS}.")
    rows = [[TASKS[task].title, visible(query), visible(document)] for task, query, document in status.prompts]
    st.html(table_html(["Task", "Before a query", "Before a document"], rows, code=(1, 2)))
    st.subheader("Ranking", anchor=False)
    st.caption("What a ranking of the task-aware mode is mixed of.")
    st.html(table_html(["Task", "Mixed of"], [[TASKS[task].title, words] for task, words in status.signals]))
    if status.tuned:
        st.subheader("Tuned", anchor=False)
        st.caption("Tasks that use a choice measured on your data instead of the shipped one.")
        st.html(table_html(["Task", "Profile"], [[TASKS[task].title, profile] for task, profile in status.tuned]))
    if status.calibrated:
        show_calibrated(status.calibrated)
    st.subheader("Library", anchor=False)
    counts = [[TASKS[task].title, *(f"{count:,}" for count in numbers)] for task, numbers in status.counts.items()]
    st.html(table_html(["Task", "Files", "Documents", "Chunks"], counts))


with guarded():
    main()
