"""A process that parses files: requests come as lines of JSON on standard input, documents go out on standard output.

Started by `LoaderPool` as `python -m rag.loaders.worker SECONDS MEGABYTES [FOLDER ...]`; the folders hold readers that
are not in `rag.loaders.readers` itself.
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


def main(seconds: float, megabytes: int, folders: Sequence[str] = ()) -> None:
    """Serve requests until standard input ends.

    Args:
        seconds: CPU time that one file may take.
        megabytes: Address space of the process.
        folders: Where further readers are.
    """
    readers.__path__.extend(folders)
    _limit_memory(megabytes)
    answers = _private_output()
    sys.excepthook = lambda _, error, __: _send(answers, failure_line(error))
    for line in sys.stdin.buffer:
        request = json.loads(line)
        _limit_time(seconds)
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


def _limit_memory(megabytes: int) -> None:
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _limit_time(seconds: float) -> None:
    """Let the system end this process after so much CPU time; 0 means never.

    The pool watches the clock too, but it may be gone when a parser hangs.
    """
    if sys.platform == "win32":
        return
    import signal

    signal.setitimer(signal.ITIMER_PROF, seconds)


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
