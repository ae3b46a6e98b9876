"""One file with everything of a library: catalog, conversations, originals, index and tuned profiles."""

from __future__ import annotations

import os
import shutil
import threading
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from rag.catalog.migrations import HEAD
from rag.disk import Reserve, disk_of
from rag.errors import BackupError
from rag.jobs import Meter, OnProgress
from rag.maintenance.archive import OnBytes, write_archive
from rag.maintenance.copying import active_indexes, copy_library, library_bytes
from rag.maintenance.manifest import IndexNote, Manifest
from rag.maintenance.sparse import private_folder
from rag.parts import Parts

_WORKPLACE = ".backup"
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What a backup holds.

    Attributes:
        path: The file.
        size: Its bytes.
        files: Files of the library, all workspaces together.
        conversations: Conversations.
        chunks: Passages that a search can return.
        seconds: How long it took.
        warnings: What is wrong with the library, for people.
    """

    path: Path
    size: int
    files: int
    conversations: int
    chunks: int
    seconds: float
    warnings: tuple[str, ...] = ()


def back_up(
    parts: Parts,
    target: Path,
    progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
    *,
    force: bool = False,
) -> BackupReport:
    """Write everything of the library, as of this moment, into one file. Others may read and write meanwhile.

    The file appears whole or not at all, and only its owner may read it. Models, caches, logs and keys are not in it.

    Args:
        parts: The library.
        target: The file; its folder is made.
        progress: Called in this thread, at most ten times a second.
        cancel: Set it to stop soon; no file is left then.
        force: Replace a file of that name.

    Raises:
        BackupError: There is a file, no library, no room, or another backup at work.
        CancelledError: It was cancelled.
        RagError: Catalog or index cannot be read.
    """
    started = time.perf_counter()
    folder = parts.settings.data_dir
    _check(parts, target, force=force)
    meter = Meter(progress, cancel, "Stopped. No backup was written.")
    busy = f"Another backup of {folder} is being made. Wait until it ends, then try again."
    with disk_faults(target), workplace(folder / _WORKPLACE, busy) as place:
        copy = place / "library"
        warnings = copy_library(parts, copy, meter)
        manifest = _write(copy, target, _manifest(parts, copy, warnings), meter)
    size, seconds = target.stat().st_size, time.perf_counter() - started
    counts = manifest.files, manifest.conversations, manifest.chunks
    return BackupReport(target, size, *counts, seconds, manifest.warnings)


def counter(meter: Meter, stage: str, files: int, size: int) -> OnBytes:
    """Begin a stage of files that are read or written, and return what counts their bytes."""
    meter.begin(stage, files, "file", weight=float(size or 1), work_unit="MB")
    names: set[str] = set()
    done = 0

    def count(size: int, name: str) -> None:
        nonlocal done
        done += size
        names.add(name)
        meter.update(len(names) - 1, weight=float(done), work=done // _MEGABYTE, item=name.rpartition("/")[2])

    return count


@contextmanager
def workplace(folder: Path, busy: str) -> Iterator[Path]:
    """A private folder that one process at a time works in; it is empty at the beginning, and gone at the end.

    Raises:
        BackupError: Another process works in it; `busy` is the message.
    """
    private_folder(folder)
    lock = FileLock(folder / "lock", thread_local=False, mode=0o600)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise BackupError(busy) from None
    try:
        for path in folder.iterdir():  # what a killed process left
            if path.is_dir():
                shutil.rmtree(path)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        lock.release()


@contextmanager
def disk_faults(path: Path) -> Iterator[None]:
    """Within it, an error of the disk becomes one of ours."""
    try:
        yield
    except OSError as exc:
        raise BackupError(
            f"{exc.filename or path} cannot be read or written ({exc.strerror or exc}). Nothing was changed. Check the "
            "permissions, and that the disk has room."
        ) from exc


def require_room(needs: list[tuple[Path, int]], reserve_mb: int) -> None:
    """Check that there is room for what is going to be written.

    Args:
        needs: Folders, and bytes to be written to each.
        reserve_mb: What is left free on each disk, a twentieth of a small one at most.

    Raises:
        BackupError: A disk has too little; how much it has and how much it takes.
    """
    needed: dict[int, tuple[Path, int]] = {}
    for folder, size in needs:
        existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        device = existing.stat().st_dev
        needed[device] = (existing, size + needed.get(device, (existing, 0))[1])
    for folder, size in needed.values():
        if Reserve(folder, reserve_mb).shortage(size):
            free = disk_of(folder).free
            raise BackupError(
                f"The disk of {folder} has {free / 1e6:,.0f} MB free, expected {size / 1e6:,.0f} MB and the "
                "reserve of RAG_DISK_RESERVE_MB. Nothing was changed. Free some space, or name another place."
            )


def _check(parts: Parts, target: Path, *, force: bool) -> None:
    folder = parts.settings.data_dir
    if target.is_dir():
        raise BackupError(f"{target} is a folder, expected a file to write. For regular backups add --schedule.")
    if target.exists() and not force:
        raise BackupError(f"There is a file {target} already. Name another one, or replace it with --force.")
    if not parts.settings.database_url.get_secret_value() and not (folder / "catalog.db").exists():
        raise BackupError(f"There is no library in {folder}. Set RAG_DATA_DIR to its folder.")
    copied, linked = library_bytes(parts)
    require_room([(folder, copied), (target.parent, copied + linked)], parts.settings.disk_reserve_mb)


def _manifest(parts: Parts, copy: Path, warnings: list[str]) -> Manifest:
    copied = parts.in_folder(copy)
    try:
        with copied.catalog.snapshot() as snapshot:
            counts = snapshot.files, snapshot.conversations, snapshot.chunks
        notes = [IndexNote(t, r.collection, r.fingerprint) for t, r in active_indexes(copied.catalog).items()]
    finally:
        copied.close()
    created = datetime.now(UTC).isoformat(timespec="seconds")
    return Manifest(_version(), HEAD, created, *counts, tuple(notes), tuple(warnings))


def _write(copy: Path, target: Path, manifest: Manifest, meter: Meter) -> Manifest:
    """Write the file under another name, and move it to its place when it is whole and on disk."""
    target.parent.mkdir(parents=True, exist_ok=True)
    pending = target.with_name(f".{target.name}.part")
    paths = [path for path in copy.rglob("*") if path.is_file()]
    count = counter(meter, "Writing", len(paths), sum(path.stat().st_blocks * 512 for path in paths))
    try:
        pending.unlink(missing_ok=True)
        handle = os.open(pending, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w+b") as file:
            complete = write_archive(file, copy, manifest, count)
            file.flush()
            os.fsync(file.fileno())
        pending.replace(target)
        _sync_folder(target.parent)
    finally:
        pending.unlink(missing_ok=True)
    return complete


def _sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on disk, where the system can do that."""
    if hasattr(os, "O_DIRECTORY"):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _version() -> str:
    project = tomllib.loads((Path(__file__).resolve().parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    return str(project["project"]["version"])
