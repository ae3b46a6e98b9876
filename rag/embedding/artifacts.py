"""Folders of files that are computed once from a source: built atomically, checked on every open."""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rag.errors import EmbeddingError

_MANIFEST = "manifest.json"
_LOCK_SECONDS = 600


def ensure(folder: Path, source: str, build: Callable[[Path], None]) -> Path:
    """Return a folder with its built files, built now if it is absent, damaged or of another source.

    Processes that need it at the same time wait for one of them to build. A kill leaves the old state.

    Args:
        folder: Where the files belong.
        source: Identifies the input of the computation, e.g. a checksum and a version; another value means other files.
        build: Writes the files into an empty folder.

    Raises:
        EmbeddingError: The folder cannot be written, or another process holds the lock for ten minutes.
    """
    from filelock import FileLock, Timeout

    if is_intact(folder, source):
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(f".{folder.name}.lock"), timeout=_LOCK_SECONDS):
            if not is_intact(folder, source):
                _rebuild(folder, source, build)
    except Timeout as exc:
        raise EmbeddingError(
            f"Another process has been preparing {folder} for {_LOCK_SECONDS // 60} minutes. "
            "Wait for it or end it, then try again."
        ) from exc
    except OSError as exc:
        raise EmbeddingError(_explain(folder, exc)) from exc
    return folder


def is_intact(folder: Path, source: str) -> bool:
    """True when the folder holds the files of its manifest, made from `source`.

    A file whose size and time are as recorded is trusted, as reading all of it at each start would be slow; one whose
    time differs is read and its checksum compared.
    """
    try:
        manifest = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        files = manifest["files"].items()
        return bool(manifest["source"] == source) and all(_same(folder / name, record) for name, record in files)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def file_sha256(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _same(path: Path, recorded: dict[str, Any]) -> bool:
    status = path.stat()
    if status.st_size != recorded["bytes"]:
        return False
    return bool(status.st_mtime_ns == recorded["modified"]) or file_sha256(path) == recorded["sha256"]


def _rebuild(folder: Path, source: str, build: Callable[[Path], None]) -> None:
    for stale in folder.parent.glob(f".{folder.name}.*/"):  # this process holds the lock: a killed one wrote it
        shutil.rmtree(stale, ignore_errors=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        build(scratch)
        files = {str(p.relative_to(scratch)): _record(p) for p in sorted(scratch.rglob("*")) if p.is_file()}
        (scratch / _MANIFEST).write_text(json.dumps({"source": source, "files": files}, indent=1), encoding="utf-8")
        if folder.exists():
            folder.rename(scratch.with_name(f"{scratch.name}.old"))
        scratch.rename(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        shutil.rmtree(scratch.with_name(f"{scratch.name}.old"), ignore_errors=True)


def _record(path: Path) -> dict[str, Any]:
    status = path.stat()
    return {"bytes": status.st_size, "modified": status.st_mtime_ns, "sha256": file_sha256(path)}


def _explain(folder: Path, exc: OSError) -> str:
    if exc.errno == errno.ENOSPC:
        free = shutil.disk_usage(folder.parent).free // 2**20
        return (
            f"The disk is full ({free} MB free) while preparing the bundled model in {folder}. "
            "Free about 600 MB or set RAG_DATA_DIR to a folder on a larger disk."
        )
    return (
        f"The bundled model cannot be prepared in {folder}: {exc.strerror or exc}. "
        "Make the folder writable or set RAG_DATA_DIR to one that is."
    )
