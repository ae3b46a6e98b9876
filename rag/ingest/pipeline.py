"""Read, embed and write at the same time, with bounded queues in between.

    jobs -> reader threads (parse, chunk) -> the calling thread (look up, embed) -> writer thread (points, commits)

The calling thread owns the model and reports progress. Whatever stops it stops the threads; what was committed stays.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from rag.catalog import Originals
from rag.errors import CancelledError, RagError
from rag.ingest.indexes import IndexInForce
from rag.ingest.reading import End, Parser, Piece, Reader, VersionJob
from rag.ingest.report import RunOutcome
from rag.ingest.storing import Batch, Writer
from rag.ingest.vectors import Vectoriser
from rag.jobs import Meter
from rag.types import KnownVectors

WINDOW_INPUTS = 256
"""Texts that are looked up, ordered by length and written together."""
_READ_AHEAD = 64
_WRITE_BEHIND = 4
_POLL_SECONDS = 0.2
_TICK_SECONDS = 0.05
"""Least time between two looks at progress and cancellation: a window of vectors that exist takes less."""

T = TypeVar("T")


class HaltedError(Exception):
    """Another thread failed or was stopped; whoever gets this ends quietly."""


class Channel(Generic[T]):
    """A bounded queue between threads, whose waits end when it is halted. None marks the end of one sender.

    Args:
        size: Most items that wait.

    Attributes:
        halt: Set it to end every wait.
    """

    def __init__(self, size: int) -> None:
        self._queue: queue.Queue[T | None] = queue.Queue(size)
        self.halt = threading.Event()

    def put(self, item: T | None) -> None:
        """Add an item, when there is room.

        Raises:
            HaltedError: The channel was halted.
        """
        while not self.halt.is_set():
            with suppress(queue.Full):
                return self._queue.put(item, timeout=_POLL_SECONDS)
        raise HaltedError

    def get(self, tick: Callable[[], None] | None = None) -> T | None:
        """Return the next item, when there is one; `tick` is called now and then while there is none.

        Raises:
            HaltedError: The channel was halted.
        """
        while not self.halt.is_set():
            try:
                return self._queue.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                if tick is not None:
                    tick()
        raise HaltedError

    def empty(self) -> bool:
        """True when nothing waits at the moment."""
        return self._queue.empty()


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Builds versions in an index.

    Attributes:
        threads: Files that are read at the same time.
    """

    parser: Parser
    originals: Originals
    threads: int

    def run(
        self,
        jobs: Sequence[VersionJob],
        target: IndexInForce,
        writer: Writer,
        meter: Meter,
        known: Sequence[KnownVectors] = (),
    ) -> RunOutcome:
        """Build versions of one workspace.

        A model, index or catalog that fails, and a cancelled work, end the run early; the outcome has the error.
        The meter counts files as steps by their bytes, and chunks as smaller units, on top of what it counts already.

        Args:
            jobs: The versions.
            target: The index, and what is in force for it.
            writer: Writes to that index and to the workspace.
            meter: Counts, reports, and stops the work when it was cancelled.
            known: What else may hold vectors already.
        """
        if not jobs:
            return RunOutcome()
        reader = Reader(self.parser, self.originals, target)
        vectoriser = Vectoriser(target, known, writer.workspace.workspace)
        return _Run(jobs, reader, vectoriser, writer, meter).run(self.threads)


class _Run:
    """The state of one run: counts of what is under way, and the queues between its threads."""

    def __init__(
        self, jobs: Sequence[VersionJob], reader: Reader, vectoriser: Vectoriser, writer: Writer, meter: Meter
    ) -> None:
        self._jobs = deque(jobs)
        self._reader, self._vectoriser, self._writer, self._meter = reader, vectoriser, writer, meter
        self._before = meter.done, meter.weight, meter.work
        self._pieces: Channel[Piece | End] = Channel(_READ_AHEAD)
        self._batches: Channel[Batch] = Channel(_WRITE_BEHIND)
        self._read_seconds = self._wait_seconds = 0.0
        self._ticked = time.monotonic()

    def run(self, threads: int) -> RunOutcome:
        started = time.perf_counter()
        error: RagError | None = None
        try:
            self._work(threads)
        except RagError as exc:
            error = exc
        done, weight, chunks = self._so_far()
        writer, vectoriser = self._writer, self._vectoriser
        self._meter.settle(done, weight=weight, work=chunks, item=vectoriser.name)
        seconds = {
            "pipeline": time.perf_counter() - started,
            "embed": vectoriser.embed_seconds,
            "lookup": vectoriser.lookup_seconds,
            "wait": self._wait_seconds,
            "read": self._read_seconds,
            "write": writer.seconds,
        }
        counts = writer.chunks, vectoriser.embedded, vectoriser.reused
        return RunOutcome(writer.done, writer.failed, *counts, seconds, error)

    def _work(self, threads: int) -> None:
        """Work until all jobs have ended. What is embedded when it has to stop is still written."""
        pool = ThreadPoolExecutor(threads + 1, thread_name_prefix="ingest")
        futures = [pool.submit(self._write), *(pool.submit(self._read) for _ in range(threads))]
        futures[0].add_done_callback(lambda _: self._batches.halt.set())
        for future in futures:
            future.add_done_callback(self._stop_reading_if_failed)
        try:
            with suppress(HaltedError):
                for window in self._windows(threads):
                    self._batches.put(self._vectoriser.batch(window, self._tick))
                    self._tick()
        finally:
            self._pieces.halt.set()
            with suppress(HaltedError):
                self._batches.put(None)
            pool.shutdown(wait=False, cancel_futures=True)  # a parser that still runs is not waited for
            wait(futures[:1])
        _raise_first(futures)

    def _stop_reading_if_failed(self, thread: Future[None]) -> None:
        # A callback, as the failure can be seen by then: whoever stops because of it knows the reason.
        if not thread.cancelled() and thread.exception() is not None:
            self._pieces.halt.set()

    def _read(self) -> None:
        while self._jobs:
            try:
                job = self._jobs.popleft()
            except IndexError:  # another thread took the last one
                break
            started = time.perf_counter()
            try:
                for piece in self._reader.read(job, self._pieces.halt):
                    self._read_seconds += time.perf_counter() - started
                    self._pieces.put(piece)
                    started = time.perf_counter()
            except CancelledError as exc:  # whoever halted the channel knows why
                raise HaltedError from exc
        self._pieces.put(None)

    def _write(self) -> None:
        while (batch := self._batches.get()) is not None:
            self._writer.write(batch)

    def _windows(self, reading: int) -> Iterator[list[Piece | End]]:
        """Yield what has been read, a window at a time; less than a window when the model would wait for more."""
        window: list[Piece | End] = []
        inputs = 0
        while reading:
            started = time.perf_counter()
            item = self._pieces.get(self._tick)
            self._wait_seconds += time.perf_counter() - started
            if item is None:
                reading -= 1
            else:
                window.append(item)
                inputs += sum([len(chunk.inputs) for chunk in item.chunks]) if isinstance(item, Piece) else 0
            if window and (inputs >= WINDOW_INPUTS or not reading or self._pieces.empty()):
                yield window
                window, inputs = [], 0

    def _tick(self) -> None:
        """Report how far the run is, and stop it when the work was cancelled, unless that was just done."""
        now = time.monotonic()
        if now < self._ticked + _TICK_SECONDS:
            return
        self._ticked = now
        done, weight, chunks = self._so_far()
        self._meter.update(done, weight=weight, work=chunks, item=self._vectoriser.name)

    def _so_far(self) -> tuple[int, float, int]:
        """Files that have ended, their bytes with those of files begun, and chunks written."""
        files, weight, chunks = self._before
        writer = self._writer
        weight += writer.ended_bytes + self._vectoriser.begun_bytes
        return files + len(writer.done) + len(writer.failed), weight, chunks + writer.chunks


def _raise_first(threads: Sequence[Future[None]]) -> None:
    for thread in threads:
        error = thread.exception() if thread.done() and not thread.cancelled() else None
        if error is not None and not isinstance(error, HaltedError):
            raise error
