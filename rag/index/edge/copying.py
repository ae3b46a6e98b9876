"""Copies of a shard: of its files, holes included, and of its rows into another shard."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from rag.index.driver import BATCH, Driver, Where

_BLOCK = 1 << 20
_FLUSH_EVERY = 20
"""Batches between two flushes, each of which may seal a full segment."""


def copy_file(source: str | Path, target: str | Path) -> None:
    """Copy a file without writing its holes: those of a shard are hundreds of megabytes."""
    with Path(source).open("rb") as reader, Path(target).open("wb") as writer:
        size = os.fstat(reader.fileno()).st_size
        position = 0
        while position < size:
            start, end = _next_data(reader, position, size)
            reader.seek(start)
            writer.seek(start)
            while start < end and (block := reader.read(min(_BLOCK, end - start))):
                start += writer.write(block)
            position = end
        writer.truncate(size)


def copy_rows(source: Driver, target: Driver, where: Where) -> None:
    """Copy all rows that match, with their vectors. The caller flushes at the end."""
    offset: str | None = None
    batches = 0
    while True:
        rows, offset = source.page(where, BATCH, offset, None, True)
        if rows:
            target.write(rows)
        batches += 1
        if batches % _FLUSH_EVERY == 0:
            target.flush()
        if offset is None:
            return


def _next_data(reader: BinaryIO, position: int, size: int) -> tuple[int, int]:
    """Return where the next stretch without a hole begins and ends; the whole rest where holes cannot be asked for."""
    if not hasattr(os, "SEEK_DATA"):
        return position, size
    try:
        start = os.lseek(reader.fileno(), position, os.SEEK_DATA)
    except OSError:  # there are no data after it
        return size, size
    return start, os.lseek(reader.fileno(), start, os.SEEK_HOLE)
