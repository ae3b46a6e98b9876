"""Builds the index of a task again, beside the active one, and switches when it is whole."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import groupby
from uuid import uuid4

from rag.catalog import IndexRecord, NewVersion, VersionRecord, VersionState
from rag.errors import CancelledError
from rag.ingest.indexes import Indexes, is_wanted, recipe_of, record_of
from rag.ingest.reading import Job
from rag.ingest.report import FileOutcome, ReindexReport, Status
from rag.ingest.running import Outcome, Runner
from rag.ingest.sweeping import purge
from rag.jobs import Meter
from rag.types import VectorIndex


def reindex(runner: Runner, task: str, meter: Meter, *, force: bool = False) -> ReindexReport:
    """Rebuild every current version of every workspace from its original; only the writer may call it.

    Questions are answered from the old index until the new one becomes active in one commit. An interrupted reindex
    leaves the old one active and is resumed by the next. A file that cannot be read again is listed as a failure and
    leaves the index. An index that is as the settings want it stays as it is, unless `force` is set.

    Raises:
        RagError: The model, an index or the catalog failed. The old index is still the active one.
    """
    started = time.perf_counter()
    indexes, catalog = runner.indexes, runner.indexes.catalog
    active = catalog.active_index(task)
    current = catalog.versions(VersionState.CURRENT, task=task)
    if active is None or not current:
        indexes.open(task)
        return ReindexReport(task)
    old = indexes.active(task)
    reusable = old is not None and not force and indexes.same_model(old, task)
    target = _target(indexes, active, old, current, rebuild=not reusable)
    ready = _resumable(indexes, target, active, current)
    if target == active:
        purge(indexes, task)
        return ReindexReport(task)
    new = indexes.engine.open(recipe_of(target))
    jobs = [_job(version, target.collection) for version in current if version.file not in ready]
    weight = sum(job.version.size for _, job in jobs)
    meter.begin("Embedding", len(current), "file", done=len(ready), weight=weight, work_unit="chunk")
    runs = list(_runs(runner, jobs, new, [old] if old is not None and reusable else [], meter))
    complete = len(ready) + sum(len(run.done) for run in runs)
    switched = bool(complete) and not any(run.error for run in runs)
    if switched:
        meter.announce("Finishing")
        catalog.switch(target)
        purge(indexes, task)
    return _report(task, complete, runs, switched, time.perf_counter() - started)


def _target(
    indexes: Indexes, active: IndexRecord, old: VectorIndex | None, current: Sequence[VersionRecord], *, rebuild: bool
) -> IndexRecord:
    """The index to build, or the active one when it is as it should be. The same recipe again is a new generation."""
    wanted = indexes.wanted(active.task)
    if not is_wanted(active, wanted):
        return record_of(wanted, active.generation)
    whole = old is not None and {version.id for version in current} <= old.versions()
    if old is not None and whole and not rebuild and indexes.has_all_modes(old, active.task):
        return active
    return record_of(wanted, active.generation + 1)


def _resumable(
    indexes: Indexes, target: IndexRecord, active: IndexRecord, current: Sequence[VersionRecord]
) -> set[str]:
    """Files that an interrupted reindex has built already; what it left for another target is retired."""
    catalog = indexes.catalog
    left = catalog.versions(VersionState.READY, VersionState.PENDING, task=target.task)
    useful = [version for version in left if version.collection == target.collection]
    if target != active and useful and not indexes.same_model(indexes.engine.open(recipe_of(target)), target.task):
        useful = []
        indexes.drop(target.collection)
    kept = {version.id for version in useful}
    catalog.retire([v.id for v in left if v.id not in kept and v.collection != active.collection])
    bytes_of = {version.file: version.sha256 for version in current}
    ready = (version for version in useful if version.state is VersionState.READY)
    return {version.file for version in ready if bytes_of.get(version.file) == version.sha256}


def _job(version: VersionRecord, collection: str) -> tuple[str, Job]:
    new = NewVersion(str(uuid4()), version.file, version.task, version.name, version.sha256, version.size, collection)
    return version.workspace, Job(new)


def _runs(
    runner: Runner,
    jobs: Sequence[tuple[str, Job]],
    new: VectorIndex,
    also: Sequence[VectorIndex],
    meter: Meter,
) -> Iterator[Outcome]:
    """One run a workspace, until one is stopped."""
    for name, group in groupby(jobs, key=lambda pair: pair[0]):
        workspace = runner.indexes.catalog.workspace(name)
        run = runner.run([job for _, job in group], workspace, new, workspace.make_ready, meter, also)
        if run.error is not None and not isinstance(run.error, CancelledError):
            raise run.error
        yield run
        if run.error is not None:
            return


def _report(task: str, files: int, runs: Sequence[Outcome], switched: bool, seconds: float) -> ReindexReport:
    failed = [end for run in runs for end in run.failed]
    done = [
        FileOutcome(job.version.name, Status.UPDATED, "", finished.chunks) for run in runs for job, finished in run.done
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
        outcomes=(
            *done,
            *(FileOutcome(end.job.version.name, Status.FAILED, end.reason, kind=end.kind) for end in failed),
        ),
    )
