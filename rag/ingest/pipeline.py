"""Read, embed and write at the same time, with bounded queues in between.

    jobs -> reader threads (parse, chunk) -> the calling thread (look up, embed) -> writer thread (points, commits)

The calling thread owns the model and reports progress. Whatever stops it stops the threads; what was committed stays.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field, replace

from rag.catalog import Finished
from rag.index import point_id
from rag.ingest.channel import Channel, HaltedError
from rag.ingest.reading import End, Job, Piece, Reader
from rag.ingest.vectors import Vectoriser, content_hash
from rag.ingest.writing import Batch, Writer
from rag.retrieval.analyser import terms_of
from rag.types import Payload, Point

WINDOW_INPUTS = 256
"""Texts that are looked up, ordered by length and written together."""
_READ_AHEAD = 64
_WRITE_BEHIND = 4


class _Jobs:
    """Hands out jobs to many threads, one at a time."""

    def __init__(self, jobs: Iterable[Job]) -> None:
        self._jobs = iter(jobs)
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[Job]:
        while True:
            with self._lock:
                job = next(self._jobs, None)
            if job is None:
                return
            yield job


@dataclass(slots=True)
class _Tally:
    """What one job took so far."""

    documents: int = 0
    chunks: int = 0
    embedded: int = 0


@dataclass(slots=True)
class Pipeline:
    """One run over some jobs of one workspace.

    Args:
        key: `vector_key` of the recipe.
        threads: Reader threads.
        tick: Called in the calling thread whenever something was done or waited for; it may raise to stop.

    Attributes:
        name: File that was worked on last.
        embedded: Chunks that went through the model.
        reused: Chunks whose vectors existed.
        chars: Characters of documents that were embedded, by version, while the version is not finished.
        read_seconds: Time in reader threads, added up.
        wait_seconds: Time in which the model had nothing to do.
    """

    reader: Reader
    vectoriser: Vectoriser
    writer: Writer
    key: str
    threads: int
    tick: Callable[[], None]
    name: str = ""
    embedded: int = 0
    reused: int = 0
    read_seconds: float = 0.0
    wait_seconds: float = 0.0
    chars: dict[str, int] = field(default_factory=dict)
    _tallies: dict[str, _Tally] = field(default_factory=dict)
    _pieces: Channel[Piece | End] = field(default_factory=lambda: Channel(_READ_AHEAD))
    _batches: Channel[Batch] = field(default_factory=lambda: Channel(_WRITE_BEHIND))

    def run(self, jobs: Iterable[Job]) -> None:
        """Work until all jobs have ended. What is embedded when it has to stop is still written.

        Raises:
            CancelledError: `tick` raised it.
            RagError: The model, the index or the catalog failed.
        """
        shared = _Jobs(jobs)
        pool = ThreadPoolExecutor(self.threads + 1, thread_name_prefix="ingest")
        threads = [pool.submit(self._write), *(pool.submit(self._read, shared) for _ in range(self.threads))]
        threads[0].add_done_callback(lambda _: self._batches.halt.set())
        for thread in threads:
            thread.add_done_callback(self._stop_reading_if_failed)
        try:
            with suppress(HaltedError):
                for window in self._windows():
                    self._batches.put(self._embed(window))
                    self.tick()
        finally:
            self._pieces.halt.set()
            with suppress(HaltedError):
                self._batches.put(None)
            pool.shutdown(wait=False, cancel_futures=True)  # a parser that still runs is not waited for
            wait(threads[:1])
        _raise_first(threads)

    def _stop_reading_if_failed(self, thread: Future[None]) -> None:
        """Called when the failure can be seen, so that whoever stops because of it finds it."""
        if not thread.cancelled() and thread.exception() is not None:
            self._pieces.halt.set()

    def _read(self, jobs: _Jobs) -> None:
        for job in jobs:
            started = time.perf_counter()
            for piece in self.reader.read(job):
                self.read_seconds += time.perf_counter() - started
                self._pieces.put(piece)
                started = time.perf_counter()
        self._pieces.put(None)

    def _write(self) -> None:
        self.writer.run(self._batches)

    def _windows(self) -> Iterator[list[Piece | End]]:
        """What has been read, a window at a time; less than a window when the model would wait for more."""
        window: list[Piece | End] = []
        inputs, reading = 0, self.threads
        while reading:
            started = time.perf_counter()
            item = self._pieces.get(self.tick)
            self.wait_seconds += time.perf_counter() - started
            if item is None:
                reading -= 1
            else:
                window.append(item)
                inputs += sum(len(chunk.inputs) for chunk in item.chunks) if isinstance(item, Piece) else 0
            if window and (inputs >= WINDOW_INPUTS or not reading or self._pieces.empty()):
                yield window
                window, inputs = [], 0

    def _embed(self, window: list[Piece | End]) -> Batch:
        points = [self._points(piece) if isinstance(piece, Piece) else [] for piece in window]
        wanted = {point.payload.content: point.payload.chunk.inputs for made in points for point in made}
        vectors, embedded = self.vectoriser(wanted)
        batch = Batch()
        for item, made in zip(window, points, strict=True):
            self.name = item.job.version.name
            if isinstance(item, End):
                self._end(batch, item)
                continue
            self._count(batch, item, made, embedded)
            batch.points += [replace(point, vectors=vectors[point.payload.content]) for point in made]
        return batch

    def _points(self, piece: Piece) -> list[Point]:
        """The points of a piece, without vectors yet."""
        version, document = piece.job.version, piece.document
        common = (version.name, document.key, document.title, document.media_type, document.language)
        workspace, analyser = self.writer.workspace.workspace, self.reader.task.mix.analyser
        payloads = (
            Payload(workspace, version.id, document.id, content_hash(self.key, chunk.inputs), *common, chunk)
            for chunk in piece.chunks
        )
        return [
            Point(
                point_id(version.id, document.id, payload.chunk.ordinal),
                {},
                payload,
                " ".join(terms_of(payload, analyser)),
            )
            for payload in payloads
        ]

    def _count(self, batch: Batch, piece: Piece, points: list[Point], embedded: set[str]) -> None:
        """Count a piece for its job; of equal chunks the first one counts as embedded, the others as reused."""
        version = piece.job.version
        if version.id not in self._tallies:
            self._tallies[version.id] = _Tally()
            batch.started.append(version)
        tally = self._tallies[version.id]
        fresh = {point.payload.content for point in points} & embedded
        embedded -= fresh
        tally.chunks += len(points)
        tally.embedded += len(fresh)
        self.embedded += len(fresh)
        self.reused += len(points) - len(fresh)
        self.chars[version.id] = self.chars.get(version.id, 0) + sum(len(p.payload.chunk.text) for p in points)
        if piece.last:
            tally.documents += 1
            batch.documents.append(piece.document)

    def _end(self, batch: Batch, end: End) -> None:
        version = end.job.version.id
        tally = self._tallies.pop(version, None)
        self.chars.pop(version, None)
        if end.kind or tally is None:
            batch.failed.append((end, tally is not None))
        else:
            reused = tally.chunks - tally.embedded
            batch.finished.append((end.job, Finished(version, tally.documents, tally.chunks, tally.embedded, reused)))


def _raise_first(threads: list[Future[None]]) -> None:
    for thread in threads:
        error = thread.exception() if thread.done() and not thread.cancelled() else None
        if error is not None and not isinstance(error, HaltedError):
            raise error
