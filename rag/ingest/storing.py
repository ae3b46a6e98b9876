"""Writes to index and catalog: versions begin, points go in, versions are committed, and stale ones are removed."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rag.catalog import FailureRecord, Finished, NewDocument, NewVersion, VersionState, WorkspaceCatalog
from rag.ingest.indexes import Indexes
from rag.ingest.items import sweep_uploads
from rag.ingest.reading import End, VersionJob
from rag.types import Point, VectorIndex

UPSERT_POINTS = 256
_DAY = 86400.0
_LIFETIMES = {VersionState.PENDING: _DAY, VersionState.READY: 7 * _DAY}
"""How long unfinished work stays, so that it can be resumed without embedding it again."""


@dataclass(slots=True)
class Batch:
    """What is written together: in this order, versions that begin, their documents and points, and jobs that end."""

    started: list[NewVersion] = field(default_factory=list)
    documents: list[NewDocument] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    finished: list[tuple[VersionJob, Finished]] = field(default_factory=list)
    failed: list[tuple[End, bool]] = field(default_factory=list)


@dataclass(slots=True)
class Writer:
    """Writes batches in the order they come. Used by one thread; others may read its counts.

    Args:
        workspace: Where versions are recorded.
        index: Where points go.
        finish: Makes complete versions visible, `WorkspaceCatalog.commit`, or ready, `make_ready`.

    Attributes:
        chunks: Points written so far.
        done: Jobs that are committed, with what they took.
        failed: Ends of jobs that could not be read.
        ended_bytes: Bytes of the files of all these jobs.
        seconds: Time spent writing.
    """

    workspace: WorkspaceCatalog
    index: VectorIndex
    finish: Callable[[Sequence[Finished]], None]
    chunks: int = 0
    done: list[tuple[VersionJob, Finished]] = field(default_factory=list)
    failed: list[End] = field(default_factory=list)
    ended_bytes: int = 0
    seconds: float = 0.0

    def write(self, batch: Batch) -> None:
        """Write a batch. A version is recorded before its first point, so that its points are hidden from the start."""
        started = time.perf_counter()
        if batch.started or batch.documents:
            self.workspace.begin(batch.started, batch.documents)
        for start in range(0, len(batch.points), UPSERT_POINTS):
            points = batch.points[start : start + UPSERT_POINTS]
            self.index.upsert(points)
            self.chunks += len(points)
        if batch.finished:
            size = sum([job.version.size for job, _ in batch.finished])
            self.finish([finished for _, finished in batch.finished])
            self.done += batch.finished
            self.ended_bytes += size
        for end, has_begun in batch.failed:
            self._fail(end, has_begun)
        self.seconds += time.perf_counter() - started

    def _fail(self, end: End, has_begun: bool) -> None:
        version = end.job.version
        if has_begun:
            self.workspace.retire([version.id])
        failure = FailureRecord(version.task, version.name, version.sha256, end.kind, end.reason, time.time())
        self.workspace.failures.add(failure)
        self.failed.append(end)
        self.ended_bytes += version.size


def purge(indexes: Indexes, task: str) -> int:
    """Remove the points, rows and originals of a task's stale versions, in this order. Only the writer may call it.

    Returns:
        How many versions were removed.
    """
    catalog = indexes.catalog
    stale = catalog.versions(VersionState.STALE, task=task)
    if not stale:
        return 0
    by_collection: dict[str, list[str]] = defaultdict(list)
    for version in stale:
        by_collection[version.collection].append(version.id)
    active = indexes.active(task)
    unfinished = {v.collection for v in catalog.versions(VersionState.PENDING, VersionState.READY, task=task)}
    removed: list[str] = []
    for collection, versions in by_collection.items():
        if active is not None and collection == active.name:
            active.delete_versions(versions)
        elif collection in unfinished:  # by a reindex that can be resumed
            resumable = indexes.engine.open_as_built(collection)
            if resumable is not None:
                resumable.delete_versions(versions)
        else:
            indexes.drop(collection)
        removed += versions
    catalog.forget(removed)
    for sha256 in {version.sha256 for version in stale} - catalog.wanted_originals():
        catalog.originals.remove(sha256)
    return len(removed)


def sweep(indexes: Indexes) -> int:
    """Remove what interrupted work left behind, unless somebody is writing at the moment. For the start of a program.

    Versions that were interrupted less than a day ago stay, hidden: the next ingest of their file reuses their vectors
    and then drops them. A reindex can be resumed for a week.

    Returns:
        How many versions were removed.
    """
    catalog = indexes.catalog
    with catalog.writer.attempt() as acquired:
        if not acquired:
            return 0
        now = time.time()
        unfinished = catalog.versions(*_LIFETIMES)
        catalog.retire([version.id for version in unfinished if version.created < now - _LIFETIMES[version.state]])
        removed = sum(purge(indexes, task) for task in {v.task for v in catalog.versions(VersionState.STALE)})
        catalog.originals.sweep(catalog.wanted_originals())
        sweep_uploads(indexes.settings.data_dir)
        return removed
