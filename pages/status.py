"""What is in force: model, exact prompts, engine, LLM, counts, and problems with their remedies."""

from __future__ import annotations

import streamlit as st

from pages.parts.shared import guarded, services, show_error
from rag import TASKS
from rag.render import number, table_html, visible


def main() -> None:
    """The page."""
    st.title("Status", anchor=False)
    with st.spinner("Looking"):
        state = services().rag.status()
    if not state.problems:
        st.success("Everything works.", icon=":material/check_circle:")
    for problem in state.problems:
        show_error(problem)
    st.subheader("In force", anchor=False)
    st.html(
        table_html(
            ["Part", "Value"],
            [
                ["Embedding model", state.model],
                ["Precision", state.precision],
                [
                    "Vector",
                    f"{number(state.dimension, 'dimension')}, texts of up to {number(state.max_tokens, 'token')}",
                ],
                ["Index", state.engine],
                ["Catalog", state.database],
                ["Answers", state.answerer],
                ["Workspace", state.workspace],
                ["Data folder", str(state.data_dir)],
            ],
        )
    )
    st.subheader("Prompts", anchor=False)
    st.caption("The exact strings put before each text. The naive mode puts nothing before either.")
    rows = [[TASKS[task].title, visible(query), visible(document)] for task, query, document in state.prompts]
    st.html(table_html(["Task", "Before a query", "Before a document"], rows, code=(1, 2)))
    if state.tuned:
        st.subheader("Tuned", anchor=False)
        st.caption("Tasks that use a choice measured on your data instead of the shipped one.")
        st.html(table_html(["Task", "Profile"], [[TASKS[task].title, profile] for task, profile in state.tuned]))
    st.subheader("Library", anchor=False)
    counts = [[TASKS[task].title, *(f"{count:,}" for count in numbers)] for task, numbers in state.counts.items()]
    st.html(table_html(["Task", "Files", "Documents", "Chunks"], counts))


with guarded():
    main()
