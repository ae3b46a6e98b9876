"""What every page begins with: page config, navigation, services."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_HERE = Path(__file__).resolve().parent

st.set_page_config(page_title="Task-Aware RAG", page_icon=str(_HERE / "parts" / "icon.svg"), layout="wide")
page = st.navigation(
    [
        st.Page(_HERE / "chat.py", title="Chat", icon=":material/forum:", default=True),
        st.Page(_HERE / "documents.py", title="Documents", icon=":material/folder_open:"),
        st.Page(_HERE / "evaluate.py", title="Evaluate", icon=":material/query_stats:"),
        st.Page(_HERE / "status.py", title="Status", icon=":material/monitor_heart:"),
    ]
)


def main() -> None:
    """Run the page that is in view."""
    # imported after the first calls of Streamlit, so that the frame of the page shows at once
    from pages.parts.errors import guarded
    from pages.parts.services import services
    from rag.render import STYLE

    st.html(STYLE)
    with guarded():
        services()
        page.run()


main()
