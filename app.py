"""The app: page config, navigation, the services in one cached object."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from pages.parts.shared import Services

st.set_page_config(page_title="Task-Aware RAG", page_icon="pages/parts/icon.svg", layout="wide")
page = st.navigation(
    [
        st.Page("pages/chat.py", title="Chat", icon=":material/forum:", default=True),
        st.Page("pages/documents.py", title="Documents", icon=":material/folder_open:"),
        st.Page("pages/evaluate.py", title="Evaluate", icon=":material/query_stats:"),
        st.Page("pages/status.py", title="Status", icon=":material/monitor_heart:"),
    ]
)


@st.cache_resource(show_spinner="Starting")
def services() -> Services:
    """One for the process; its parts open when they are first used."""
    from pages.parts.shared import Services

    return Services.make()


def main() -> None:
    """Run the page that is in view."""
    from pages.parts.shared import guarded
    from rag.render import STYLE

    st.html(STYLE)
    with guarded():
        st.session_state["services"] = services()
        page.run()


main()
