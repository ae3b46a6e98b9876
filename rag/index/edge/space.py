"""Disk space of an embedded shard: claimed before the engine writes, as a full disk would end the process.

The engine writes through memory maps of files that are larger than what they hold: up to 32 MB long, with nothing
allocated beyond the data. A store to such a page when the disk is full is no error but the signal SIGBUS. All these
files fill from their beginning, so the next bytes of each are allocated ahead, at least as many as the next write can
take. Then another program that fills the disk meanwhile harms nothing.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rag.disk import MEGABYTE, Reserve, disk_errors, is_disk_full
from rag.errors import VectorIndexError

CREATION_BYTES = 80 * MEGABYTE
"""What an empty shard allocates in memory, where pages that are read are allocated; on disk it is a quarter."""
_NEW_FILE_BYTES = 36 * MEGABYTE
"""The engine begins one file more in a write, at most so long; it cannot be allocated before it exists."""
_DELETION_BYTES = 16 << 10
"""What a deletion adds to the log at most: it names up to 256 versions."""
_BLOCK = 1 << 16
_ZEROS = bytes(_BLOCK)
_MARGIN, _SMALL_MARGIN = 1 / 32, 1 / 256
"""Parts of a file's length that are allocated ahead of it: before a write, and at least before a deletion."""
_LEAST_MARGIN = 16 << 10
_LONG, _SHORT = 16 * MEGABYTE, MEGABYTE
"""Files up to `_SHORT` have a few bytes a point, those up to `_LONG` the values of one payload field."""
_SETTLED_NS = 1_000_000_000
"""A folder that changed less than so long ago is listed again: clocks of file systems are coarse."""
_UNSUPPORTED = {errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS}


@dataclass(frozen=True, slots=True)
class _Listing:
    """What a folder held when it was last modified."""

    modified: int
    folders: tuple[Path, ...]
    files: tuple[Path, ...]


@dataclass(slots=True)
class _Extent:
    """How far a file is allocated, and where its data end at most, in bytes."""

    allocated: int = 0
    data: int = 0


class ShardSpace:
    """The disk space of one shard. Used by one writer at a time.

    Args:
        folder: The shard.
        reserve: What is left free on its disk.
    """

    def __init__(self, folder: Path, reserve: Reserve) -> None:
        self._folder = folder
        self._reserve = reserve
        self._listings: dict[Path, _Listing] = {}
        self._extents: dict[Path, _Extent] = {}

    def claim(self, need: int) -> None:
        """Make sure of the space for a write, whatever else is written to the disk meanwhile.

        Args:
            need: Most bytes that the write adds to any one file.

        Raises:
            DiskFullError: The reserve would be touched.
            VectorIndexError: The disk fails.
        """
        self._reserve.check(need + _NEW_FILE_BYTES)
        self._allocate(need, _MARGIN)

    def claim_created(self) -> None:
        """Allocate what comes first in a shard that was just made. Raises as `claim`."""
        self._allocate(0, _MARGIN)

    def claim_small(self) -> None:
        """Make sure of the space for opening and deleting, which may use the reserve. Raises as `claim`.

        Mostly a write before has allocated enough.
        """
        self._allocate(0, _SMALL_MARGIN)

    def allows(self, need: int) -> bool:
        """True when `need` bytes can be written and the reserve is still free afterwards."""
        return not self._reserve.shortage(need)

    def size(self) -> int:
        """Return the bytes that the shard takes on the disk."""
        return sum(status.st_blocks * 512 for _, status in self._files(self._folder))

    def _allocate(self, need: int, share: float) -> None:
        if not hasattr(os, "posix_fallocate"):
            return
        with disk_errors(self._folder, VectorIndexError):
            for path, status in self._files(self._folder):
                if status.st_blocks * 512 < status.st_size:
                    margin = max(_LEAST_MARGIN, int(status.st_size * share))
                    self._allocate_ahead(path, status.st_size, _share(need, status.st_size), margin)

    def _allocate_ahead(self, path: Path, size: int, need: int, margin: int) -> None:
        """Allocate what follows the data of a file: a margin and the need, and a margin more where there is room."""
        extent = self._extents.setdefault(path, _Extent())
        if extent.allocated < min(size, extent.data + need + margin):
            handle = os.open(path, os.O_RDWR)
            try:
                extent.data = _end_of_data(handle, extent.allocated, size)
                if extent.allocated < min(size, extent.data + need + margin):
                    extent.allocated = _allocate(handle, size, extent.data + need, margin)
            finally:
                os.close(handle)
        extent.data += need or _DELETION_BYTES

    def _files(self, folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
        """Yield the files below a folder; what the engine removes meanwhile is left out."""
        try:
            listing = self._listing(folder)
        except FileNotFoundError:
            self._listings.pop(folder, None)
            return
        for path in listing.files:
            try:
                yield path, path.stat()
            except FileNotFoundError:
                self._extents.pop(path, None)
        for inner in listing.folders:
            yield from self._files(inner)

    def _listing(self, folder: Path) -> _Listing:
        """Return what is in a folder; it is looked into only when it was modified."""
        modified = folder.stat().st_mtime_ns
        listing = self._listings.get(folder)
        if listing is None or listing.modified != modified or time.time_ns() - modified < _SETTLED_NS:
            with os.scandir(folder) as entries:
                inside = [(Path(entry.path), entry.is_dir()) for entry in entries]
            folders = tuple(path for path, is_folder in inside if is_folder)
            files = tuple(path for path, is_folder in inside if not is_folder)
            listing = self._listings[folder] = _Listing(modified, folders, files)
        return listing


def _share(need: int, size: int) -> int:
    """Return how many bytes of a write can come to a file of this length: log, payloads, terms and vectors are long."""
    return need if size > _LONG else need // 4 if size > _SHORT else 0


def _end_of_data(handle: int, allocated: int, size: int) -> int:
    """Return where the last byte of a file is that is not zero.

    What the file system calls data is no answer: it also counts pages that were allocated, and then only read.
    """
    end = allocated
    with suppress(OSError):  # no data, or a file system that does not tell
        while end < size:
            end = os.lseek(handle, os.lseek(handle, end, os.SEEK_DATA), os.SEEK_HOLE)
    while end > 0:
        start = max(0, end - _BLOCK)
        block = os.pread(handle, end - start, start)
        if block != _ZEROS[: len(block)]:
            return start + len(block.rstrip(b"\0"))
        end = start
    return 0


def _allocate(handle: int, size: int, end: int, margin: int) -> int:
    """Allocate a file up to `end` and two margins, or half a margin when there is no room; return the new end."""
    try:
        allocated = min(size, end + 2 * margin)
        _fallocate(handle, allocated)
    except OSError as exc:
        if not is_disk_full(exc):
            raise
        allocated = min(size, end + margin // 2)
        _fallocate(handle, allocated)
    return allocated


def _fallocate(handle: int, end: int) -> None:
    """Allocate a file up to `end`; what it holds stays. A file system that cannot do that is left as it is."""
    try:
        os.posix_fallocate(handle, 0, end)
    except OSError as exc:
        if exc.errno not in _UNSUPPORTED:
            raise
