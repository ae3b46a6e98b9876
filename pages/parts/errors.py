"""Errors in words instead of a failed page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from rag import RagError
from rag.render import plain


@contextmanager
def guarded() -> Iterator[None]:
    """Show an expected error as a message instead of failing the page."""
    try:
        yield
    except RagError as exc:
        show_error(str(exc))


def show_error(message: str) -> None:
    """Show a message that may hold names from outside."""
    st.error(plain(message, limit=2000), icon=":material/error:")
