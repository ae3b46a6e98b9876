"""What is measured and what that costs, and the runs in the background."""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from pages.parts.shared import escaped, services, show_error
from rag import JobState, JobView, Rag, RagError
from rag.render import clean, duration, number, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rag.evaluation import Dataset
    from rag.evaluation import Progress as Moment
    from rag.evaluation.service import Evaluations
    from rag.ingest import Progress as FileProgress

SYNTHETIC, FEEDBACK, FILE = "synthetic", "feedback", "file"
_NAME = re.compile(r"[^\w.-]+")


@dataclass(frozen=True)
class Outcome:
    """What a run in the background left: the folder of a report, or sentences about a choice."""

    folder: Path | None = None
    words: tuple[str, ...] = ()


class Upload:
    """An uploaded file in a folder of its own, which goes as soon as nobody holds the upload."""

    def __init__(self, name: str, content: bytes) -> None:
        folder = tempfile.mkdtemp(prefix="rag-upload-")
        self._gone = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self.digest = hashlib.sha256(content).hexdigest()
        self.path = Path(folder) / (_NAME.sub("-", clean(name)).lstrip(".-")[-80:] or "data")
        self.path.write_bytes(content)


@dataclass(frozen=True)
class Choice:
    """What is to be measured.

    Attributes:
        task: Says how documents are cut and searched.
        judgments: `synthetic`, `feedback` or `file`, about the task's library; empty for an uploaded dataset.
        upload: The dataset, or the file of judgments.
        state: Changes when the library or its thumbs do.
    """

    task: str
    judgments: str = SYNTHETIC
    upload: Upload | None = None
    state: tuple[int, ...] = ()

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for choices of the same data."""
        return self.task, self.judgments, self.upload.digest if self.upload else "", self.state


def read(evaluations: Evaluations, choice: Choice) -> Dataset:
    """The chosen data; messages name an uploaded file without its folder.

    Raises:
        RagError: They are malformed or too few.
    """
    if choice.upload is None:
        return evaluations.from_index(choice.task, choice.judgments)
    path = choice.upload.path
    try:
        if choice.judgments:
            return evaluations.from_index(choice.task, str(path))
        return evaluations.from_path(path)
    except RagError as exc:
        raise RagError(str(exc).replace(f"{path.parent}/", "")) from exc


@dataclass(frozen=True)
class Preview:
    """What a run would be: its data, and the texts that have no vectors yet."""

    documents: int
    questions: int
    notes: tuple[str, ...]
    texts: int
    seconds: float


@st.cache_data(ttl=60, max_entries=32, show_spinner=False)
def preview(_evaluations: Evaluations, _choice: Choice, key: object, systems: tuple[str, ...]) -> Preview:
    """Read the data and ask what a run would have to embed."""
    del key
    data = read(_evaluations, _choice)
    cost = _evaluations.cost(data, _choice.task, systems)
    return Preview(len(data.documents), len(data.questions), data.notes, cost.texts, cost.seconds)


def start_run(choice: Choice, systems: tuple[str, ...]) -> None:
    """Measure in a job that goes on when the page is left."""
    evaluations = services().rag.evaluations

    def work(report: Callable[[Moment], None], cancel: threading.Event) -> Outcome:
        data = read(evaluations, choice)
        _, folder = evaluations.run(data, choice.task, systems, progress=report, cancel=cancel)
        return Outcome(folder)

    services().runs.start("Measuring", work)


def start_tuning(choice: Choice) -> None:
    """Choose by measurement in a job; what holds is used at once, so the index is rebuilt where it has to be."""
    rag = services().rag

    def work(report: Callable[[Moment], None], cancel: threading.Event) -> Outcome:
        data = read(rag.evaluations, choice)
        result, path = rag.evaluations.tune(data, choice.task, progress=report, cancel=cancel)
        if path is not None:
            _rebuild(rag, choice.task, report, cancel)
        return Outcome(None, tuple(result.words))

    services().runs.start("Choosing by measurement", work)


def start_return(task: str) -> None:
    """Go back to the shipped choice in a job, with the index that it needs."""
    rag = services().rag

    def work(report: Callable[[Moment], None], cancel: threading.Event) -> Outcome:
        rag.evaluations.forget_profile(task)
        _rebuild(rag, task, report, cancel)
        return Outcome()

    services().runs.start("Going back to the shipped choice", work)


def _rebuild(rag: Rag, task: str, report: Callable[[Moment], None], cancel: threading.Event) -> None:
    """Bring the index in line with the choice in force; one that is in line already stays."""
    from rag.evaluation import Progress

    def tell(moment: FileProgress) -> None:
        report(Progress("Rebuilding the index", moment.files_done, moment.files_total, moment.seconds_left))

    rag.reindex(task, tell, cancel)


def finished() -> Path | None:
    """The report of a run that ended since this session last asked."""
    seen = st.session_state.setdefault("runs_seen", set())
    done = [view for view in services().runs.views() if view.state is JobState.DONE and view.result is not None]
    fresh = [view.result.folder for view in done if view.id not in seen and view.result.folder is not None]
    seen |= {view.id for view in done}
    if fresh:
        preview.clear()
    return fresh[-1] if fresh else None


def show_runs() -> None:
    """Progress of what runs, refreshed by itself, and why something ended without a report."""
    if services().runs.active():
        _running()
    for view in services().runs.views():
        if not view.active and (view.state is not JobState.DONE or view.result.words):
            _ended(view)


@st.fragment(run_every=0.5)
def _running() -> None:
    for view in services().runs.views():
        if view.active:
            _progress(view)
    if not services().runs.active():
        st.rerun()


def _progress(view: JobView[Outcome, Moment]) -> None:
    stopping = view.state is JobState.STOPPING
    with st.container(border=True):
        left, right = st.columns([5, 1], vertical_alignment="center")
        left.html(f'<div class="rag-job">{escaped(view.title)}</div>')
        right.button(
            "Stop",
            key=f"stop-{view.id}",
            icon=":material/stop_circle:",
            disabled=stopping,
            on_click=services().runs.stop,
            args=(view.id,),
            width="stretch",
        )
        moment = view.progress
        if moment is None:
            st.progress(0.0, text="Waiting" if view.state is JobState.WAITING else "Reading the documents")
            return
        parts = [
            "Stopping after the current step" if stopping else moment.stage,
            f"{moment.done:,} of {moment.total:,}",
            f"{moment.rate:,.0f}/s" if moment.rate >= 1 else "",
            f"{duration(moment.seconds_left)} left" if moment.seconds_left is not None else "",
        ]
        share = min(1.0, moment.done / moment.total) if moment.total else 0.0
        st.progress(share, text=plain(" · ".join(part for part in parts if part)))


def _ended(view: JobView[Outcome, Moment]) -> None:
    with st.container(border=True):
        left, right = st.columns([6, 1], vertical_alignment="center")
        left.html(
            f'<span class="rag-job">{escaped(view.title)}</span> <span class="rag-note">{escaped(view.state)}</span>'
        )
        right.button("Dismiss", key=f"dismiss-{view.id}", on_click=services().runs.dismiss, args=(view.id,))
        if view.error:
            show_error(view.error)
        for words in view.result.words if view.result else ():
            st.markdown(f"- {plain(words)}")


@contextmanager
def told() -> Iterator[list[bool]]:
    """Show an expected error; the list is empty afterwards unless all went well."""
    well: list[bool] = []
    try:
        yield well
        well.append(True)
    except RagError as exc:
        show_error(str(exc))


def described(found: Preview) -> str:
    """The data and the cost in a sentence each."""
    data = f"{number(found.questions, 'question')} about {number(found.documents, 'document')}. "
    if not found.texts:
        return data + "All vectors are there: a run takes seconds."
    return (
        data
        + f"{number(found.texts, 'text')} without vectors yet, those of the other prompt modes included: about "
        + f"{duration(max(1.0, found.seconds))} to embed."
    )
