"""How many deleted points the files of a shard still hold, noted in a file of the shard's folder.

The engine marks a deleted point as such: its text stays in the log and in the segments until the shard is written anew,
by `rag.index.edge.rewrite`.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from rag.files import write_atomically

_FILE = "deleted-points"


def deleted_points(shard: Path) -> int | None:
    """Return how many deleted points the files may hold; None when nobody counted: it is an earlier version's shard."""
    try:
        return int((shard / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def note_clean(shard: Path) -> None:
    """Note that nothing was deleted from a shard that was just made."""
    with suppress(OSError):
        write_atomically(shard / _FILE, "0\n")


def note_deletion(shard: Path, points: int) -> None:
    """Add to the count, before the points are deleted, so that a kill in between leaves one that is too high."""
    before = deleted_points(shard)
    if points and before is not None:
        try:
            write_atomically(shard / _FILE, f"{before + points}\n")
        except OSError:  # on a full disk a file can still be removed
            (shard / _FILE).unlink(missing_ok=True)
