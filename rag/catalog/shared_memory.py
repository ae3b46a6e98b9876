"""The memory that connections to a SQLite file share: a mapped file, which a full disk must not leave with holes.

SQLite writes one byte into every 4,096 when it makes that file. Where the blocks of a disk are smaller, as on small
ext4 disks, the rest stays unallocated, and a store to it on a full disk ends the process.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PAGE = 4096
_BYTES = 128 << 10
"""Enough for a write-ahead log of 64 MB; SQLite shortens it at 4 MB."""
_HANDLES = Path("/proc/self/fd")


def has_small_blocks(folder: Path) -> bool:
    """True when the disk of a folder allocates less than a page at a time."""
    return hasattr(os, "statvfs") and os.statvfs(folder).f_bsize < PAGE


def allocate_shared_memory(database: Path) -> None:
    """Allocate the shared memory of a database that this process has a connection to, as far as the system can.

    SQLite's own handle is used: to open the file and close it again would release the locks that SQLite holds on it.
    """
    if hasattr(os, "posix_fallocate"):
        for handle in _handles_of(Path(f"{database}-shm")):
            with suppress(OSError):  # a disk that has no room, or a handle that was closed meanwhile
                os.posix_fallocate(handle, 0, _BYTES)


def _handles_of(path: Path) -> Iterator[int]:
    with suppress(OSError):
        for link in _HANDLES.iterdir():
            with suppress(OSError):
                if link.readlink() == path:
                    yield int(link.name)
                    return
