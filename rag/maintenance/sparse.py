"""Files with holes, as an embedded index has them: copied, measured and written without filling them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

BLOCK = 1 << 20


def allocated(path: Path) -> int:
    """Return the bytes that a file takes on the disk, 0 for one that is not there."""
    try:
        status = path.stat()
    except OSError:
        return 0
    return min(status.st_size, getattr(status, "st_blocks", status.st_size) * 512)


def data_length(file: BinaryIO | IO[bytes]) -> tuple[int, int]:
    """Return where the data of an open file end, behind which there are only zeros, and where the file ends."""
    size = os.fstat(file.fileno()).st_size
    end = max((end for _, end in _stretches(file, size)), default=0)
    data = 0
    while end and not data:  # zeros that were written, or allocated, are no hole
        start = max(0, end - BLOCK)
        file.seek(start)
        data = len(file.read(end - start).rstrip(b"\0"))
        end = start
    file.seek(0)
    return (end + data if data else 0), size


def copy_sparse(source: Path, target: Path) -> None:
    """Copy a file, private to its owner, and leave holes where the source has them. Makes the folder.

    Raises:
        OSError: It cannot be read or written.
    """
    with source.open("rb") as reader, write_private(target) as writer:
        size = os.fstat(reader.fileno()).st_size
        for start, end in list(_stretches(reader, size)):
            reader.seek(start)
            writer.seek(start)
            while start < end and (block := reader.read(min(BLOCK, end - start))):
                start += writer.write(block)
        writer.truncate(size)


def private_folder(path: Path) -> None:
    """Make a folder, and those above it that are missing, that only its owner may look into."""
    if not path.is_dir():
        private_folder(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)


@contextmanager
def write_private(path: Path) -> Iterator[BinaryIO]:
    """Open a new file that only its owner may read, in a folder of which the same is true."""
    private_folder(path.parent)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        yield file


def _stretches(file: BinaryIO | IO[bytes], size: int) -> Iterator[tuple[int, int]]:
    """Yield where data begin and end; all of the file where the system does not tell holes from data."""
    if not hasattr(os, "SEEK_DATA"):
        yield 0, size
        return
    position = 0
    while position < size:
        try:
            start = os.lseek(file.fileno(), position, os.SEEK_DATA)
        except OSError:  # only a hole is left
            return
        position = os.lseek(file.fileno(), start, os.SEEK_HOLE)
        yield start, position
