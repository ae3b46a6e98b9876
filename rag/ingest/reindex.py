"""Builds the index of a task again, beside the active one, and switches when it is whole."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from itertools import groupby
from uuid import uuid4

from rag.catalog import IndexRecord, NewVersion, VersionRecord, VersionState
from rag.errors import (
    CancelledError,
    IndexLockedError,
    IndexUnavailableError,
    RecipeMismatchError,
    VectorIndexError,
)
from rag.ingest.index_records import is_built_by, recipe_of, record_of
from rag.ingest.indexes import Indexes, IndexInForce
from rag.ingest.pipeline import Pipeline
from rag.ingest.reading import VersionJob
from rag.ingest.report import FileOutcome, FileStatus, ReindexReport, RunOutcome
from rag.ingest.storing import Writer, purge
from rag.jobs import Meter
from rag.recipes import RecipeInForce
from rag.types import VectorIndex

_LOG = logging.getLogger(__name__)


def rebuild_index(
    indexes: Indexes, pipeline: Pipeline, task: str, meter: Meter, *, force: bool = False
) -> ReindexReport:
    """Rebuild every current version of every workspace from its original; only the writer may call it.

    Questions are answered from the old index until the new one becomes active in one commit. An interrupted reindex
    leaves the old one active and is resumed by the next. A file that cannot be read again is listed as a failure and
    leaves the index. An index that is whole and as the settings want it stays as it is, unless `force` is set. One that
    is missing or damaged is built from the originals alone.

    Raises:
        UnknownNameError: No such task.
        RagError: The model, an index or the catalog failed. The old index is still the active one.
    """
    active = indexes.catalog.active_index(task)
    current = indexes.catalog.versions(VersionState.CURRENT, task=task)
    if active is None or not current:
        indexes.open(task)
        return ReindexReport(task)
    old = _reusable(indexes, task, force=force)
    try:
        return _rebuild(indexes, pipeline, (active, current), old, meter)
    except (IndexLockedError, IndexUnavailableError, RecipeMismatchError):
        raise
    except VectorIndexError as exc:
        if old is None:
            raise
        _LOG.warning("task %s: the old index cannot be read, so that all is embedded again: %s", task, exc)
        return _rebuild(indexes, pipeline, (active, current), None, meter)


def _rebuild(
    indexes: Indexes,
    pipeline: Pipeline,
    before: tuple[IndexRecord, Sequence[VersionRecord]],
    reusable: VectorIndex | None,
    meter: Meter,
) -> ReindexReport:
    """Rebuild with the vectors of an index that can be read, or without any; `before` is what is active now."""
    started = time.perf_counter()
    active, current = before
    task, catalog, recipe = active.task, indexes.catalog, indexes.recipes.of(active.task)
    record = _target(indexes, recipe, active, reusable, current)
    ready = _resumable(indexes, recipe, record, active, current)
    if record == active:
        purge(indexes, task)
        return ReindexReport(task, unchanged=len(current))
    target = indexes.at(record, recipe)
    jobs = [_job(version, record.collection) for version in current if version.file not in ready]
    weight = sum(job.version.size for _, job in jobs)
    meter.begin("Embedding", len(current), "file", done=len(ready), weight=weight, work_unit="chunk")
    runs = list(_runs(indexes, pipeline, jobs, target, meter, reusable))
    complete = len(ready) + sum(len(run.done) for run in runs)
    switched = bool(complete) and not any(run.error for run in runs)
    if switched:
        meter.announce("Finishing")
        catalog.switch(record)
        purge(indexes, task)
    return _report(task, complete, runs, switched, time.perf_counter() - started)


def _reusable(indexes: Indexes, task: str, *, force: bool) -> VectorIndex | None:
    """The active index when its vectors can be taken over: it can be read, and the model is what it was."""
    old = indexes.readable(task)
    try:
        return old if old is not None and not force and indexes.same_model(old, indexes.recipes.of(task)) else None
    except (IndexLockedError, IndexUnavailableError):
        raise
    except VectorIndexError as exc:
        _LOG.warning("task %s: the old index cannot be read, so that all is embedded again: %s", task, exc)
        return None


def _target(
    indexes: Indexes,
    recipe: RecipeInForce,
    active: IndexRecord,
    reusable: VectorIndex | None,
    current: Sequence[VersionRecord],
) -> IndexRecord:
    """The index to build, or the active one when it is as it should be. The same recipe again is a new generation."""
    identity = indexes.identity(recipe)
    if not is_built_by(identity, active):
        return record_of(identity, active.generation)
    if reusable is not None and _is_whole(reusable, current) and indexes.has_all_modes(reusable, active.task):
        return active
    return record_of(identity, active.generation + 1)


def _is_whole(index: VectorIndex, current: Sequence[VersionRecord]) -> bool:
    counts = index.version_counts()
    return all(counts.get(version.id) == version.chunks for version in current)


def _resumable(
    indexes: Indexes,
    recipe: RecipeInForce,
    target: IndexRecord,
    active: IndexRecord,
    current: Sequence[VersionRecord],
) -> set[str]:
    """Files that an interrupted reindex has built already; what it left for another target is retired."""
    catalog = indexes.catalog
    unfinished = catalog.versions(VersionState.READY, VersionState.PENDING, task=target.task)
    useful = [version for version in unfinished if version.collection == target.collection]
    if target != active and useful and not _goes_on(indexes, recipe, target, useful):
        useful = []
        indexes.drop(target.collection)
    useful_ids = {version.id for version in useful}
    catalog.retire([v.id for v in unfinished if v.id not in useful_ids and v.collection != active.collection])
    sha256_of_file = {version.file: version.sha256 for version in current}
    ready = (version for version in useful if version.state is VersionState.READY)
    return {version.file for version in ready if sha256_of_file.get(version.file) == version.sha256}


def _goes_on(indexes: Indexes, recipe: RecipeInForce, target: IndexRecord, unfinished: Sequence[VersionRecord]) -> bool:
    """True when what an interrupted reindex left can be read, is whole as far as it came, and of the same model."""
    try:
        index = indexes.engine.open(recipe_of(target))
        ready = [version for version in unfinished if version.state is VersionState.READY]
        return _is_whole(index, ready) and indexes.same_model(index, recipe)
    except (IndexLockedError, IndexUnavailableError):
        raise
    except VectorIndexError:
        return False


def _job(version: VersionRecord, collection: str) -> tuple[str, VersionJob]:
    """Return the workspace of a version and the job that builds it again."""
    new = NewVersion(str(uuid4()), version.file, version.task, version.name, version.sha256, version.size, collection)
    return version.workspace, VersionJob(new)


def _runs(
    indexes: Indexes,
    pipeline: Pipeline,
    jobs: Sequence[tuple[str, VersionJob]],
    target: IndexInForce,
    meter: Meter,
    reusable: VectorIndex | None,
) -> Iterator[RunOutcome]:
    """One run a workspace, until one is stopped."""
    known = [] if reusable is None else [reusable]
    for name, group in groupby(jobs, key=lambda pair: pair[0]):
        workspace = indexes.catalog.workspace(name)
        writer = Writer(workspace, indexes.catalog.originals.cards, target.index, workspace.make_ready)
        run = pipeline.run([job for _, job in group], target, writer, meter, known)
        if run.error is not None and not isinstance(run.error, CancelledError):
            raise run.error
        yield run
        if run.error is not None:
            return


def _report(task: str, files: int, runs: Sequence[RunOutcome], switched: bool, seconds: float) -> ReindexReport:
    done = [
        FileOutcome(job.version.name, FileStatus.UPDATED, "", finished.chunks)
        for run in runs
        for job, finished in run.done
    ]
    failed = [
        FileOutcome(end.job.version.name, FileStatus.FAILED, end.reason, kind=end.kind)
        for run in runs
        for end in run.failed
    ]
    return ReindexReport(
        task=task,
        files=files,
        failed=len(failed),
        chunks=sum(run.chunks for run in runs),
        embedded=sum(run.embedded for run in runs),
        reused=sum(run.reused for run in runs),
        seconds=seconds,
        switched=switched,
        outcomes=(*done, *failed),
    )
