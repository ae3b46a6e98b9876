"""Files that are written whole or not at all, that nobody but their owner reads, or that nobody needs later."""

from __future__ import annotations

import atexit
import os
import shutil
import stat
import uuid
import weakref
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

_OTHERS = 0o077
"""Permissions of everybody but the owner."""
_SCRATCH = "tmp"
"""Name of the folder in the data folder for what nobody needs later."""
_LOCKS: list[Any] = []
"""Held until the process ends."""


def write_atomically(path: Path, content: str | bytes) -> Path:
    """Write a file under another name and move it to its place, so that nobody sees half of it. Makes the folder.

    Args:
        path: Where it belongs; a file there is replaced.
        content: Text is written as UTF-8.

    Returns:
        The path.

    Raises:
        OSError: It cannot be written; the place is as before.
    """
    pending = path.with_name(f".{uuid.uuid4().hex}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        pending.write_bytes(content.encode() if isinstance(content, str) else content)
        pending.replace(path)
    except OSError:
        with suppress(OSError):
            pending.unlink(missing_ok=True)
        raise
    return path


def keep_private() -> None:
    """Let this process make files that only their owner reads; for the start of a program."""
    os.umask(_OTHERS)


def private_folder(path: Path) -> Path:
    """Make a folder that only its owner enters, with the folders above it. One that others enter is mended whole.

    Raises:
        OSError: It cannot be made.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if stat.S_IMODE(path.stat().st_mode) & _OTHERS:
        _mend(path)
    return path


def _mend(root: Path) -> None:
    """Take the permissions of others from a folder and all in it; the folder itself comes last, as the mark of it."""
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            with suppress(OSError):  # another owner's, or gone by now
                path = Path(folder, name)
                mode = path.lstat().st_mode
                if mode & _OTHERS and not stat.S_ISLNK(mode):
                    path.chmod(stat.S_IMODE(mode) & ~_OTHERS)
    with suppress(OSError):
        root.chmod(0o700)


class Scratch:
    """A folder of its own, removed by `remove`, at the end of a `with` statement, or when nobody holds this object.

    Args:
        data_dir: The data folder; nothing is written outside of it.

    Raises:
        OSError: The data folder cannot be written.
    """

    def __init__(self, data_dir: Path) -> None:
        self.path = private_folder(_of_this_process(private_folder(data_dir)) / uuid.uuid4().hex)
        self._removal = weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)

    def remove(self) -> None:
        """Remove the folder with all that is in it."""
        self._removal()

    def __enter__(self) -> Path:
        return self.path

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()


def sweep_scratch(data_dir: Path) -> None:
    """Remove what processes have left behind that do not run any more."""
    from filelock import FileLock, Timeout

    for path in (data_dir / _SCRATCH).glob("*.lock"):
        try:
            with FileLock(path, timeout=0):
                _remove(path)
        except (Timeout, OSError):  # its process is at work
            continue


@cache
def _of_this_process(data_dir: Path) -> Path:
    """Return the folder of this process, with a lock beside it that the system releases when the process ends."""
    from filelock import FileLock

    folder = private_folder(data_dir / _SCRATCH)
    path = folder / f"{uuid.uuid4().hex}.lock"
    lock: Any = FileLock(path, thread_local=False)
    lock.acquire()
    atexit.register(_remove, path)
    _LOCKS.append(lock)
    return path.with_suffix("")


def _remove(lock: Path) -> None:
    shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
    lock.unlink(missing_ok=True)
