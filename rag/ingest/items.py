"""The files of a batch: walked or staged, named, hashed, and what to do with each."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
import uuid
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from rag.catalog import FileRecord
from rag.errors import CatalogError, NotFoundError, RagError, UnreadableFileError
from rag.files import disk_errors
from rag.ingest.report import FileOutcome, FileStatus
from rag.jobs import Meter
from rag.loaders import safe_name

_UPLOADS = "uploads"
_ABANDONED_SECONDS = 86400


@dataclass(frozen=True, slots=True)
class IngestItem:
    """A file to ingest. `path` is where its bytes are, `name` what people call it, e.g. `guides/setup.md`."""

    path: Path
    name: str


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


# -- which files -------------------------------------------------------------------------------------------------------


def discover(paths: Sequence[Path], exclude: Path | None = None) -> list[IngestItem]:
    """Return the files to ingest, sorted by name; names are relative to the folder that was walked.

    Hidden files and folders, links that lead out of the folder, and what cannot be read are left out of a folder; a
    file that is named itself is always taken. Two files that would have one name get the names of their folders in
    front.

    Args:
        paths: Files and folders.
        exclude: A folder to leave out wherever it is met: the data folder.

    Raises:
        NotFoundError: A path does not exist.
    """
    relative: dict[Path, tuple[Path, str]] = {}
    for path in paths:
        if not path.exists():
            raise NotFoundError(f"No file or folder {str(path)!r}. Check the path.")
        root = path.resolve()
        if root.is_file():
            relative.setdefault(root, (root.parent, path.name))
            continue
        for file in _walk(root, exclude.resolve() if exclude else None):
            relative.setdefault(file, (root, file.relative_to(root).as_posix()))
    counts = Counter(name for _, name in relative.values())
    items = [
        IngestItem(file, safe_name(f"{root.name}/{name}" if counts[name] > 1 else name))
        for file, (root, name) in relative.items()
    ]
    return sorted(items, key=lambda item: (item.name, item.path))


def _walk(root: Path, exclude: Path | None) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        parent = Path(folder)
        folders[:] = sorted(name for name in folders if not name.startswith(".") and parent / name != exclude)
        for name in sorted(files):
            path = parent / name
            inside = not path.is_symlink() or path.resolve().is_relative_to(root)
            if not name.startswith(".") and inside and path.is_file() and os.access(path, os.R_OK):
                yield path


def stage(data_dir: Path, name: str, content: bytes | BinaryIO) -> IngestItem:
    """Save an upload in the data folder until it is ingested; `unstage` removes it.

    Raises:
        DiskFullError: The disk is full.
        CatalogError: The data folder cannot be written.
    """
    folder = data_dir / _UPLOADS / uuid.uuid4().hex
    try:
        with disk_errors(data_dir, CatalogError):
            folder.mkdir(parents=True)
            with (folder / "content").open("wb") as target:
                if isinstance(content, bytes):
                    target.write(content)
                else:
                    shutil.copyfileobj(content, target)
    except RagError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return IngestItem(folder / "content", safe_name(name))


def unstage(items: Sequence[IngestItem]) -> None:
    """Remove staged uploads."""
    for item in items:
        if item.path.parent.parent.name == _UPLOADS:
            shutil.rmtree(item.path.parent, ignore_errors=True)


def sweep_uploads(data_dir: Path) -> None:
    """Remove uploads that were staged over a day ago: whoever staged them is gone."""
    for folder in (data_dir / _UPLOADS).glob("*"):
        if folder.stat().st_mtime < time.time() - _ABANDONED_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


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
