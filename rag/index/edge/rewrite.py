"""Writing an embedded shard anew without what was deleted from it, in a process of its own.

    python -m rag.index.edge.rewrite SOURCE TARGET [--build]

SOURCE is a copy of the shard in use, TARGET a new shard beside it in the folder of the same collection. The process
ends soon after the one that started it has.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from rag.errors import CancelledError, VectorIndexError
from rag.index.driver import Where
from rag.index.edge.build import POLITENESS, build_shard
from rag.index.edge.copying import copy_rows
from rag.index.edge.folder import stored_identity
from rag.index.edge.shard import Shard, create_shard
from rag.index.recipe import recipe_from

_POLL_SECONDS = 0.2
_BUILD = "--build"


def rewrite_in_process(source: Path, target: Path, build: bool, cancel: threading.Event) -> None:
    """Rewrite a shard in another process, at low priority, and wait for it.

    Args:
        source: A copy of the shard in use.
        target: The new shard, made here.
        build: Whether its search structures are built as well.
        cancel: Set it to end the process.

    Raises:
        CancelledError: `cancel` was set.
        VectorIndexError: The process failed; the last line of its error output is in the message.
    """
    command = [sys.executable, "-m", "rag.index.edge.rewrite", str(source), str(target), *([_BUILD] if build else [])]
    root = Path(__file__).resolve().parents[3]
    nothing, pipe = subprocess.DEVNULL, subprocess.PIPE
    with subprocess.Popen(command, cwd=root, stdin=nothing, stdout=nothing, stderr=pipe, text=True) as process:  # noqa: S603 - our module
        errors = _errors_of(process, cancel)
    if process.returncode:
        last_line = (errors.strip().splitlines() or ["nothing"])[-1]
        raise VectorIndexError(
            f"Writing the index in {target.parent} anew ended with status {process.returncode}, saying: {last_line}. "
            "The index works as before, and its files still hold what was deleted; check memory and disk space."
        )


def rewrite_shard(source: Path, target: Path, build: bool) -> None:
    """Rewrite a shard, in this process."""
    recipe = recipe_from(stored_identity(target.parent))
    create_shard(target, recipe)
    old, new = Shard(source), Shard(target)
    copy_rows(old, new, Where())
    new.flush()
    new.close()
    old.close()
    if build:
        build_shard(target, recipe.sizes)


def _errors_of(process: subprocess.Popen[str], cancel: threading.Event) -> str:
    """Wait for a process and return its error output."""
    while True:
        try:
            return process.communicate(timeout=_POLL_SECONDS)[1]
        except subprocess.TimeoutExpired:
            if cancel.is_set():
                process.kill()
                raise CancelledError("Rewriting the index was cancelled. It works as before.") from None


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_POLL_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    os.nice(POLITENESS)
    threading.Thread(target=_end_with, args=[os.getppid()], daemon=True).start()
    rewrite_shard(Path(sys.argv[1]), Path(sys.argv[2]), build=_BUILD in sys.argv[3:])
