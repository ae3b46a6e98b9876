"""Jobs that measure: an evaluation, a choice by measurement, and the way back to what was shipped."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import streamlit as st

from pages.parts.evaluation import DataChoice, preview, read_data
from pages.parts.services import EVALUATION, Ending, services
from rag import TASKS, OnProgress, Rag


def start_run(choice: DataChoice, systems: tuple[str, ...]) -> None:
    """Measure in a job that goes on when the page is left."""
    evaluations = services().rag.evaluations

    def work(report: OnProgress, cancel: threading.Event) -> Ending:
        data = read_data(evaluations, choice)
        _, folder = evaluations.run(data, choice.task, systems, progress=report, cancel=cancel)
        return Ending(report=folder)

    services().jobs.start(f"{TASKS[choice.task].title}: measuring", work, EVALUATION)


def start_tuning(choice: DataChoice) -> None:
    """Choose by measurement in a job; what holds is used at once, so the index is rebuilt where it has to be."""
    rag = services().rag

    def work(report: OnProgress, cancel: threading.Event) -> Ending:
        data = read_data(rag.evaluations, choice)
        result, path = rag.evaluations.tune(data, choice.task, progress=report, cancel=cancel)
        if path is not None:
            _rebuild(rag, choice.task, report, cancel)
        return Ending(sentences=tuple(result.words))

    services().jobs.start(f"{TASKS[choice.task].title}: choosing by measurement", work, EVALUATION)


def start_return(task: str) -> None:
    """Go back to the shipped choice in a job, with the index that it needs."""
    rag = services().rag

    def work(report: OnProgress, cancel: threading.Event) -> Ending:
        rag.evaluations.forget_profile(task)
        _rebuild(rag, task, report, cancel)
        return Ending()

    services().jobs.start(f"{TASKS[task].title}: going back to the shipped choice", work, EVALUATION)


def _rebuild(rag: Rag, task: str, report: OnProgress, cancel: threading.Event) -> None:
    """Bring the index in line with the choice in force; one that is in line already stays."""
    rag.reindex(task, lambda progress: report(replace(progress, stage="Rebuilding the index")), cancel)


def newest_report() -> Path | None:
    """Return the report of a run that has ended since this session last asked."""
    seen = st.session_state.setdefault("runs_seen", set())
    ended = [view for view in services().jobs.views(EVALUATION) if not view.active and view.id not in seen]
    seen |= {view.id for view in ended}
    if ended:
        preview.clear()  # the vectors of the run are there now
    folders = [view.result.report for view in ended if view.result is not None and view.result.report is not None]
    return folders[-1] if folders else None
