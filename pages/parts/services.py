"""The services that all sessions share: the app provides them, unless whoever drives it has done so."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st

from rag import Jobs, Rag, configure_logging, keep_private

DOCUMENTS, EVALUATION = "documents", "evaluation"
"""Queues of jobs: those of one take turns, those of both run beside each other."""
_KEY = "services"


@dataclass(frozen=True)
class Ending:
    """How a job ended, for people.

    Attributes:
        summary: A few words behind the title.
        sentences: Conclusions, one after the other.
        files: Rows of task, file, outcome and chunks.
        unfolded: True when the rows show at once.
        report: Folder of the report that an evaluation has written.
    """

    summary: str = ""
    sentences: tuple[str, ...] = ()
    files: tuple[tuple[str, str, str, str], ...] = ()
    unfolded: bool = False
    report: Path | None = None


@dataclass(frozen=True)
class Services:
    """The library and the jobs, shared by all sessions."""

    rag: Rag
    jobs: Jobs[Ending] = field(default_factory=Jobs)


def provide_services() -> None:
    """Give the session the services of the process, unless it has some."""
    if _KEY not in st.session_state:
        st.session_state[_KEY] = _shared()


@st.cache_resource(show_spinner="Starting")
def _shared() -> Services:
    """Return the services by the environment's settings; their parts open when they are first used."""
    configure_logging()
    keep_private()
    return Services(Rag())


def services() -> Services:
    """Return the services of this session.

    The first visitor of a fresh server may come by a page's own address; Streamlit then runs the page without `app.py`,
    until navigation is declared once.
    """
    if _KEY not in st.session_state:
        st.navigation([st.Page("pages/chat.py"), st.Page("pages/documents.py")], position="hidden")
        st.rerun()
    shared: Services = st.session_state[_KEY]
    return shared


@st.cache_data(ttl=10, show_spinner=False, max_entries=64)
def file_names(_rag: Rag, task: str) -> list[str]:
    """Return the names of a task's files; the catalog is read at most every ten seconds."""
    return sorted(file.name for file in _rag.files(task))


def forget_files() -> None:
    """Have the next page read the names of files again."""
    file_names.clear()
