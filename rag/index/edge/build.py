"""Building the search structures of a large embedded collection, in a process of its own.

    python -m rag.index.edge.build SHARD SIZES

An embedded shard grows as plain segments that each search scans. Past some fifty thousand points a graph over 8-bit
vectors answers far sooner. The engine builds it in one call that holds the interpreter throughout, so it is called on a
copy of the shard, by `EmbeddedEngine.build`, in another process.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rag.errors import VectorIndexError
from rag.index.edge.copying import copy_file
from rag.index.edge.layout import built
from rag.index.edge.shard import edge_errors

POLITENESS = 10
"""Added to the niceness of processes that work beside the app."""


def copy_bytes(source: Path) -> int:
    """Return the bytes that a build of a shard needs beside it: a copy, without holes, and the new one."""
    return 2 * sum(path.stat().st_blocks * 512 for path in source.rglob("*") if path.is_file())


def copy_shard(source: Path, target: Path) -> None:
    """Copy a shard that nobody writes to, for `build_in_process`.

    Raises:
        VectorIndexError: The disk is full, or something else is wrong with it.
    """
    try:
        shutil.copytree(source, target, copy_function=copy_file)
    except (OSError, shutil.Error) as exc:
        shutil.rmtree(target, ignore_errors=True)
        raise VectorIndexError(
            f"The index in {source} could not be copied for the build: {exc}. It needs as much free disk space again "
            "as it has now."
        ) from exc


def build_in_process(path: Path, sizes: Mapping[str, int]) -> None:
    """Build the shard in `path` in another process, at low priority, and wait for it.

    Raises:
        VectorIndexError: The process failed; the last line of its error output is in the message.
    """
    command = [sys.executable, "-m", "rag.index.edge.build", str(path), json.dumps(dict(sizes))]
    root = str(Path(__file__).resolve().parents[3])
    process = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)  # noqa: S603 - our module
    if process.returncode:
        last_line = (process.stderr.strip().splitlines() or ["nothing"])[-1]
        raise VectorIndexError(
            f"The build of the index in {path} ended with status {process.returncode}, saying: {last_line}. The index "
            "works as before; check memory and disk space, and build again."
        )


def build_shard(path: Path, sizes: Mapping[str, int]) -> None:
    """Build the shard in `path`, whose named vectors have these lengths, in this process."""
    import qdrant_edge

    edge: Any = qdrant_edge
    with edge_errors(path):
        shard = edge.EdgeShard.load(str(path), built(edge, sizes, merge=True))
        shard.optimize()
        shard.flush()
        shard.close()
        # The layout that the app opens it with: what comes later is sealed beside the built segment, not merged.
        edge.EdgeShard.load(str(path), built(edge, sizes, merge=False)).close()


if __name__ == "__main__":
    os.nice(POLITENESS)
    build_shard(Path(sys.argv[1]), json.loads(sys.argv[2]))
