"""Parse files in separate processes with limits on time, memory and output: a hang or a crash costs one file."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rag.loaders.process import Process, Task, stopped
from rag.loaders.registry import DEFAULT_MAX_BYTES, formats_by_extension
from rag.types import Document

if TYPE_CHECKING:
    from rag.settings import Settings

_FILES_PER_PROCESS = 500
_POLL_SECONDS = 0.1
MAX_OUTPUT = 256 << 20
"""Bytes that any file may become as documents; a large one may become `MAX_GROWTH` times its own size."""
MAX_GROWTH = 40


class LoaderPool:
    """Processes that parse files, started when needed and reused for the next file. Safe to use from many threads.

    Args:
        workers: Processes at most; more callers wait.
        timeout: Seconds that parsing `max_bytes` of a file may take; time in which the caller is busy does not count.
        memory_mb: Megabytes of memory that parsing one file may take.
        max_bytes: Largest file that is not streamed, in bytes.

    Raises:
        DuplicateNameError: Two readers claim one format or extension.
    """

    def __init__(
        self, workers: int = 1, timeout: float = 60.0, memory_mb: int = 2048, max_bytes: int = DEFAULT_MAX_BYTES
    ) -> None:
        formats_by_extension()  # a clash of readers is an error now, not at the first file
        self._timeout, self._memory_mb, self._max_bytes = timeout, memory_mb, max_bytes
        self._free = threading.BoundedSemaphore(max(1, workers))
        self._idle: list[Process] = []
        self._lock = threading.Lock()
        self._closed = False

    @classmethod
    def from_settings(cls, settings: Settings, workers: int) -> Self:
        """Make a pool with the limits that the settings name."""
        return cls(workers, settings.parse_timeout, settings.parse_memory_mb, settings.max_file_mb * 2**20)

    def documents(self, path: Path, name: str, stop: threading.Event | None = None) -> Iterator[Document]:
        """Parse a file as `load` does, in a process of its own.

        Args:
            path: Where the bytes are.
            name: What people call the file.
            stop: Set it to end the parser at once.

        Yields:
            Its documents.

        Raises:
            UnreadableFileError: Or one of its kinds, with the reason. Documents may have come before it.
            ParserLimitError: Parsing took too long or too much memory, or crashed.
            FileTooLargeError: It holds more documents or text than one file may.
            CancelledError: `stop` was set.
        """
        with self._turn(stop):
            process = self._take()
            finished = False
            try:
                yield from process.documents(self._task(path, name), stop)
                finished = True
            finally:
                self._give_back(process, finished)

    def _task(self, path: Path, name: str) -> Task:
        """Return the limits of a file: a streamed one may be large, and gets its time by its size."""
        try:
            size = path.stat().st_size
        except OSError:  # the parser says what is wrong with it
            size = 0
        seconds = self._timeout * max(1, -(-size // self._max_bytes))
        return Task(path, name, seconds, max(MAX_OUTPUT, MAX_GROWTH * size), self._max_bytes)

    @contextlib.contextmanager
    def _turn(self, stop: threading.Event | None) -> Iterator[None]:
        while not self._free.acquire(timeout=_POLL_SECONDS):
            if stop is not None and stop.is_set():
                raise stopped()
        try:
            yield
        finally:
            self._free.release()

    def close(self) -> None:
        """Stop idle processes now and busy ones when their file is done."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for process in idle:
            process.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _take(self) -> Process:
        with self._lock:
            while self._idle:
                process = self._idle.pop()
                if process.is_alive():
                    return process
                process.stop()
        return Process(self._memory_mb)

    def _give_back(self, process: Process, finished: bool) -> None:
        with self._lock:
            if (finished or process.ready) and not self._closed and process.files < _FILES_PER_PROCESS:
                self._idle.append(process)
                return
        process.stop()
