"""The app, as `streamlit run app.py` starts it: its server, and what every page begins with."""

from __future__ import annotations

import streamlit as st
from starlette.middleware import Middleware
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.parts.protection import Protection


def main() -> None:
    """Draw the page that is in view."""
    st.set_page_config(page_title="Task-Aware RAG", page_icon="pages/parts/icon.svg", layout="wide")
    page = st.navigation(
        [
            st.Page("pages/chat.py", title="Chat", icon=":material/forum:", default=True),
            st.Page("pages/documents.py", title="Documents", icon=":material/folder_open:"),
            st.Page("pages/evaluate.py", title="Evaluate", icon=":material/query_stats:"),
            st.Page("pages/status.py", title="Status", icon=":material/monitor_heart:"),
        ]
    )
    # imported after the first calls of Streamlit, so that the frame of the page shows at once
    from pages.parts.errors import guarded
    from pages.parts.services import services
    from rag.render import STYLE

    st.html(STYLE)
    with guarded():
        services()
        page.run()


if get_script_run_ctx(suppress_warning=True) is None:  # the server imports this file; a session runs it
    app = st.App(__file__, middleware=[Middleware(Protection, origins=st.get_option("server.corsAllowedOrigins"))])
else:
    main()
