"""The server of the app, for `streamlit run app.py`; what it shows is in `pages/main.py`."""

from __future__ import annotations

import streamlit as st
from starlette.middleware import Middleware

from pages.parts.protection import Protection

app = st.App("pages/main.py", middleware=[Middleware(Protection, origins=st.get_option("server.corsAllowedOrigins"))])
