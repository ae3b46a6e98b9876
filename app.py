"""The app: page config, navigation, services."""

from __future__ import annotations

import streamlit as st

st.set_page_config(page_title="Task-Aware RAG", page_icon="pages/parts/icon.svg", layout="wide")
page = st.navigation(
    [
        st.Page("pages/chat.py", title="Chat", icon=":material/forum:", default=True),
        st.Page("pages/documents.py", title="Documents", icon=":material/folder_open:"),
        st.Page("pages/evaluate.py", title="Evaluate", icon=":material/query_stats:"),
        st.Page("pages/status.py", title="Status", icon=":material/monitor_heart:"),
    ]
)


def main() -> None:
    """Run the page that is in view."""
    # imported after the first calls of Streamlit, so that the frame of the page shows at once
    from pages.parts.errors import guarded
    from pages.parts.services import provide_services
    from rag.render import STYLE

    st.html(STYLE)
    with guarded():
        provide_services()
        page.run()


main()
