"""Parse files in separate processes with limits on time and memory, so that a hang or a crash costs one file."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Self

from rag.errors import ParserLimitError, ParserTimeError
from rag.loaders import readers
from rag.loaders.registry import DEFAULT_MAX_BYTES, detect, formats_by_extension, load
from rag.loaders.wire import read_line
from rag.types import Document

if TYPE_CHECKING:
    from rag.settings import Settings

_ROOT = Path(__file__).resolve().parents[2]
_FILES_PER_PROCESS = 500
_GRACE = 2.0


class LoaderPool:
    """Processes that parse files, started when needed and reused for the next file. Safe to use from many threads.

    Args:
        workers: Processes at most; more callers wait.
        timeout: Seconds that parsing one file may take; time in which the caller is busy does not count.
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
        self._idle: list[_Process] = []
        self._lock = threading.Lock()
        self._closed = False

    @classmethod
    def from_settings(cls, settings: Settings, workers: int) -> Self:
        """Make a pool with the limits that the settings name."""
        return cls(workers, settings.parse_timeout, settings.parse_memory_mb, settings.max_file_mb * 2**20)

    def documents(self, path: Path, name: str) -> Iterator[Document]:
        """Parse a file as `load` does, in a process of its own unless its format cannot hang.

        Yields:
            Its documents.

        Raises:
            UnreadableFileError: Or one of its kinds, with the reason. Documents may have come before it.
            ParserLimitError: Parsing took too long or too much memory, or crashed.
        """
        entry = detect(path, name)
        if entry.in_process:
            yield from load(path, name, max_bytes=self._max_bytes)
            return
        with self._free:
            process = self._take()
            finished = False
            try:
                yield from process.documents(path, name, self._max_bytes)
                finished = True
            finally:
                self._give_back(process, finished)

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

    def _take(self) -> _Process:
        with self._lock:
            while self._idle:
                process = self._idle.pop()
                if process.is_alive():
                    return process
                process.stop()
        return _Process(self._timeout, self._memory_mb)

    def _give_back(self, process: _Process, finished: bool) -> None:
        with self._lock:
            if (finished or process.ready) and not self._closed and process.files < _FILES_PER_PROCESS:
                self._idle.append(process)
                return
        process.stop()


class _Process:
    """One parser process and the conversation with it.

    Attributes:
        files: Number of files sent to it so far.
        ready: True when it has finished the last file and waits for the next.
    """

    def __init__(self, timeout: float, memory_mb: int) -> None:
        self.files = 0
        self.ready = True
        self._timeout = timeout
        self._expired = threading.Event()
        arguments = [str(timeout + _GRACE), str(memory_mb), *readers.__path__[1:]]
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-P", "-m", "rag.loaders.worker", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # No setting and no key of this process: a parser of hostile files has no use for them.
            env={
                "PYTHONPATH": os.pathsep.join([str(_ROOT), *filter(None, sys.path)]),
                "PYTHONUTF8": "1",
                "OMP_NUM_THREADS": "1",
                "OPENBLAS_NUM_THREADS": "1",
            },
        )

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def documents(self, path: Path, name: str, max_bytes: int) -> Iterator[Document]:
        request = {"path": str(path.absolute()), "name": name, "max_bytes": max_bytes}
        self.files += 1
        self.ready = False
        stdin, stdout = self._pipes()
        with contextlib.suppress(BrokenPipeError):
            stdin.write(json.dumps(request).encode() + b"\n")
            stdin.flush()
        remaining = self._timeout
        while True:
            began = time.monotonic()
            line = self._read(stdout, remaining)
            remaining -= time.monotonic() - began
            self.ready = line.startswith((b'{"end"', b'{"error"'))
            document = read_line(line, name)
            if document is None:
                return
            yield document

    def _read(self, stdout: IO[bytes], seconds: float) -> bytes:
        """Read the next line.

        Raises:
            ParserLimitError: It does not come in time, or the process ended.
        """
        timer = threading.Timer(max(seconds, 0.0), self._expire)
        timer.start()
        try:
            line = stdout.readline()
        finally:
            timer.cancel()
        if line.endswith(b"\n"):
            return line
        self._process.wait()
        if self._expired.is_set():
            raise ParserTimeError(
                f"Parsing took longer than {self._timeout:g} seconds. Split the file, or raise RAG_PARSE_TIMEOUT."
            )
        raise ParserLimitError(
            f"The parser stopped with code {self._process.returncode}: the file is damaged, or it needs more memory "
            "than RAG_PARSE_MEMORY_MB allows."
        )

    def _expire(self) -> None:
        self._expired.set()
        self._process.kill()

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise ParserLimitError("The parser process has no pipes.")
        return stdin, stdout

    def stop(self) -> None:
        """End the process at once; it holds nothing that could be lost."""
        self._process.kill()
        for pipe in self._pipes():
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
        self._process.wait()
