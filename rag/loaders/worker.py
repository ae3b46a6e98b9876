"""A process that parses files: requests come as lines of JSON on standard input, documents go out on standard output.

A line goes out when it is ready for the first request.

Started by `LoaderPool` as `python -m rag.loaders.worker MEGABYTES [FOLDER ...]`; the folders hold readers that are not
in `rag.loaders.readers` itself.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from rag.errors import ParserMemoryError, UnreadableFileError
from rag.loaders import readers
from rag.loaders.registry import load
from rag.loaders.wire import END, document_line, error_line, failure_line

_GRACE_SECONDS = 2.0
_OPEN_FILES = 256


def main(megabytes: int, folders: Sequence[str] = ()) -> None:
    """Serve requests until standard input ends.

    Args:
        megabytes: Address space of the process.
        folders: Where further readers are.
    """
    readers.__path__.extend(folders)
    _limit_resources(megabytes)
    answers = _private_output()
    sys.excepthook = lambda _, error, __: _send(answers, failure_line(error))
    _send(answers, END)
    for line in sys.stdin.buffer:
        request = json.loads(line)
        _limit_time(request["seconds"] + _GRACE_SECONDS)
        _answer(Path(request["path"]), request["name"], request["max_bytes"], answers)
        _limit_time(0)


def _answer(path: Path, name: str, max_bytes: int, answers: BinaryIO) -> None:
    try:
        for document in load(path, name, max_bytes=max_bytes):
            answers.write(document_line(document))
        answers.write(END)
    except UnreadableFileError as error:
        answers.write(error_line(error))
    except MemoryError:
        reason = "The parser ran out of memory. Split the file, or raise RAG_PARSE_MEMORY_MB."
        answers.write(error_line(ParserMemoryError(reason)))
    answers.flush()


def _send(answers: BinaryIO, line: bytes) -> None:
    answers.write(line)
    answers.flush()


def _private_output() -> BinaryIO:
    """Keep standard output for answers alone: what libraries print goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _limit_resources(megabytes: int) -> None:
    """Take from this process what a parser has no use for: more memory, files to write, and other processes.

    The system exempts its administrator from the limit on processes.
    """
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
    for limit, value in (("CORE", 0), ("FSIZE", 0), ("NPROC", 0), ("NOFILE", _OPEN_FILES)):
        number = getattr(resource, f"RLIMIT_{limit}", None)
        if number is not None:
            resource.setrlimit(number, (value, value))


def _limit_time(seconds: float) -> None:
    """Let the system end this process after so much CPU time; 0 means never.

    The pool watches the clock too, but it may be gone when a parser hangs.
    """
    if sys.platform == "win32":
        return
    import signal

    signal.setitimer(signal.ITIMER_PROF, seconds)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
