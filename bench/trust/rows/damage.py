"""Every file of a data folder is deleted, emptied, cut or garbled in turn; what the next start makes of it."""

from __future__ import annotations

import importlib
import json
import os
import random
import shutil
import signal
import subprocess
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from bench.trust.hashed import opened
from bench.trust.spec import Figure, Row
from rag.errors import RagError

_FILES = [(f"{n}.md", f"# Part {n}\n\nThe word of part {n} is {word}.".encode()) for n, word in enumerate("abcdef")]
_QUICK = 24
_SECONDS = 60
_IMPORTED = ("rag.ingest", "rag.maintenance", "rag.status", "rag.retrieval.retriever", "rag.index.engines.embedded")
"""Imported before the first child, so that each need not do it again; none of them starts a thread."""


def _delete(path: Path, _: random.Random) -> None:
    path.unlink()


def _empty(path: Path, _: random.Random) -> None:
    path.write_bytes(b"")


def _cut(path: Path, _: random.Random) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _garble(path: Path, choose: random.Random) -> None:
    """Overwrite the first kilobytes, where headers and most data are."""
    with path.open("r+b") as stream:
        stream.write(choose.randbytes(min(path.stat().st_size, 8192)))


_DAMAGES: tuple[Callable[[Path, random.Random], None], ...] = (_delete, _empty, _cut, _garble)


def _measure(full: bool) -> Figure:
    for module in _IMPORTED:
        importlib.import_module(module)
    outcomes: Counter[str] = Counter()
    bad: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "source"
        _in_child(lambda: _build(source))
        files = sorted(path.relative_to(source) for path in source.rglob("*") if path.is_file())
        cases = [(path, damage) for path in files for damage in _DAMAGES]
        choose = random.Random(8)
        if not full:
            cases = choose.sample(cases, _QUICK)
        for number, (path, damage) in enumerate(cases):
            data = Path(name) / "case"
            shutil.rmtree(data, ignore_errors=True)
            _copy(source, data)
            damage(data / path, random.Random(number))
            outcome = _in_child(lambda data=data: _use(data))  # type: ignore[misc]
            lost = sum(not (data / other).exists() for other in files if other != path and other.parts[0] == "files")
            kind = outcome.partition(":")[0]
            outcomes[kind] += 1
            if kind not in ("works", "message") or lost:
                bad.append(
                    f"{damage.__name__.strip('_')} {path}: {outcome}{f', {lost} originals lost' if lost else ''}"
                )
    for line in bad:
        print(f"    {line}", flush=True)
    text = ", ".join(f"{count} {kind}" for kind, count in outcomes.most_common())
    return Figure(f"{len(cases)} damages to {len(files)} files: {text}; {len(bad)} bad", not bad)


def _build(data: Path) -> str:
    rag = opened(data)
    rag.ingest_uploads(_FILES, "qa")
    rag.new_conversation()
    rag.close()
    return "works"


def _use(data: Path) -> str:
    """Ask, list and look at the status: all is there, or something says what is not and what to do."""
    messages: list[str] = []
    hits, names = 0, 0
    rag = opened(data)
    for call in (lambda: rag.search("the word of part 3").hits, rag.files, lambda: rag.status().problems):
        try:
            value = call()
        except RagError as exc:
            messages.append(str(exc))
            continue
        if call == rag.files:
            names = len(value)
        elif value and isinstance(value[0], str):
            messages += value
        else:
            hits = hits or len(value)
    if any("Traceback" in message or "`python -m rag" not in message for message in messages if "RAG_" not in message):
        return f"no remedy: {messages}"
    if messages:
        return f"message: {messages[0]}"
    findings = rag.check().findings
    if findings:
        return f"message: {findings[0].message}"
    return "works" if hits >= len(_FILES) and names == len(_FILES) else f"silent: {hits} hits, {names} files"


def _copy(source: Path, target: Path) -> None:
    subprocess.run(["cp", "-r", "--sparse=always", str(source), str(target)], check=True)


def _in_child(work: Callable[[], str]) -> str:
    """Run in a child process, whose death is an outcome as well."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # this process has no threads that hold locks
        child = os.fork()
    if not child:
        os.close(reading)
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, 2)
        signal.alarm(_SECONDS)
        try:
            result = work()
        except BaseException as exc:  # noqa: BLE001 - whatever comes out raw is what is counted here
            result = f"raw: {type(exc).__name__}: {exc}"
        os.write(writing, json.dumps(result[:2000]).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        answer = stream.read()
    _, status = os.waitpid(child, 0)
    return json.loads(answer) if answer else f"crash: signal {os.WTERMSIG(status)}"


ROW = Row(
    name="damage",
    promise="A damaged or missing file of the data folder is said, with what to do, and takes nothing else along.",
    kept="Index and catalog can each be rebuilt from the rest, by `reindex` and `check --repair`; errors of the "
    "engine, its panics included, are mapped in one corner.",
    tests=("tests/test_ownership.py", "tests/maintenance/test_check.py", "tests/maintenance/test_repair.py"),
    target="each file deleted, emptied, cut, garbled: 0 crashes, raw errors, silent losses, lost originals",
    measure=_measure,
)
