"""What to do with each file of a batch: a pure function of the bytes' hashes and of what the catalog holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rag.catalog import FileRecord
from rag.ingest.items import IngestItem


class Action(StrEnum):
    """What to do with a file."""

    ADD = "add"
    UPDATE = "update"
    UNCHANGED = "unchanged"
    DUPLICATE = "duplicate"
    CLASH = "clash"


@dataclass(frozen=True, slots=True)
class Hashed:
    """A file of the batch with the SHA-256 and the number of its bytes."""

    item: IngestItem
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Planned:
    """A file of the batch and what to do with it.

    Attributes:
        twin: Name of the file with the same bytes, for a duplicate.
        known: What the catalog holds under this name, or None.
    """

    file: Hashed
    action: Action
    twin: str = ""
    known: FileRecord | None = None


def plan(batch: Sequence[Hashed], known: Sequence[FileRecord]) -> list[Planned]:
    """Decide for each file of a batch, in order.

    The same bytes are one file, whatever their name: the name that holds them already and keeps them wins, else the
    first one of the batch. A second file of one name with other bytes is a clash.

    Args:
        batch: Files with their hashes.
        known: Files of the task whose points are in the index.
    """
    by_name = {record.name: record for record in known}
    wanted: dict[str, str] = {}
    for file in batch:
        wanted.setdefault(file.item.name, file.sha256)
    holders = {r.sha256: r.name for r in known if wanted.get(r.name, r.sha256) == r.sha256}
    seen: set[str] = set()
    planned = []
    for file in batch:
        name = file.item.name
        action, twin = _decide(file, wanted[name], by_name.get(name), holders, name in seen)
        seen.add(name)
        planned.append(Planned(file, action, twin, by_name.get(name)))
    return planned


def _decide(
    file: Hashed, wanted: str, known: FileRecord | None, holders: dict[str, str], again: bool
) -> tuple[Action, str]:
    name = file.item.name
    if file.sha256 != wanted:
        return Action.CLASH, ""
    if again:
        return Action.DUPLICATE, name
    if known is not None and known.sha256 == file.sha256:
        return Action.UNCHANGED, ""
    holder = holders.setdefault(file.sha256, name)
    if holder != name:
        return Action.DUPLICATE, holder
    return (Action.ADD if known is None else Action.UPDATE), ""
