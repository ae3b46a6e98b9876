"""The space of a disk: what is left free on it, and errors of writing to it in words."""

from __future__ import annotations

import errno
import os
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from rag.errors import DiskFullError, RagError

MEGABYTE = 1 << 20
RESERVE_MB = 256
_LARGEST_SHARE = 0.05
"""Of a disk, that the reserve takes: a small disk is of use as well."""
_FULL = {errno.ENOSPC, errno.EDQUOT}
_SPARE_BYTES = 2 * MEGABYTE
_lending = threading.Lock()
_borrowers: Counter[Path] = Counter()


@dataclass(frozen=True, slots=True)
class Disk:
    """Free and total space of a disk, in bytes."""

    free: int
    total: int


def disk_of(folder: Path) -> Disk:
    """Return the space of the disk that a folder is on, or will be on once it is made."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    usage = shutil.disk_usage(folder)
    return Disk(usage.free, usage.total)


@dataclass(frozen=True, slots=True)
class Reserve:
    """Free space that large writes leave to small ones: messages, deleting, and the journals of both.

    Attributes:
        folder: On the disk that is watched; it need not exist.
        megabytes: The reserve; on a small disk it is a twentieth of it, when that is less.
        disk: Says how much space there is.
    """

    folder: Path
    megabytes: int = RESERVE_MB
    disk: Callable[[Path], Disk] = disk_of

    def shortage(self, need: int = 0) -> str:
        """Return in words that `need` bytes would not leave the reserve free, or "" when they do.

        A disk that cannot be asked is taken to have room: what is written to it says what is wrong.
        """
        try:
            disk = self.disk(self.folder)
        except OSError:
            return ""
        least = need + min(self.megabytes * MEGABYTE, int(disk.total * _LARGEST_SHARE))
        return "" if disk.free >= least else full_message(self.folder, disk.free, least)

    def check(self, need: int = 0) -> None:
        """See that `need` bytes can be written and the reserve is still free afterwards.

        Raises:
            DiskFullError: How much is free and how much would have to be.
        """
        if shortage := self.shortage(need):
            raise DiskFullError(shortage)

    @contextmanager
    def spare(self) -> Iterator[None]:
        """Within it, some space that is kept aside for a full disk can be used: to open, to delete, and to close.

        It is a file, removed for the time when the disk has as little room, and written again at the end as far as
        there is room.
        """
        with _lending:
            _borrowers[self.folder] += 1
            with suppress(OSError):
                if self.disk(self.folder).free < _SPARE_BYTES:
                    self._spare.unlink(missing_ok=True)
        try:
            yield
        finally:
            with _lending, suppress(OSError):
                _borrowers[self.folder] -= 1
                if not _borrowers[self.folder]:  # whoever comes first, or is around, may still need it
                    self._keep_spare()

    @property
    def _spare(self) -> Path:
        return self.folder / ".spare"

    def _keep_spare(self) -> None:
        if self._spare.exists() and self._spare.stat().st_size >= _SPARE_BYTES:
            return
        handle = os.open(self._spare, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            block = bytes(_SPARE_BYTES // 64)
            for _ in range(64):
                os.write(handle, block)
        finally:
            os.close(handle)


def full_message(folder: Path, free: int, least: int) -> str:
    """Return what is said of a full disk, with the free and the needed space in bytes."""
    return (
        f"The disk is full: {free / MEGABYTE:,.0f} MB are free in {folder}, at least {-(-least // MEGABYTE):,} MB are "
        "needed to write. What is stored can still be read. Free some space there, or set RAG_DATA_DIR to a folder on "
        "a larger disk; then do it again."
    )


def is_disk_full(exc: OSError) -> bool:
    """True when a write failed for want of space or of quota."""
    return exc.errno in _FULL


def disk_full(folder: Path) -> DiskFullError:
    """Return the error for a write that the disk had no room for."""
    with suppress(OSError):
        return DiskFullError(full_message(folder, disk_of(folder).free, MEGABYTE))
    return DiskFullError(f"The disk of {folder} is full. Free some space there, then do it again.")


@contextmanager
def disk_errors(folder: Path, failed: type[RagError]) -> Iterator[None]:
    """Within it, an error of the system about what is written to a folder becomes one of ours; time-outs pass.

    Args:
        folder: What is written to.
        failed: The error when the disk is not full but fails, or may not be written.

    Raises:
        DiskFullError: The disk is full.
    """
    try:
        yield
    except TimeoutError:
        raise
    except OSError as exc:
        if is_disk_full(exc):
            raise disk_full(folder) from exc
        raise failed(
            f"{folder} cannot be written ({exc.strerror or exc}). Check the disk, the permissions and RAG_DATA_DIR; "
            "what is stored can still be read."
        ) from exc
