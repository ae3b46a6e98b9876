"""A backup becomes a library again: checked whole in a folder beside, and moved into place at the end."""

from __future__ import annotations

import os
import shutil
import threading
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rag.catalog import Catalog, Snapshot
from rag.errors import BackupError
from rag.jobs import Meter, OnProgress
from rag.maintenance.admission import WORKPLACE, check_recipes, check_schema, check_target
from rag.maintenance.archive import opened_archive, unpack
from rag.maintenance.backup import counter, disk_faults, require_room, workplace
from rag.maintenance.copying import INDEX, FileEngine, active_indexes, index_faults, transfer
from rag.maintenance.manifest import Manifest
from rag.parts import Parts
from rag.types import IndexEngine

_CATALOG = "catalog.db"
_FIRST = (_CATALOG, "profiles/")
"""What is unpacked first: it says whether the rest is worth unpacking."""


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What was restored.

    Attributes:
        folder: The data folder.
        created: When the backup was made, in ISO 8601, UTC.
        files: Files of the library, all workspaces together.
        conversations: Conversations.
        chunks: Passages that a search can return.
        moved: Where the library is that was there before, or None.
        warnings: What is wrong with the library, for people.
    """

    folder: Path
    created: str
    files: int
    conversations: int
    chunks: int
    moved: Path | None = None
    warnings: tuple[str, ...] = ()


def restore(
    parts: Parts,
    source: Path,
    progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
    *,
    force: bool = False,
    any_recipe: bool = False,
) -> RestoreReport:
    """Restore a backup into the data folder, which is empty or not there. Killed at any moment it leaves none or all.

    Args:
        parts: Those of the settings in force; none of them is opened before the backup is in order.
        source: The backup. It is not trusted.
        progress: Called in this thread, at most ten times a second.
        cancel: Set it to stop soon; nothing is changed then.
        force: Move a library that is in the folder aside.
        any_recipe: Restore indexes that the settings in force would not build, too.

    Raises:
        BackupError: The file is no backup that can be restored here; why, and what to do.
        CancelledError: It was cancelled.
        RagError: The model, the database or the engine in force failed.
    """
    folder = parts.settings.data_dir
    check_target(parts, force=force)
    meter = Meter(progress, cancel, "Stopped. Nothing was restored.")
    beside = folder / WORKPLACE if folder.is_mount() else folder.with_name(f".{folder.name}.restore")
    busy = f"Another backup is being restored to {folder}. Wait until it ends, then try again."
    with disk_faults(folder), opened_archive(source) as (archive, manifest):
        check_schema(source, manifest)
        require_room([(folder.parent, manifest.size)], parts.settings.disk_reserve_mb)
        with workplace(beside, busy) as place:
            staged = place / "library"
            _unpack(archive, manifest, staged, parts, meter, any_recipe=any_recipe)
            return _hand_over(parts, staged, manifest, meter)


def _unpack(
    archive: zipfile.ZipFile, manifest: Manifest, staged: Path, parts: Parts, meter: Meter, *, any_recipe: bool
) -> None:
    """Unpack and check all members; first those that say whether the settings are the right ones."""
    staged.mkdir(mode=0o700)
    received = staged.with_name("received")
    count = counter(meter, "Unpacking", len(manifest.members), manifest.size)
    first = [member for member in manifest.members if member.name.startswith(_FIRST)]
    if not any(member.name == _CATALOG for member in first):
        raise BackupError(f"{archive.filename} is no backup that can be restored: it has no {_CATALOG}.")
    for member in first:
        unpack(archive, member, received if member.name == _CATALOG else staged, count)
    _take_rows(received, staged)
    if not any_recipe:
        library = parts.in_folder(staged)
        try:
            check_recipes(library)
        finally:
            library.close()
    for member in manifest.members:
        if member not in first:
            unpack(archive, member, staged, count)


def _take_rows(received: Path, staged: Path) -> None:
    """Copy the rows of a database that nobody vouches for into one that this program makes: no trigger comes along."""
    source, target = Catalog(received), Catalog(staged)
    try:
        with source.snapshot() as snapshot, target.filling(snapshot):
            pass
    finally:
        source.close()
        target.close()


def _hand_over(parts: Parts, staged: Path, manifest: Manifest, meter: Meter) -> RestoreReport:
    """Put what was unpacked and checked in force: engine and database outside of the folder first, then the folder."""
    meter.announce("Checking")
    folder, url = parts.settings.data_dir, parts.settings.database_url.get_secret_value()
    library = parts.in_folder(staged)
    with ExitStack() as stack:
        stack.callback(library.close)
        warnings = (*manifest.warnings, *index_faults(library))
        with library.catalog.snapshot() as snapshot:
            counts = snapshot.files, snapshot.conversations, snapshot.chunks
            if not isinstance(parts.engine, FileEngine):
                stack.enter_context(_points_in(parts.engine, library, meter))
            if url:
                stack.enter_context(_rows_in(url, snapshot, staged))
        library.close()
        if not isinstance(parts.engine, FileEngine):
            shutil.rmtree(staged / INDEX, ignore_errors=True)
        if url:
            for path in staged.glob(f"{_CATALOG}*"):
                path.unlink()
        meter.check()
        if hasattr(os, "sync"):
            os.sync()
        moved = _place(staged, folder)
    return RestoreReport(folder, manifest.created, *counts, moved, warnings)


@contextmanager
def _points_in(engine: IndexEngine, library: Parts, meter: Meter) -> Iterator[None]:
    """Copy the points of a library to an engine outside of its folder, and remove them again when what follows fails.

    Raises:
        BackupError: The engine has a collection of that name already.
    """
    names = {record.collection for record in active_indexes(library.catalog).values()}
    if taken := sorted(names & set(engine.collections())):
        raise BackupError(
            f"The vector engine has {', '.join(taken)} already, of this or another library. Nothing was changed. "
            "Remove them there, or use another server."
        )
    try:
        transfer(library.engine, library, engine, meter)
        yield
    except BaseException:
        for name in names & set(engine.collections()):
            engine.drop(name)
        raise


@contextmanager
def _rows_in(url: str, snapshot: Snapshot, folder: Path) -> Iterator[None]:
    """Copy the rows of a library to a database outside of its folder; they are committed when what follows is done."""
    catalog = Catalog(folder, url)
    try:
        with catalog.filling(snapshot):
            yield
    finally:
        catalog.close()


def _place(staged: Path, folder: Path) -> Path | None:
    """Move the unpacked library to the data folder; return where the one is now that was there, or None."""
    if folder.is_mount():
        for path in sorted(staged.iterdir(), key=lambda path: path.name == _CATALOG):  # which makes the rest count
            path.replace(folder / path.name)
        return None
    moved = None
    if folder.is_dir() and any(folder.iterdir()):
        moved = folder.with_name(f"{folder.name}.before-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
        folder.rename(moved)
    staged.replace(folder)
    return moved
