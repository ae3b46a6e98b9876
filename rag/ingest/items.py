"""The files of a batch: staged, named, hashed, and what to do with each."""

from __future__ import annotations

import hashlib
import io
import shutil
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from rag.catalog import FileRecord
from rag.disk import disk_errors
from rag.errors import CatalogError, RagError, UnreadableFileError
from rag.files import Scratch, sweep_scratch
from rag.ingest.report import FileOutcome, FileStatus
from rag.jobs import Meter
from rag.loaders import safe_name

_OLD_UPLOADS = "uploads"
"""Where uploads were saved by versions before 0.2."""


@dataclass(frozen=True, slots=True)
class IngestItem:
    """A file to ingest.

    Attributes:
        path: Where its bytes are.
        name: What people call it, e.g. `guides/setup.md`.
        scratch: The folder of an upload, which goes with it; None for a file that stays where it is.
    """

    path: Path
    name: str
    scratch: Scratch | None = field(default=None, compare=False, repr=False)


class Action(StrEnum):
    """What to do with a file."""

    ADD = "add"
    UPDATE = "update"
    UNCHANGED = "unchanged"
    DUPLICATE = "duplicate"
    CLASH = "clash"


@dataclass(frozen=True, slots=True)
class HashedFile:
    """A file of the batch with the SHA-256 and the number of its bytes."""

    item: IngestItem
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """A file of the batch and what to do with it.

    Attributes:
        twin: Name of the file with the same bytes, for a duplicate.
        record: What the catalog holds under this name, or None.
    """

    file: HashedFile
    action: Action
    twin: str = ""
    record: FileRecord | None = None


# -- uploads -----------------------------------------------------------------------------------------------------------


def stage(data_dir: Path, name: str, content: bytes | BinaryIO) -> IngestItem:
    """Save an upload in the data folder until it is ingested; `unstage` removes it.

    It goes as well when nobody holds the item any more, and after a crash at the next start.

    Raises:
        DiskFullError: The disk is full.
        CatalogError: The data folder cannot be written.
    """
    scratch: Scratch | None = None
    try:
        with disk_errors(data_dir, CatalogError):
            scratch = Scratch(data_dir)
            path = scratch.path / "content"
            with path.open("wb") as target:
                shutil.copyfileobj(io.BytesIO(content) if isinstance(content, bytes) else content, target)
    except RagError:
        if scratch is not None:
            scratch.remove()
        raise
    return IngestItem(path, safe_name(name), scratch)


def unstage(items: Sequence[IngestItem]) -> None:
    """Remove staged uploads."""
    for item in items:
        if item.scratch is not None:
            item.scratch.remove()


def sweep_uploads(data_dir: Path) -> None:
    """Remove uploads whose process is gone."""
    shutil.rmtree(data_dir / _OLD_UPLOADS, ignore_errors=True)
    sweep_scratch(data_dir)


# -- what to do with each ----------------------------------------------------------------------------------------------


def hash_files(items: Sequence[IngestItem], meter: Meter) -> list[HashedFile | FileOutcome]:
    """Hash the files of a batch, in order; one that cannot be read has failed already."""
    entries: list[HashedFile | FileOutcome] = []
    for item in items:
        try:
            with item.path.open("rb") as stream:
                sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
            entries.append(HashedFile(item, sha256, item.path.stat().st_size))
        except OSError as exc:
            reason = f"It cannot be read: {exc.strerror or exc}."
            entries.append(FileOutcome(item.name, FileStatus.FAILED, reason, kind=UnreadableFileError.__name__))
        meter.step(item=item.name)
    return entries


def plan(batch: Sequence[HashedFile], records: Sequence[FileRecord], indexed: Container[str]) -> list[PlannedFile]:
    """Decide for each file of a batch, in order.

    The same bytes are one file, whatever their name: the name that holds them already and keeps them wins, else the
    first one of the batch. A second file of one name with other bytes is a clash.

    Args:
        batch: Files with their hashes.
        records: Files of the task.
        indexed: Versions that have points in the index. A file whose points are gone is ingested again.
    """
    records = [record for record in records if record.version in indexed]
    record_by_name = {record.name: record for record in records}
    first_hash: dict[str, str] = {}
    for file in batch:
        first_hash.setdefault(file.item.name, file.sha256)
    # A file that changes in this batch does not hold its old bytes any more.
    holders = {r.sha256: r.name for r in records if first_hash.get(r.name, r.sha256) == r.sha256}
    decided: set[str] = set()
    planned = []
    for file in batch:
        name, record = file.item.name, record_by_name.get(file.item.name)
        if file.sha256 != first_hash[name]:
            action, twin = Action.CLASH, ""
        elif name in decided:
            action, twin = Action.DUPLICATE, name
        else:
            action, twin = _decide(file, record, holders)
        decided.add(name)
        planned.append(PlannedFile(file, action, twin, record))
    return planned


def _decide(file: HashedFile, record: FileRecord | None, holders: dict[str, str]) -> tuple[Action, str]:
    """Decide for the first file of a name; `holders` says which name has which bytes, and learns of new ones."""
    if record is not None and record.sha256 == file.sha256:
        return Action.UNCHANGED, ""
    holder = holders.setdefault(file.sha256, file.item.name)
    if holder != file.item.name:
        return Action.DUPLICATE, holder
    return (Action.ADD if record is None else Action.UPDATE), ""
