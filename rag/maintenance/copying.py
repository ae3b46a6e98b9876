"""A copy of a whole library as of one moment, in a folder, while others write to it; and points between engines."""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from typing import Protocol, runtime_checkable

from rag.catalog import Catalog, IndexRecord, Snapshot
from rag.errors import NotFoundError, VectorIndexError
from rag.ingest.index_records import recipe_of
from rag.jobs import Meter
from rag.maintenance.sparse import allocated, copy_sparse, private_folder
from rag.parts import Parts
from rag.retrieval.analyser import terms_of
from rag.tasks import TASKS
from rag.types import Filter, IndexEngine, Point, VectorIndex

FOLDERS = ("profiles", "evaluations")
"""Folders of the data folder that are copied as they are: tuned profiles, and reports of evaluations."""
INDEX = "index"
ORIGINALS = "files"


@runtime_checkable
class FileEngine(Protocol):
    """An engine whose collections are files in a folder: they are copied as they are.

    Rows that are written anew have the same ids and vectors, but not the same BM25 scores, which depend on what was
    deleted, nor the same graph. A copy of the files answers as the original does.
    """

    @property
    def folder(self) -> Path:
        """The folder."""
        ...

    def still(self) -> AbstractContextManager[None]:
        """Within it, no process changes the files."""
        ...

    def files(self) -> list[Path]:
        """Return the files that make up all collections, relative to the folder."""
        ...


def copy_library(parts: Parts, target: Path, meter: Meter) -> list[str]:
    """Copy the library as it is at this moment into a folder, as a library that lies there with all it has.

    Of what others are doing meanwhile, what is committed is in it. Writers of an embedded index wait while its files
    are copied, and for nothing else.

    Returns:
        What is wrong with the library, for people.

    Raises:
        RagError: Catalog or index cannot be read.
        OSError: Something cannot be read or written.
    """
    engine, catalog = parts.engine, parts.catalog
    is_still = engine.still() if isinstance(engine, FileEngine) else nullcontext()
    with ExitStack() as stack:
        with is_still:
            snapshot = stack.enter_context(catalog.snapshot())
            if isinstance(engine, FileEngine):
                _copy_files(engine.folder, engine.files(), target / INDEX, meter)
            missing = _link_originals(catalog, snapshot, target / ORIGINALS)
        copy = Catalog(target)
        stack.callback(copy.close)
        with copy.filling(snapshot):
            meter.announce("Copying the catalog")
    for name in (ORIGINALS, *FOLDERS):
        folder = parts.settings.data_dir / name
        names = _plain_files(folder, "*" if name == ORIGINALS else "**/*")  # beside the originals: whose they are
        _copy_files(folder, names, target / name, meter)
    copied = parts.in_folder(target)
    try:
        if not isinstance(engine, FileEngine):
            transfer(engine, copied, copied.engine, meter)
        faults = [*_missing(missing), *_damaged_originals(target / ORIGINALS, meter), *index_faults(copied)]
    finally:
        copied.close()
    return faults


def library_bytes(parts: Parts) -> tuple[int, int]:
    """Return about how many bytes a copy of the index and the catalog takes, and how many the originals take."""
    engine, folder = parts.engine, parts.settings.data_dir
    inside = [engine.folder / path for path in engine.files()] if isinstance(engine, FileEngine) else []
    copied = [
        *inside,
        *folder.glob("catalog.db*"),
        *(folder / n / p for n in FOLDERS for p in _plain_files(folder / n)),
    ]
    return sum(map(allocated, copied)), sum(path.stat().st_size for path in (folder / ORIGINALS).glob("??/*"))


def index_faults(parts: Parts) -> list[str]:
    """Compare the passages in the index with those that the catalog counts; return what is wrong, for people."""
    faults = []
    for task in TASKS:
        for name in parts.catalog.workspaces():
            workspace = parts.catalog.workspace(name)
            files, _, expected = workspace.counts(task)
            if not files:
                continue
            try:
                index = parts.indexes.active(task)
                visible = Filter(name, workspace.hidden_versions(task))
                count = 0 if index is None else index.count(visible)
            except VectorIndexError as exc:
                faults.append(f"The index of task {task!r} cannot be read: {exc}")
                continue
            if count != expected:
                faults.append(
                    f"The index of task {task!r} has {count:,} passages, expected {expected:,} of {files:,} files."
                )
    return faults


def transfer(source: IndexEngine, catalog_of: Parts, target: IndexEngine, meter: Meter) -> None:
    """Copy the points of the active indexes from one engine to another, the same ids and vectors.

    Args:
        source: Has the collections.
        catalog_of: The library whose active indexes they are.
        target: Gets them; it has none of that name, or empty ones.
        meter: Counts passages.
    """
    for task, record in active_indexes(catalog_of.catalog).items():
        index = source.open_as_built(record.collection)
        if index is not None:
            meter.begin("Copying passages", index.count(), "chunk")
            _copy_points(index, target.open(recipe_of(record)), catalog_of, task, meter)
            target.claim(record.collection, catalog_of.catalog.id)


def active_indexes(catalog: Catalog) -> dict[str, IndexRecord]:
    """Return the active index of every task that has one."""
    records = {task: catalog.active_index(task) for task in TASKS}
    return {task: record for task, record in records.items() if record is not None}


def _copy_points(source: VectorIndex, target: VectorIndex, parts: Parts, task: str, meter: Meter) -> None:
    analyser = parts.recipes.of(task).task.mix.analyser
    for workspace in parts.catalog.workspaces():
        for points in source.scroll(Filter(workspace), with_vectors=True):
            terms = [" ".join(terms_of(point.payload, analyser)) for point in points]
            rows = zip(points, terms, strict=True)
            target.upsert([Point(point.id, point.vectors, point.payload, text) for point, text in rows])
            meter.step(len(points))


def _plain_files(folder: Path, pattern: str = "**/*") -> list[Path]:
    paths = (path for path in folder.glob(pattern) if path.is_file() and not path.is_symlink())
    return sorted(path.relative_to(folder) for path in paths)


def _copy_files(source: Path, names: list[Path], target: Path, meter: Meter) -> None:
    if names:
        meter.begin("Copying", len(names), "file", weight=sum(allocated(source / name) for name in names) or 1)
    for name in names:
        copy_sparse(source / name, target / name)
        meter.step(weight=allocated(target / name), item=name.name)


def _link_originals(catalog: Catalog, snapshot: Snapshot, target: Path) -> int:
    """Give every original a second name, as one that is no longer wanted may go before it is read.

    Returns:
        How many of current versions are missing.
    """
    missing = 0
    for sha256, is_needed in snapshot.originals().items():
        try:
            path = catalog.originals.path(sha256)
            _link(path, target / sha256[:2] / sha256)
        except (NotFoundError, FileNotFoundError):
            missing += is_needed
    return missing


def _link(path: Path, target: Path) -> None:
    private_folder(target.parent)
    try:
        os.link(path, target)
    except FileNotFoundError:
        raise
    except OSError:  # a file system without second names
        shutil.copyfile(path, target)


def _missing(count: int) -> list[str]:
    text = f"{count:,} originals are missing: their files can be searched, but not be built again."
    return [text] if count else []


def _damaged_originals(folder: Path, meter: Meter) -> list[str]:
    """Leave out originals whose bytes are not those that were ingested."""
    paths = sorted(folder.glob("??/*"))
    meter.begin("Checking", len(paths), "file")
    damaged = 0
    for path in paths:
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != path.name:
                damaged += 1
                path.unlink()
        meter.step(item=path.name)
    text = f"{damaged:,} originals were changed since they were ingested and are left out."
    return [text] if damaged else []
