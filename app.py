"""The app, as `streamlit run app.py` starts it: the server of `pages/main.py`, with its protection."""

from __future__ import annotations

import runpy
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.parts.protection import Protection

# Not this file: Streamlit takes a folder `pages` beside the script that it runs for a menu of its own.
MAIN = Path(__file__).resolve().parent / "pages" / "main.py"

if get_script_run_ctx(suppress_warning=True) is None:  # imported by the server
    app = st.App(MAIN, middleware=[Middleware(Protection, origins=st.get_option("server.corsAllowedOrigins"))])
else:  # run as a script, by a test
    runpy.run_path(str(MAIN))
