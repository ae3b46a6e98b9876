"""Building the search structures of a large embedded collection, in a process of its own.

    python -m rag.index.edge.build SHARD DIMENSION

An embedded shard grows as plain segments that each search scans. Past some fifty thousand points a graph over 8-bit
vectors answers far sooner. The engine builds it in one call that holds the interpreter throughout, so it is called on a
copy of the shard, by `EmbeddedEngine.build`, in another process.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from rag.errors import VectorIndexError
from rag.index.edge.layout import built
from rag.index.edge.shard import vendor_errors

_POLITENESS = 10


def build_copy(source: Path, target: Path) -> None:
    """Copy a shard that nobody writes to. Call `run` on the copy afterwards.

    Raises:
        VectorIndexError: The disk is full, or something else is wrong with it.
    """
    try:
        shutil.copytree(source, target)
    except (OSError, shutil.Error) as exc:
        shutil.rmtree(target, ignore_errors=True)
        raise VectorIndexError(
            f"The index in {source} could not be copied for the build: {exc}. It needs as much free disk space again "
            "as it has now."
        ) from exc


def run(path: Path, dimension: int) -> None:
    """Build the shard in `path` in another process, at low priority, and wait for it.

    Raises:
        VectorIndexError: The process failed; its last words are in the message.
    """
    command = [sys.executable, "-m", "rag.index.edge.build", str(path), str(dimension)]
    root = str(Path(__file__).resolve().parents[3])
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)  # noqa: S603 - our own module
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["nothing"])[-1]
        raise VectorIndexError(
            f"The build of the index in {path} ended with status {done.returncode}, saying: {said}. The index works as "
            "before; check memory and disk space, and build again."
        )


def build(path: Path, dimension: int) -> None:
    """Build the shard in `path`, in this process."""
    import qdrant_edge

    edge: Any = qdrant_edge
    with vendor_errors(path):
        shard = edge.EdgeShard.load(str(path), built(edge, dimension, merge=True))
        shard.optimize()
        shard.flush()
        shard.close()
        edge.EdgeShard.load(str(path), built(edge, dimension, merge=False)).close()


if __name__ == "__main__":
    os.nice(_POLITENESS)
    build(Path(sys.argv[1]), int(sys.argv[2]))
