"""Copies of a shard: of its files, holes included, and of its rows into another shard."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from rag.index.driver import BATCH, Driver, Where

_BLOCK = 1 << 20
_FLUSH_EVERY = 20
"""Batches between two flushes, each of which may seal a full segment."""


def copy_file(source: str | Path, target: str | Path) -> None:
    """Copy a file without writing its holes: those of a shard are hundreds of megabytes."""
    with Path(source).open("rb") as reader, Path(target).open("wb") as writer:
        for start, end in stretches(reader):
            reader.seek(start)
            writer.seek(start)
            while start < end and (block := reader.read(min(_BLOCK, end - start))):
                start += writer.write(block)
        writer.truncate(os.fstat(reader.fileno()).st_size)


def stretches(reader: BinaryIO) -> Iterator[tuple[int, int]]:
    """Give where each part of a file between two holes begins and ends; the whole file where nobody can say."""
    end, size = 0, os.fstat(reader.fileno()).st_size
    if not hasattr(os, "SEEK_DATA"):
        yield 0, size
        return
    while end < size:
        try:
            start = os.lseek(reader.fileno(), end, os.SEEK_DATA)
        except OSError:  # the rest is a hole
            return
        end = min(size, os.lseek(reader.fileno(), start, os.SEEK_HOLE))
        yield start, end


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
