"""A disk that fills up or fails at any moment, under a library that is being changed."""

from __future__ import annotations

import errno
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.trust.disk_work import QUESTION, opened, text
from bench.trust.spec import Figure, Row
from rag import Filters, Rag, Request

_ROOT = Path(__file__).resolve().parents[3]
_SOURCE = Path(__file__).resolve().parents[1] / "faults.c"
_KINDS = [
    (errno.ENOSPC, True),
    (errno.EIO, False),
    (errno.ENOSPC, False),
    (errno.EIO, True),
    (errno.EDQUOT, True),
    (errno.EROFS, True),
]
"""What fails, and whether all that follows fails as well."""
_DISK_MB = 400
_LEVELS = (0, 0.05, 0.5, 1, 2, 5, 20, 60, 100, 160)
"""Megabytes that are free when the work begins, in memory that is mounted as a small disk."""
_SECONDS = 120


@dataclass(slots=True)
class _Tally:
    deaths: list[str] = field(default_factory=list)
    corrupt: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    points: int = 0
    refused: int = 0

    @property
    def broken(self) -> list[str]:
        return self.deaths + self.corrupt + self.silent


def _measure(full: bool) -> Figure:
    tally = _Tally()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        faults = _inject(folder, 40 if full else 3, tally)
        levels = _fill(folder, _LEVELS if full else _LEVELS[2:3], tally)
    figure = (
        f"{len(tally.deaths)} process deaths, {len(tally.corrupt)} corrupt stores, {len(tally.silent)} without an "
        f"answer at {tally.points} points ({faults}; {levels}); {tally.refused} commands were refused in words"
    )
    return Figure("; ".join([figure, *tally.broken[:3]]), not tally.broken)


def _made(data: Path) -> Path:
    """Make a library of three files in a folder."""
    rag = opened(data)
    rag.ingest_uploads([(f"{letter}.md", text(letter, "old")) for letter in "abc"], "qa")
    rag.close()
    return data


def _inject(folder: Path, points: int, tally: _Tally) -> str:
    """Fail one change of the data folder at a time, and by turns all that follow."""
    library = folder / "faults.so"
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or sys.platform != "linux":
        return "no faults injected: that needs Linux and a C compiler"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, _SOURCE, "-ldl"], check=True)
    template, data = _made(folder / "template"), folder / "data"
    environment = {"LD_PRELOAD": str(library), "FAULT_FOLDER": str(data), "FAULT_COUNT": str(folder / "count")}
    _work(_copy(template, data), environment)
    changes = int((folder / "count").read_text())
    choose = random.Random(8)
    for point in range(points):
        number, (code, stays) = choose.randint(1, changes), _KINDS[point % len(_KINDS)]
        fault = {"FAULT_AT": str(number), "FAULT_ERRNO": str(code), "FAULT_STAYS": "1" if stays else "0"}
        what = f"{errno.errorcode[code]}{' for good' if stays else ''} at change {number}"
        _judge(what, _work(_copy(template, data), environment | fault), data, tally)
    return f"{points} faults injected into {changes} changes"


def _fill(folder: Path, levels: tuple[float, ...], tally: _Tally) -> str:
    """Begin the work on a disk with little room."""
    with _small_disk(folder) as disk:
        if disk is None:
            return "no disk mounted: that needs root"
        for level in levels:
            data = _made(disk / "data")
            fill(disk, int(level * (1 << 20)))
            result = _work(data, {})
            (disk / "filled").unlink()
            _judge(f"{level} MB free", result, data, tally)
            shutil.rmtree(data)
    return f"{len(levels)} of {len(_LEVELS)} levels of a full disk of {_DISK_MB} MB"


@contextmanager
def _small_disk(folder: Path) -> Iterator[Path | None]:
    """Mount a small disk in memory; None when that is not permitted."""
    disk = folder / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    command = [mount or "", "-t", "tmpfs", "-o", f"size={_DISK_MB}m", "tmpfs", str(disk)]
    if mount is None or subprocess.run(command, capture_output=True, check=False).returncode:
        yield None
        return
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill(disk: Path, leave: int) -> None:
    """Fill a disk with one file, `filled`, but for some bytes."""
    size, step = 0, 64 << 20
    with (disk / "filled").open("wb", buffering=0) as file:
        while step >= 4096:
            try:
                os.posix_fallocate(file.fileno(), size, step)
                size += step
            except OSError:
                step //= 2
        file.truncate(max(0, size - leave))


def _copy(template: Path, data: Path) -> Path:
    shutil.rmtree(data, ignore_errors=True)
    subprocess.run(["cp", "-a", "--sparse=always", str(template), str(data)], check=True)
    return data


def _work(data: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench.trust.disk_work", str(data)]
    return subprocess.run(
        command,
        cwd=_ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )


def _judge(what: str, result: subprocess.CompletedProcess[str], data: Path, tally: _Tally) -> None:
    """See that the process lived and answered, and that the store is whole and goes on."""
    tally.points += 1
    lines = result.stdout.splitlines()
    tally.refused += len(lines) - 1
    if result.returncode:
        tally.deaths.append(f"{what}: status {result.returncode}, {result.stderr.strip()[-200:]}")
    elif lines[-1] != "answered" and not lines[0].startswith("open:"):
        tally.silent.append(f"{what}: {lines}")
    try:
        wrong = _go_on(data)
    except Exception as exc:  # noqa: BLE001 - whatever it is, the store does not open
        wrong = [f"{type(exc).__name__}: {exc}"]
    if wrong:
        tally.corrupt.append(f"{what}: {wrong}")


def _go_on(data: Path) -> list[str]:
    """Open the store, do the rest of the work, and return what is wrong before or after it."""
    rag = opened(data)
    try:
        wrong = _wrong(rag)
        rag.ingest_uploads([("a.md", text("a", "new")), ("d.md", text("d", "new"))], "qa")
        return wrong + [f"{name}.md is not new" for name in "ad" if _states(rag, f"{name}.md") != {"new"}]
    finally:
        rag.close()


def _wrong(rag: Rag) -> list[str]:
    """Return what is not wholly old, wholly new or absent."""
    names = {file.name: file.chunks for file in rag.files("qa")}
    allowed = {"a.md": ({"old"}, {"new"}), "b.md": ({"old"},), "c.md": ({"old"}, set()), "d.md": (set(), {"new"})}
    wrong = [f"{name}: {_states(rag, name)}" for name in allowed if _states(rag, name) not in allowed[name]]
    wrong += [f"{name} has lost chunks" for name, chunks in names.items() if len(_texts(rag, name)) != chunks]
    if not rag.search(QUESTION).hits:
        wrong.append("no search")
    return wrong


def _texts(rag: Rag, name: str) -> list[str]:
    hits = rag.search(Request(QUESTION, k=100, filters=Filters(names=(name,)))).hits
    return [hit.payload.chunk.text for hit in hits]


def _states(rag: Rag, name: str) -> set[str]:
    return {word for text in _texts(rag, name) for word in ("old", "new") if f"state {word}" in text}


ROW = Row(
    name="disk",
    promise="A disk that is full or fails costs no stored document and no session.",
    kept="Space is checked before large writes and allocated before the index maps it; a spare opens and deletes.",
    tests=(
        "tests/index/test_space.py",
        "tests/test_files.py",
        "tests/ingest/test_full_disk.py",
        "tests/catalog/test_shared_memory.py",
    ),
    target="50 injected disk-full and I/O errors: 0 corrupt stores, 0 process deaths",
    measure=_measure,
)
