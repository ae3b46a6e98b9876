"""Long work in the background: it outlives the page that started it, shows how far it is, and can be stopped."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Generic, TypeVar

from rag.errors import CancelledError, RagError

T = TypeVar("T")
P = TypeVar("P")
Work = Callable[[Callable[[P], None], threading.Event], T]
"""Work takes a callback for its progress and the event that asks it to stop, and returns its result."""

_KEPT = 20
_LOG = logging.getLogger(__name__)


class JobState(StrEnum):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    STOPPING = "stopping"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class JobView(Generic[T, P]):
    """A job at one moment.

    Attributes:
        names: The files it was given, in order.
        progress: The last report, or None before the first.
        result: What the work returned, once it is done.
        error: Message for people when it failed.
        ended: Seconds since 1970, 0 while it runs.
    """

    id: str
    title: str
    names: tuple[str, ...]
    state: JobState
    progress: P | None = None
    result: T | None = None
    error: str = ""
    ended: float = 0.0

    @property
    def active(self) -> bool:
        """Whether it waits or works."""
        return self.state in (JobState.WAITING, JobState.RUNNING, JobState.STOPPING)


@dataclass(slots=True)
class Job(Generic[T, P]):
    """A job inside the registry: its view of now and the event that stops it."""

    view: JobView[T, P]
    cancel: threading.Event


class Jobs(Generic[T, P]):
    """Runs jobs one after the other, each in its own thread. Safe to call from many threads.

    They return a `T` and report their progress as a `P`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self._jobs: dict[str, Job[T, P]] = {}

    def start(self, title: str, work: Work[P, T], names: tuple[str, ...] = ()) -> str:
        """Queue work and return its id at once."""
        name = uuid.uuid4().hex
        view: JobView[T, P] = JobView(name, title, names, JobState.WAITING)
        job = Job(view, threading.Event())
        with self._lock:
            self._forget()
            self._jobs[name] = job
        threading.Thread(target=self._run, args=(job, work), name=f"job-{name[:8]}", daemon=True).start()
        return name

    def stop(self, job: str) -> None:
        """Ask a job to stop after its current step; one that waits never starts."""
        with self._lock:
            found = self._jobs.get(job)
            if found is not None and found.view.active:
                found.cancel.set()
                found.view = replace(found.view, state=JobState.STOPPING)

    def dismiss(self, job: str) -> None:
        """Forget a job that has ended."""
        with self._lock:
            if job in self._jobs and not self._jobs[job].view.active:
                del self._jobs[job]

    def views(self) -> list[JobView[T, P]]:
        """All remembered jobs, oldest first."""
        with self._lock:
            return [job.view for job in self._jobs.values()]

    def active(self) -> bool:
        """Whether any job waits or works."""
        return any(view.active for view in self.views())

    def _run(self, job: Job[T, P], work: Work[P, T]) -> None:
        with self._turn:
            try:
                result = self._work(job, work)
            except CancelledError:
                self._end(job, JobState.STOPPED)
            except RagError as exc:
                self._end(job, JobState.FAILED, error=str(exc))
            except Exception as exc:  # noqa: BLE001 - the outermost shell of a thread: people must see that it ended
                _LOG.exception("Job failed")
                self._end(job, JobState.FAILED, error=f"{type(exc).__name__}: {exc}")
            else:
                self._end(job, JobState.STOPPED if job.cancel.is_set() else JobState.DONE, result=result)

    def _work(self, job: Job[T, P], work: Work[P, T]) -> T:
        if job.cancel.is_set():
            raise CancelledError("Stopped before it began.")
        self._change(job, state=JobState.RUNNING)
        return work(lambda progress: self._change(job, progress=progress), job.cancel)

    def _end(self, job: Job[T, P], state: JobState, result: T | None = None, error: str = "") -> None:
        self._change(job, state=state, result=result, error=error, ended=time.time())

    def _change(self, job: Job[T, P], **changes: Any) -> None:
        with self._lock:
            if changes.get("state") is JobState.RUNNING and job.cancel.is_set():
                return
            job.view = replace(job.view, **changes)

    def _forget(self) -> None:
        ended = [name for name, job in self._jobs.items() if not job.view.active]
        for name in ended[: max(0, len(self._jobs) - _KEPT + 1)]:
            del self._jobs[name]
