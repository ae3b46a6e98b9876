"""The services that all sessions share, one set a process."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st

from rag import Jobs, Rag, configure_logging, keep_private

DOCUMENTS, EVALUATION = "documents", "evaluation"
"""Queues of jobs: those of one take turns, those of both run beside each other."""


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


_LOCK = threading.Lock()
_OPENED: list[Services] = []
"""The services of the process, once they are opened. No cache of Streamlit's: any browser may ask for those to be
emptied, and a second library on one data folder could not open its index."""


def services() -> Services:
    """Return the services of all sessions, unless whoever drives this one has put others into it."""
    given: Services | None = st.session_state.get("services")
    return given or _of_process()


def _of_process() -> Services:
    """Return the services by the environment's settings; their parts open when they are first used."""
    with _LOCK:
        if not _OPENED:
            configure_logging()
            keep_private()
            _OPENED.append(Services(Rag()))
        return _OPENED[0]


@st.cache_data(ttl=10, show_spinner=False, max_entries=64)
def file_names(_rag: Rag, task: str) -> list[str]:
    """Return the names of a task's files; the catalog is read at most every ten seconds."""
    return sorted(file.name for file in _rag.files(task))


def forget_files() -> None:
    """Have the next page read the names of files again."""
    file_names.clear()
