"""Writes to index and catalog: versions begin, points go in, versions are committed, and stale ones are removed."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field

from rag.catalog import (
    Catalog,
    FailureRecord,
    Finished,
    NewDocument,
    NewVersion,
    VersionCard,
    VersionCards,
    VersionState,
    WorkspaceCatalog,
)
from rag.catalog.ownership import write_missing_cards
from rag.errors import CatalogError, DiskFullError, VectorIndexError
from rag.ingest.indexes import Indexes
from rag.ingest.items import sweep_uploads
from rag.ingest.reading import End, VersionJob
from rag.turns import TURNS
from rag.types import Filter, Point, VectorIndex

_LOG = logging.getLogger(__name__)
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
        cards: Where complete versions are noted beside their originals.
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
    cards: VersionCards
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
            TURNS.give_way()
            self.index.upsert(points)
            self.chunks += len(points)
        if batch.finished:
            self._finish(batch.finished)
        for end, has_begun in batch.failed:
            self._fail(end, has_begun)
        self.seconds += time.perf_counter() - started

    def _finish(self, complete: Sequence[tuple[VersionJob, Finished]]) -> None:
        """End versions that are whole in the index; one that is not has failed, whatever the engine said before."""
        missing = self._missing_chunks([finished for _, finished in complete])
        whole = [(job, finished) for job, finished in complete if finished.version not in missing]
        try:
            self.cards.add(_card(job.version, finished, self.workspace.workspace) for job, finished in whole)
            self.finish([finished for _, finished in whole])
        except (CatalogError, DiskFullError):
            for job, _ in whole:
                self.cards.remove(job.version.sha256, job.version.id)
            raise
        self.done += whole
        self.ended_bytes += sum([job.version.size for job, _ in whole])
        for job, finished in complete:
            if finished.version in missing:
                reason = (
                    f"The index lacks {missing[finished.version]} of its {finished.chunks} chunks after they were "
                    "written. Ingest it again; if that fails too, run `python -m rag check`."
                )
                self._fail(End(job, VectorIndexError.__name__, reason), has_begun=True)

    def _missing_chunks(self, complete: Sequence[Finished]) -> dict[str, int]:
        """Count what is in the index; return how many chunks are missing, by version."""
        workspace = self.workspace.workspace
        versions = tuple([finished.version for finished in complete])
        if self.index.count(Filter(workspace, versions=versions)) == sum([finished.chunks for finished in complete]):
            return {}
        counts = {version: self.index.count(Filter(workspace, versions=(version,))) for version in versions}
        return {f.version: f.chunks - counts[f.version] for f in complete if f.chunks != counts[f.version]}

    def _fail(self, end: End, has_begun: bool) -> None:
        version = end.job.version
        if has_begun:
            self.workspace.retire([version.id])
        # Bytes are kept for a file that was in the library before, and not for one that was never let in.
        sha256 = version.sha256 if end.job.path is None else ""
        failure = FailureRecord(version.task, version.name, sha256, end.kind, end.reason, time.time())
        self.workspace.failures.add(failure)
        self.failed.append(end)
        self.ended_bytes += version.size


def _card(version: NewVersion, finished: Finished, workspace: str) -> VersionCard:
    counts = {"documents": finished.documents, "chunks": finished.chunks}
    values = {"workspace": workspace, "created": time.time(), **asdict(version), **counts}
    return VersionCard(version=values.pop("id"), **values)


def purge(indexes: Indexes, task: str) -> int:
    """Remove the cards, points, rows and originals of a task's stale versions, in this order. Only for the writer.

    Returns:
        How many versions were removed.

    Raises:
        IndexLockedError: Another process has the index open. The versions are hidden and go later.
    """
    catalog = indexes.catalog
    stale = catalog.versions(VersionState.STALE, task=task)
    if not stale:
        return 0
    by_collection: dict[str, list[str]] = defaultdict(list)
    for version in stale:
        catalog.originals.cards.remove(version.sha256, version.id)
        by_collection[version.collection].append(version.id)
    active = indexes.readable(task)
    collections = set(indexes.engine.collections())
    unfinished = {v.collection for v in catalog.versions(VersionState.PENDING, VersionState.READY, task=task)}
    removed: list[str] = []
    for collection, versions in by_collection.items():
        if active is not None and collection == active.name:
            active.delete_versions(versions)
        elif collection in collections and _is_active(catalog, task, collection):
            continue  # damaged: it goes as a whole
        elif (collection in collections and collection in unfinished) or not indexes.drop(
            collection
        ):  # by a reindex that can be resumed
            _delete_points(indexes, collection, versions)
        removed += versions
    catalog.forget(removed)
    hashes = {version.sha256 for version in stale}
    for sha256 in hashes - catalog.wanted_originals(hashes):
        if not catalog.originals.cards.refers_to(sha256):
            catalog.originals.remove(sha256)
    return len(removed)


def _is_active(catalog: Catalog, task: str, collection: str) -> bool:
    record = catalog.active_index(task)
    return record is not None and record.collection == collection


def _delete_points(indexes: Indexes, collection: str, versions: Sequence[str]) -> None:
    """Remove points from a collection that stays because of others in it."""
    index = indexes.engine.open_as_built(collection)
    if index is not None:
        index.delete_versions(versions)


def sweep(indexes: Indexes) -> int:
    """Remove what interrupted work left behind, unless somebody is writing at the moment. For the start of a program.

    Versions that were interrupted less than a day ago stay, hidden: the next ingest of their file reuses their vectors
    and then drops them. A reindex can be resumed for a week. An index that cannot be used keeps what is in it.

    Returns:
        How many versions were removed.
    """
    catalog = indexes.catalog
    with catalog.writer.attempt() as acquired:
        if not acquired:
            return 0
        catalog.retire(_expired(indexes))
        removed = 0
        for task in {version.task for version in catalog.versions(VersionState.STALE)}:
            try:
                removed += purge(indexes, task)
            except VectorIndexError as exc:
                _LOG.warning("task %s: what is deleted is hidden, and its chunks stay for now: %s", task, exc)
        catalog.sweep_arrivals()
        catalog.originals.sweep_incoming()
        write_missing_cards(catalog)
        sweep_uploads(indexes.settings.data_dir)
        return removed


def _expired(indexes: Indexes) -> list[str]:
    """Return unfinished versions that nobody will resume.

    One with a card was completed: the catalog is an older copy, and `check` reports it. A rebuilt index stays whole
    while the one that it should replace is gone.
    """
    catalog, now = indexes.catalog, time.time()
    old = [v for v in catalog.versions(*_LIFETIMES) if v.created < now - _LIFETIMES[v.state]]
    if not old:
        return []
    cards, collections = catalog.originals.cards, set(indexes.engine.collections())
    active = {task: catalog.active_index(task) for task in {version.task for version in old}}
    return [
        version.id
        for version in old
        if (record := active[version.task]) is not None
        and record.collection in collections
        and (version.state is VersionState.READY or not cards.exists(version.sha256, version.id))
    ]
