"""Files into committed versions: the one place that adds, replaces, rebuilds and removes them."""

from __future__ import annotations

import logging
import os
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence

from rag.catalog import FileRecord, NewVersion
from rag.catalog.originals import sha256_of
from rag.errors import CancelledError, CatalogError, NotFoundError, UnreadableFileError, VectorIndexError
from rag.ingest.indexes import Indexes
from rag.ingest.items import IngestItem
from rag.ingest.plan import Action, Hashed, Planned, plan
from rag.ingest.reading import Job, Parser
from rag.ingest.reindex import reindex
from rag.ingest.report import FileOutcome, IngestReport, ReindexReport, Status
from rag.ingest.running import Outcome, Runner
from rag.ingest.sweeping import purge, sweep
from rag.jobs import Meter, OnProgress
from rag.loaders import LoaderPool
from rag.tasks import get_task
from rag.types import VectorIndex

_LOG = logging.getLogger(__name__)
_STATUS = {
    Action.ADD: Status.ADDED,
    Action.UPDATE: Status.UPDATED,
    Action.UNCHANGED: Status.UNCHANGED,
    Action.DUPLICATE: Status.DUPLICATE,
}


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
        self._workspace = indexes.catalog.workspace(workspace or settings.workspace)
        self._runner = Runner(indexes, parser or self._pool, threads or workers + 1)

    def close(self) -> None:
        """End the processes that parse files."""
        self._pool.close()

    def ingest(
        self,
        items: Sequence[IngestItem],
        task: str,
        progress: OnProgress | None = None,
        cancel: threading.Event | None = None,
    ) -> IngestReport:
        """Ingest files, several at a time. A file that cannot be read fails alone; running it again resumes.

        Args:
            items: Files; `discover` and `stage` make them.
            task: Task whose index they go to.
            progress: Called in this thread, at most ten times a second and at the end.
            cancel: Set it to stop soon. What is committed stays; the rest is reported as stopped.

        Raises:
            UnknownNameError: No such task.
            RecipeMismatchError: The index was built by another recipe.
            RagError: The model, the index or the catalog failed before any file was finished.
        """
        get_task(task)
        started = time.perf_counter()
        meter = Meter(progress, cancel)
        with self._writer.hold(cancel):
            index = self._indexes.open(task)
            entries = _hashed(items, meter)
            planned = plan([entry for entry in entries if isinstance(entry, Hashed)], self._known(task, index))
            jobs = self._jobs(planned, task, index.name)
            weight = sum(job.version.size for job in jobs.values())
            unread = len(items) - len(jobs)
            meter.begin("Embedding", len(items), "file", done=unread, weight=weight, work_unit="chunk")
            run = self._runner.run(list(jobs.values()), self._workspace, index, self._workspace.commit, meter)
            if run.error is not None and not run.done and not isinstance(run.error, CancelledError):
                raise run.error
            ended = iter(_outcomes(planned, jobs, run))
            outcomes = tuple(entry if isinstance(entry, FileOutcome) else next(ended) for entry in entries)
            self._settle(task, planned, outcomes)
            meter.announce("Finishing")
            purge(self._indexes, task)
        self._optimise(task, meter)
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
        """Rebuild the task's index, of all workspaces, by the recipe that the settings ask for; see `reindex`."""
        get_task(task)
        meter = Meter(progress, cancel)
        with self._writer.hold(cancel):
            report = reindex(self._runner, task, meter, force=force)
        self._optimise(task, meter)
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
        with self._writer.hold():
            doomed: dict[str, set[str]] = defaultdict(set)
            for target in targets:
                for file_task, name in self._find(target, task):
                    doomed[file_task].add(name)
            for file_task, names in doomed.items():
                self._workspace.retire_files(file_task, sorted(names))
            for file_task in doomed:
                purge(self._indexes, file_task)
        return sum(len(names) for names in doomed.values())

    def sweep(self) -> int:
        """Remove what interrupted work left behind; for the start of a program. Says how many versions went."""
        return sweep(self._indexes)

    def _optimise(self, task: str, meter: Meter) -> None:
        """Make a large index fast to search. One that cannot be made faster answers as it did."""
        active = self._indexes.catalog.active_index(task)
        if active is None or meter.cancelled:
            return
        meter.announce("Building search structures")
        try:
            built = self._indexes.engine.optimise(active.collection)
        except VectorIndexError as exc:
            _LOG.warning("task %s: %s", task, exc)
        else:
            if built:
                _LOG.info("task %s: built the search structures of %d points", task, built)

    # -- ingest --------------------------------------------------------------------------------------------------------

    def _known(self, task: str, index: VectorIndex) -> list[FileRecord]:
        """Files whose chunks are in the index; one whose chunks are gone is ingested again."""
        there = index.versions()
        return [file for file in self._workspace.files(task) if file.version in there]

    def _jobs(self, planned: Sequence[Planned], task: str, collection: str) -> dict[str, Job]:
        """A job by name for each file that has to be read."""
        ids = self._workspace.file_ids(task)
        jobs = {}
        for entry in planned:
            if entry.action in (Action.ADD, Action.UPDATE):
                file, name = entry.file, entry.file.item.name
                new = (str(uuid.uuid4()), ids.get(name) or str(uuid.uuid4()), task, name, file.sha256, file.size)
                jobs[name] = Job(NewVersion(*new, collection), file.item.path)
        return jobs

    def _settle(self, task: str, planned: Sequence[Planned], outcomes: Sequence[FileOutcome]) -> None:
        """Bring the rest in line: what a duplicate's name held before goes, and so do failures that are over."""
        fine = {outcome.name: outcome.status for outcome in outcomes}
        failed = {failure.name for failure in self._workspace.failures.list(task)}
        for entry in planned:
            name = entry.file.item.name
            if fine.get(name) is Status.DUPLICATE and entry.known is not None and entry.twin != name:
                self._workspace.retire([entry.known.version])
            if fine.get(name) in (Status.UNCHANGED, Status.DUPLICATE) and name in failed:
                self._workspace.failures.dismiss(task, name)

    # -- delete --------------------------------------------------------------------------------------------------------

    def _find(self, target: str, task: str | None) -> list[tuple[str, str]]:
        """(task, name) of the files that a target means."""
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


def _hashed(items: Sequence[IngestItem], meter: Meter) -> list[Hashed | FileOutcome]:
    """Hash every file; one that cannot be read has failed already."""
    meter.begin("Hashing", len(items), "file")
    entries: list[Hashed | FileOutcome] = []
    for item in items:
        try:
            entries.append(Hashed(item, sha256_of(item.path), item.path.stat().st_size))
        except OSError as exc:
            reason = f"It cannot be read: {exc.strerror or exc}."
            entries.append(FileOutcome(item.name, Status.FAILED, reason, kind=UnreadableFileError.__name__))
        meter.step(item=item.name)
    return entries


def _outcomes(planned: Sequence[Planned], jobs: Mapping[str, Job], run: Outcome) -> list[FileOutcome]:
    """How it ended for each planned file, in order; a duplicate shares the fate of its twin."""
    chunks = {job.version.name: finished.chunks for job, finished in run.done}
    failed = {end.job.version.name: end for end in run.failed}

    def outcome(entry: Planned) -> FileOutcome:
        name, source = entry.file.item.name, entry.twin or entry.file.item.name
        if entry.action is Action.CLASH:
            reason = "Another file of this batch has the same name and other content. Rename one of them."
            return FileOutcome(name, Status.FAILED, reason, kind="NameClash")
        if source in failed:
            return FileOutcome(name, Status.FAILED, failed[source].reason, kind=failed[source].kind)
        if source in jobs and source not in chunks:
            stopped = isinstance(run.error, CancelledError)
            status = Status.STOPPED if stopped else Status.FAILED
            return FileOutcome(name, status, str(run.error), kind="" if stopped else type(run.error).__name__)
        reason = f"The same content as {entry.twin}." if entry.twin else ""
        return FileOutcome(name, _STATUS[entry.action], reason, 0 if entry.twin else chunks.get(name, 0))

    return [outcome(entry) for entry in planned]
