"""Long work in the background: it outlives the page that started it, shows how far it is, and can be stopped."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Generic, TypeVar

from rag.errors import CancelledError, RagError
from rag.jobs.progress import OnProgress, Progress

T = TypeVar("T")
Work = Callable[[OnProgress, threading.Event], T]
"""Work takes a callback for its progress and the event that asks it to stop, and returns its result."""

REMEMBERED = 20
"""How many jobs stay in view; the oldest that have ended go first."""

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
class JobView(Generic[T]):
    """A job at one moment.

    Attributes:
        id: Unique among all jobs.
        title: What the job does, for people.
        queue: Name of the queue that it takes turns in.
        state: Where it stands.
        progress: The last report, or None before the first.
        result: What the work returned, once it is done.
        error: Message for people when it failed.
        ended: Seconds since 1970, 0 while it runs.
    """

    id: str
    title: str
    queue: str
    state: JobState
    progress: Progress | None = None
    result: T | None = None
    error: str = ""
    ended: float = 0.0

    @property
    def active(self) -> bool:
        """True while it waits or works."""
        return self.state in (JobState.WAITING, JobState.RUNNING, JobState.STOPPING)


@dataclass(slots=True)
class _Job(Generic[T]):
    """A job inside the registry: its present view and the event that stops it."""

    view: JobView[T]
    cancel: threading.Event


class Jobs(Generic[T]):
    """Runs jobs in threads, those of one queue one after the other. Safe to call from many threads.

    Their work returns a `T`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turns: dict[str, threading.Lock] = defaultdict(threading.Lock)
        self._jobs: dict[str, _Job[T]] = {}

    def start(self, title: str, work: Work[T], queue: str = "") -> str:
        """Put work into a queue and return the job's id at once."""
        view: JobView[T] = JobView(uuid.uuid4().hex, title, queue, JobState.WAITING)
        job = _Job(view, threading.Event())
        with self._lock:
            self._forget_oldest()
            self._jobs[view.id] = job
            turn = self._turns[queue]
        name = f"job-{view.id[:8]}"
        threading.Thread(target=self._run, args=(job, work, turn), name=name, daemon=True).start()
        return view.id

    def stop(self, job_id: str) -> None:
        """Ask a job to stop after its current step; one that waits never starts."""
        with self._lock:
            job = self._jobs.get(job_id)
            if job is not None and job.view.active:
                job.cancel.set()
                job.view = replace(job.view, state=JobState.STOPPING)

    def dismiss(self, job_id: str) -> None:
        """Forget a job that has ended."""
        with self._lock:
            if job_id in self._jobs and not self._jobs[job_id].view.active:
                del self._jobs[job_id]

    def views(self, *queues: str) -> list[JobView[T]]:
        """Return the remembered jobs of some queues, or of all, oldest first."""
        with self._lock:
            return [job.view for job in self._jobs.values() if not queues or job.view.queue in queues]

    def active(self, *queues: str) -> bool:
        """True while a job of one of these queues, or of any, waits or works."""
        return any(view.active for view in self.views(*queues))

    def _run(self, job: _Job[T], work: Work[T], turn: threading.Lock) -> None:
        with turn:
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

    def _work(self, job: _Job[T], work: Work[T]) -> T:
        if job.cancel.is_set():
            raise CancelledError("Stopped before it began.")
        self._change(job, state=JobState.RUNNING)
        return work(lambda progress: self._change(job, progress=progress), job.cancel)

    def _end(self, job: _Job[T], state: JobState, result: T | None = None, error: str = "") -> None:
        self._change(job, state=state, result=result, error=error, ended=time.time())

    def _change(self, job: _Job[T], **changes: Any) -> None:
        with self._lock:
            # a stop that came between the check and the start must stay in view
            if changes.get("state") is JobState.RUNNING and job.cancel.is_set():
                return
            job.view = replace(job.view, **changes)

    def _forget_oldest(self) -> None:
        """Make room for one more job; those that still work stay whatever their number."""
        ended = [job_id for job_id, job in self._jobs.items() if not job.view.active]
        for job_id in ended[: max(0, len(self._jobs) - REMEMBERED + 1)]:
            del self._jobs[job_id]
