"""One parser process, and the conversation with it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from rag.errors import CancelledError, FileTooLargeError, ParserLimitError, ParserTimeError
from rag.loaders import readers
from rag.loaders.watch import Watch
from rag.loaders.wire import MAX_LINE, read_line
from rag.types import Document

_ROOT = Path(__file__).resolve().parents[2]
_START_SECONDS = 60.0
MAX_DOCUMENTS = 2_000_000
"""Documents that one file may hold."""


@dataclass(frozen=True, slots=True)
class Task:
    """A file to parse and its limits: seconds of waiting, bytes of output, and bytes when it is not streamed."""

    path: Path
    name: str
    seconds: float
    max_output: int
    max_bytes: int

    def line(self) -> bytes:
        """Write the request as one line."""
        request = {"path": str(self.path.absolute()), "name": self.name, "max_bytes": self.max_bytes}
        return json.dumps(request | {"seconds": self.seconds}).encode() + b"\n"


class Process:
    """One parser process and the conversation with it.

    Attributes:
        files: Number of files sent to it so far.
        ready: True when it has finished the last file and waits for the next.

    Args:
        memory_mb: Megabytes of memory that it may take.
    """

    def __init__(self, memory_mb: int) -> None:
        self.files = 0
        self.ready = True
        self._greeted = False
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-P", "-m", "rag.loaders.worker", str(memory_mb), *readers.__path__[1:]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # No setting and no key of this process: a parser of hostile files has no use for them.
            env={
                "PYTHONPATH": os.pathsep.join([str(_ROOT), *filter(None, sys.path)]),
                "PYTHONUTF8": "1",
                "PYTHONDONTWRITEBYTECODE": "1",
                "OMP_NUM_THREADS": "1",
                "OPENBLAS_NUM_THREADS": "1",
            },
        )

    def is_alive(self) -> bool:
        """True while it runs."""
        return self._process.poll() is None

    def documents(self, task: Task, stop: threading.Event | None) -> Iterator[Document]:
        """Have it parse a file; errors as in `LoaderPool.documents`."""
        self.files += 1
        self.ready = False
        stdin, stdout = self._pipes()
        if not self._greeted:  # a busy machine may take long to start a process, which is not the file's fault
            with Watch(self._process.kill, _START_SECONDS, stop) as watch:
                self._line(stdout, watch)
            self._greeted = True
        output = count = 0
        with Watch(self._process.kill, task.seconds, stop) as watch:
            with contextlib.suppress(BrokenPipeError):
                stdin.write(task.line())
                stdin.flush()
            while True:
                line = self._line(stdout, watch)
                self.ready = line.startswith((b'{"end"', b'{"error"'))
                document = read_line(line, task.name)
                if document is None:
                    return
                output, count = output + len(line), count + 1
                _check_output(output, count, task.max_output)
                yield document

    def _line(self, stdout: IO[bytes], watch: Watch) -> bytes:
        """Read a line.

        Raises:
            CancelledError: Nobody wants the rest.
            FileTooLargeError: The line is too long.
            ParserLimitError: It did not come in time, or the process ended.
        """
        with watch.waiting():
            line = stdout.readline(MAX_LINE)
        if line.endswith(b"\n"):
            return line
        if len(line) >= MAX_LINE:
            raise FileTooLargeError(f"One document of it takes more than {MAX_LINE >> 20} MB. Split the file.")
        self._process.wait()
        if watch.stopped:
            raise stopped()
        if watch.expired:
            raise ParserTimeError(
                f"Parsing took longer than {watch.seconds:g} seconds. Split the file, or raise RAG_PARSE_TIMEOUT."
            )
        raise ParserLimitError(
            f"The parser stopped with code {self._process.returncode}: the file is damaged, or it needs more memory "
            "than RAG_PARSE_MEMORY_MB allows."
        )

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


def _check_output(output: int, count: int, max_output: int) -> None:
    """Refuse a file that becomes more than one file may.

    Raises:
        FileTooLargeError: Too many bytes or documents.
    """
    if output > max_output:
        raise FileTooLargeError(f"It becomes more than {max_output >> 20} MB of text. Split the file.")
    if count > MAX_DOCUMENTS:
        raise FileTooLargeError(f"It holds more than {MAX_DOCUMENTS:,} documents. Split the file.")


def stopped() -> CancelledError:
    """Return the error for whoever asked a parser to stop."""
    return CancelledError("Stopped while a file was parsed.")
