"""Reads the bytes of the whole data folder for words of what was deleted, and looks how the index grows by updates."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from bench.trust.spec import Figure, Row
from rag import Rag
from rag.index.edge.copying import stretches
from rag.retrieval.request import Request
from rag.settings import load_settings

_AFTER = 2.0
"""RAG_ERASE_AFTER for the attack, in seconds; 60 is the default."""
_PATIENCE = 60.0
_MOST_GROWTH = 2.0
_WORD = re.compile(rb"zq(\d+)zq|z\0q\0((?:\d\0)+)z\0q\0")
"""The words to look for, in UTF-8 and in UTF-16; each has a number."""
_KILLED = """
import os, signal, sys
from pathlib import Path
from rag import Rag
from rag.settings import load_settings
rag = Rag(load_settings(data_dir=Path(sys.argv[1])))
rag.ingest_uploads([("killed.md", b"# zq900000zq\\n\\nThe word is zq900000zq.")], "qa")
rag.delete(["killed.md"])
os.kill(os.getpid(), signal.SIGKILL)
"""


@dataclass
class _Asker:
    """Searches all the time, and remembers what went wrong and how long the slowest search took."""

    rag: Rag
    errors: list[str] = field(default_factory=list)
    slowest: float = 0.0
    searches: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self.stop.wait(0.05):
            started = time.perf_counter()
            try:
                hits = self.rag.search("What stays in the garden?").hits
            except Exception as exc:  # noqa: BLE001 - whatever it is, the row is broken
                self.errors.append(f"{type(exc).__name__}: {exc}")
                continue
            self.slowest = max(self.slowest, time.perf_counter() - started)
            self.searches += 1
            if "garden.md" not in {hit.payload.name for hit in hits}:
                self.errors.append("the document that stays was not found")


def _measure(full: bool) -> Figure:
    files, updates = (200, 60) if full else (12, 20)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        rag = Rag(load_settings(data_dir=data, erase_after=_AFTER))
        rag.ingest_uploads([("garden.md", b"# Garden\n\nThe green gate stays in the garden.")], "qa")
        growth = _growth(rag, data, updates)
        _write_and_delete(rag, files)
        before = len(_readable(data))
        asker = _Asker(rag)
        thread = threading.Thread(target=asker.run, daemon=True)
        thread.start()
        seconds, words = _wait(data)
        asker.stop.set()
        thread.join()
        rag.close()
        if full:
            words += _after_a_kill(data)
    text = (
        f"{len(words)} of {before} deleted or replaced words readable {seconds:.0f} s after the last deletion "
        f"(RAG_ERASE_AFTER={_AFTER:g}){', and after a kill' if full else ''}; index {growth:.2f} times its size after "
        f"{updates} updates; {len(asker.errors)} errors in {asker.searches} searches meanwhile, the slowest "
        f"{1000 * asker.slowest:.0f} ms"
    )
    return Figure(text, before > files and not words and not asker.errors and growth <= _MOST_GROWTH)


def _growth(rag: Rag, data: Path, updates: int) -> float:
    """Return how many times as large the index is after so many updates of a small file."""
    filling = " ".join(f"word{number}" for number in range(300))
    for number in range(updates + 1):
        rag.ingest_uploads([("small.md", f"# Small\n\nVersion zq{number}zq.\n\n{filling}".encode())], "qa")
        if number == 0:
            first = _allocated(data / "index")
    rag.erase()
    readable = _readable(data) - {updates}
    return _allocated(data / "index") / first if not readable else float("inf")


def _write_and_delete(rag: Rag, files: int) -> None:
    """Add files, each with a word of its own, replace a half of them, delete the others, and a conversation."""
    numbers = range(100_000, 100_000 + files)
    texts = {f"zq{n}zq.md": f"# Title zq{n}zq\n\nThe word zq{n}zq is in this file only." for n in numbers}
    replaced = list(texts)[: files // 2]
    rag.ingest_uploads([(name, text.encode()) for name, text in texts.items()], "qa")
    conversation = rag.new_conversation()
    list(rag.ask(Request("What is zq800000zq?", conversation=conversation)))
    rag.delete_conversation(conversation)
    rag.ingest_uploads([(name, b"# Other\n\nNothing to see here: " + name.encode()[2:8]) for name in replaced], "qa")
    rag.delete(list(texts), "qa")
    rag.delete(["small.md"], "qa")


def _wait(data: Path) -> tuple[float, list[int]]:
    """Return after how many seconds no word could be read, and those that still could when patience ended."""
    started = time.monotonic()
    while True:
        words = sorted(_readable(data))
        seconds = time.monotonic() - started
        if not words or seconds > _PATIENCE:
            return seconds, words
        time.sleep(0.5)


def _after_a_kill(data: Path) -> list[int]:
    """Delete in a process that is killed at once, start again, and return what can be read after the bounded time."""
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", _KILLED, str(data)], cwd=root, check=False)
    if done.returncode != -signal.SIGKILL:
        return [done.returncode]
    rag = Rag(load_settings(data_dir=data, erase_after=_AFTER))
    rag.files()  # opens the catalog; whatever is due is then seen to
    _, words = _wait(data)
    rag.close()
    return words


def _readable(data: Path) -> set[int]:
    """Return the numbers of all words in the bytes of all files."""
    numbers: set[int] = set()
    for path in _files(data):
        if "models" in path.parts:
            continue
        try:
            with path.open("rb") as stream:
                contents = b"".join(_read(stream, start, end) for start, end in stretches(stream))
        except OSError:  # it went meanwhile
            continue
        words = [match.group(1) or match.group(2).replace(b"\0", b"") for match in _WORD.finditer(contents)]
        numbers.update(map(int, words))
    return numbers


def _read(stream: BinaryIO, start: int, end: int) -> bytes:
    stream.seek(start)
    return stream.read(end - start)


def _allocated(folder: Path) -> int:
    return sum(path.stat().st_blocks * 512 for path in _files(folder))


def _files(folder: Path) -> list[Path]:
    """Return all files below a folder; unlike `rglob`, walking does not mind what goes meanwhile."""
    return [Path(parent, name) for parent, _, names in os.walk(folder) for name in names]


ROW = Row(
    name="erase",
    promise="Deleted is gone: no file holds text of a deleted or replaced document, or of a deleted conversation.",
    kept="RAG_ERASE_AFTER seconds after a deletion the index is written anew by another process without what was "
    "deleted, while searches go on; SQLite overwrites what it deletes, and its log is emptied.",
    tests=("tests/test_erasing.py", "tests/index/test_erasing.py", "tests/ingest/test_erasing.py"),
    target="0 words readable; at most 2 times the size after 60 updates; 0 errors",
    measure=_measure,
)
