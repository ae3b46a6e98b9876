"""Files into committed versions: the one place that adds, replaces, rebuilds and removes them."""

from __future__ import annotations

import logging
import os
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from rag.catalog import IndexRecord, NewVersion
from rag.errors import CancelledError, CatalogError, DiskFullError, NotFoundError, VectorIndexError
from rag.ingest.indexes import Indexes
from rag.ingest.items import Action, HashedFile, IngestItem, PlannedFile, hash_files, plan
from rag.ingest.outcomes import outcomes_of
from rag.ingest.pipeline import Pipeline
from rag.ingest.quota import beyond_quota
from rag.ingest.reading import End, Parser, VersionJob
from rag.ingest.reindex import rebuild_index
from rag.ingest.report import FileOutcome, FileStatus, IngestReport, ReindexReport
from rag.ingest.storing import Batch, Writer, purge, sweep
from rag.jobs import Meter, OnProgress
from rag.loaders import LoaderPool
from rag.types import KnownVectors

_LOG = logging.getLogger(__name__)


class Ingestor:
    """Adds, replaces and removes the files of one workspace. Safe to call from many threads: writers take turns.

    Args:
        indexes: The indexes of all tasks, and the settings.
        parser: Reads files; by default processes with the limits that the settings name, which `close` ends.
        workspace: The tenant; by default the one in the settings.
        threads: Files that are read at the same time; by default one more than there are processes that parse.
    """

    def __init__(self, indexes: Indexes, parser: Parser | None = None, workspace: str = "", threads: int = 0) -> None:
        settings = indexes.settings
        workers = settings.workers or max(1, (os.cpu_count() or 2) - 1)
        self._pool = LoaderPool.from_settings(settings, workers)
        self._indexes = indexes
        self._writer = indexes.catalog.writer
        self._reserve = settings.reserve
        self._workspace = indexes.catalog.workspace(workspace or settings.workspace)
        self._unwanted: set[str] = set()
        self._pipeline = Pipeline(parser or self._pool, indexes.catalog.originals, threads or workers + 1)

    def close(self) -> None:
        """End the processes that parse files."""
        self._pool.close()

    def ingest(
        self,
        items: Sequence[IngestItem],
        task: str,
        progress: OnProgress | None = None,
        cancel: threading.Event | None = None,
        known: Sequence[KnownVectors] = (),
    ) -> IngestReport:
        """Ingest files, several at a time. A file that cannot be read fails alone; running it again resumes.

        Args:
            items: Files; `discover` and `stage` make them.
            task: Task whose index they go to.
            progress: Called in this thread, at most ten times a second and at the end.
            cancel: Set it to stop soon. What is committed stays; the rest is reported as stopped.
            known: What else may hold vectors already.

        Raises:
            UnknownNameError: No such task.
            DiskFullError: The disk has too little room for the files.
            RecipeMismatchError: The index was built by another recipe.
            RagError: The model, the index or the catalog failed before any file was finished.
        """
        started = time.perf_counter()
        with self._writer.hold(cancel):
            target = self._indexes.in_force(task)
            meter = Meter(progress, cancel)
            meter.begin("Hashing", len(items), "file")
            entries = hash_files(items, meter)
            hashed = [entry for entry in entries if isinstance(entry, HashedFile)]
            indexed = target.index.versions()
            records, ids = self._workspace.files(task), self._workspace.file_ids(task)
            planned = plan(hashed, records, indexed)
            jobs = _jobs(planned, target.record, ids)
            unread = len(items) - len(jobs)
            weight = sum([job.version.size for job in jobs.values()])
            if jobs:
                self._reserve.check(weight)
            meter.begin("Embedding", len(items), "file", done=unread, weight=weight, work_unit="chunk")
            catalog = self._indexes.catalog
            writer = Writer(self._workspace, catalog.originals.cards, target.index, self._workspace.commit)
            refused = self._refuse(jobs, writer)
            admitted = [job for name, job in jobs.items() if name not in refused]
            with catalog.arriving([job.version.sha256 for job in admitted]):
                run = self._pipeline.run(admitted, target, writer, meter, known)
            run = replace(run, failed=(*refused.values(), *run.failed))
            if run.error is not None and not run.done and not isinstance(run.error, CancelledError):
                raise run.error
            ended = iter(outcomes_of(planned, jobs, run))
            outcomes = tuple([entry if isinstance(entry, FileOutcome) else next(ended) for entry in entries])
            with self._reserve.spare():
                self._settle(task, planned, outcomes)
                meter.announce("Finishing")
                purge(self._indexes, task)
                self._discard()
        self._optimise(target.record.collection, meter)
        seconds = {**run.seconds, "total": time.perf_counter() - started}
        return IngestReport(outcomes, run.chunks, run.embedded, run.reused, seconds)

    def reindex(
        self,
        task: str,
        progress: OnProgress | None = None,
        cancel: threading.Event | None = None,
        *,
        force: bool = False,
    ) -> ReindexReport:
        """Rebuild the task's index, of all workspaces, by the recipe that the settings ask for; see `rebuild_index`."""
        meter = Meter(progress, cancel)
        with self._writer.hold(cancel):
            report = rebuild_index(self._indexes, self._pipeline, task, meter, force=force)
        active = self._indexes.catalog.active_index(task)
        if active is not None:
            self._optimise(active.collection, meter)
        return report

    def delete(self, targets: Sequence[str], task: str | None = None) -> int:
        """Remove files with all their chunks.

        Args:
            targets: File ids, file names, or ids of documents that are a file of their own.
            task: Only this task's files, or None for all.

        Returns:
            How many files were removed; a file that only failed counts.

        Raises:
            NotFoundError: Nothing of that id or name; nothing is removed.
            CatalogError: A target is one of many documents of a file; nothing is removed.
        """
        self._unwanted |= self._kept_for(set(targets), task)
        with self._writer.hold(), self._reserve.spare():
            doomed: dict[str, set[str]] = defaultdict(set)
            for target in targets:
                for file_task, name in self._find(target, task):
                    doomed[file_task].add(name)
            for file_task, names in doomed.items():
                self._workspace.retire_files(file_task, sorted(names))
            for file_task in doomed:
                self._purge_deleted(file_task)
            self._discard()
        return sum(len(names) for names in doomed.values())

    def dismiss(self, task: str, name: str) -> None:
        """Take a failure off the list, with the bytes that were kept for it; while somebody writes, they go after."""
        self._unwanted |= self._kept_for({name}, task)
        self._workspace.failures.dismiss(task, name)
        with self._writer.attempt() as acquired:
            if acquired:
                self._discard()

    def sweep(self) -> int:
        """Remove what interrupted work left behind; for the start of a program. Returns how many versions went."""
        with suppress(DiskFullError), self._reserve.spare():  # the next start goes on
            return sweep(self._indexes)
        return 0

    def _optimise(self, collection: str, meter: Meter) -> None:
        """Make a large index fast to search. One that cannot be made faster answers as it did."""
        if meter.cancelled:
            return
        meter.announce("Building search structures")
        try:
            built = self._indexes.engine.optimise(collection)
        except (VectorIndexError, DiskFullError) as exc:
            _LOG.warning("index %s: %s", collection, exc)
        else:
            if built:
                _LOG.info("index %s: built the search structures of %d points", collection, built)

    # -- ingest --------------------------------------------------------------------------------------------------------

    def _refuse(self, jobs: Mapping[str, VersionJob], writer: Writer) -> dict[str, End]:
        """Record the files that the library has no room for as failures; return how they end, by name."""
        ends = beyond_quota(jobs.values(), self._workspace.files(), self._indexes.settings.max_library_mb)
        if ends:
            writer.write(Batch(failed=[(end, False) for end in ends]))
        return {end.job.version.name: end for end in ends}

    def _settle(self, task: str, planned: Sequence[PlannedFile], outcomes: Sequence[FileOutcome]) -> None:
        """Bring the rest in line: what a duplicate's name held before goes, and so do failures that are over."""
        # Files that were read are settled by their commit; mostly there are no others.
        same = {o.name: o.status for o in outcomes if o.status in (FileStatus.UNCHANGED, FileStatus.DUPLICATE)}
        failed = {failure.name for failure in self._workspace.failures.list(task)} if same else set()
        for entry in planned:
            name = entry.file.item.name
            if same.get(name) is FileStatus.DUPLICATE and entry.record is not None and entry.twin != name:
                self._workspace.retire([entry.record.version])
            if name in same and name in failed:
                self._workspace.failures.dismiss(task, name)
            if same.get(name) is FileStatus.UNCHANGED:
                self._indexes.catalog.originals.restore(entry.file.sha256, entry.file.item.path, entry.file.size)

    # -- delete --------------------------------------------------------------------------------------------------------

    def _purge_deleted(self, task: str) -> None:
        """Remove what is hidden already. When the index cannot be used now, whoever opens it next does the rest."""
        try:
            purge(self._indexes, task)
        except VectorIndexError as exc:
            _LOG.warning("deleted and hidden from every search; the chunks are removed later: %s", exc)

    def _kept_for(self, names: set[str], task: str | None) -> set[str]:
        """Return the SHA-256 of the bytes that are kept for failures of these names."""
        return {f.sha256 for f in self._workspace.failures.list(task) if f.name in names and f.sha256}

    def _discard(self) -> None:
        """Remove bytes that were kept for failures that are over; only the writer may call it."""
        unwanted, self._unwanted = self._unwanted, set()
        if unwanted:
            catalog = self._indexes.catalog
            for sha256 in unwanted - catalog.wanted_originals(unwanted):
                if not catalog.originals.cards.refers_to(sha256):
                    catalog.originals.remove(sha256)

    def _find(self, target: str, task: str | None) -> list[tuple[str, str]]:
        """Return task and name of the files that a target means."""
        files = [(f.task, f.name) for f in self._workspace.files(task) if target in (f.id, f.name)]
        failures = [(f.task, f.name) for f in self._workspace.failures.list(task) if f.name == target]
        if files or failures:
            return files + failures
        try:
            document = self._workspace.document(target)
        except NotFoundError:
            document = None
        if document is None or task not in (None, document.task):
            raise NotFoundError(f"Found no file or document {target!r}. `python -m rag documents` lists them.")
        if document.key:
            raise CatalogError(
                f"This document is one of those in the file {document.name!r}. Delete the file, or ingest it again "
                "without this document."
            )
        return [(document.task, document.name)]


def _jobs(planned: Sequence[PlannedFile], index: IndexRecord, ids: Mapping[str, str]) -> dict[str, VersionJob]:
    """Return a job by name for each file that has to be read; `ids` has the ids of names that had files before."""
    jobs = {}
    for entry in planned:
        if entry.action in (Action.ADD, Action.UPDATE):
            file, name = entry.file, entry.file.item.name
            version = NewVersion(
                id=str(uuid.uuid4()),
                file=ids.get(name) or str(uuid.uuid4()),
                task=index.task,
                name=name,
                sha256=file.sha256,
                size=file.size,
                collection=index.collection,
            )
            jobs[name] = VersionJob(version, file.item.path)
    return jobs
