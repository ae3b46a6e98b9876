"""How a batch ended, file by file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rag.errors import CancelledError
from rag.ingest.items import Action, PlannedFile
from rag.ingest.reading import VersionJob
from rag.ingest.report import FileOutcome, FileStatus, RunOutcome

_STATUS = {
    Action.ADD: FileStatus.ADDED,
    Action.UPDATE: FileStatus.UPDATED,
    Action.UNCHANGED: FileStatus.UNCHANGED,
    Action.DUPLICATE: FileStatus.DUPLICATE,
}


def outcomes_of(planned: Sequence[PlannedFile], jobs: Mapping[str, VersionJob], run: RunOutcome) -> list[FileOutcome]:
    """Return how it ended for each planned file, in order; a duplicate shares the fate of its twin."""
    chunks = {job.version.name: finished.chunks for job, finished in run.done}
    failed = {end.job.version.name: end for end in run.failed}

    def outcome(entry: PlannedFile) -> FileOutcome:
        name, source = entry.file.item.name, entry.twin or entry.file.item.name
        if entry.action is Action.CLASH:
            reason = "Another file of this batch has the same name and other content. Rename one of them."
            return FileOutcome(name, FileStatus.FAILED, reason, kind="NameClash")
        if source in failed:
            return FileOutcome(name, FileStatus.FAILED, failed[source].reason, kind=failed[source].kind)
        if source in jobs and source not in chunks:
            stopped = isinstance(run.error, CancelledError)
            status = FileStatus.STOPPED if stopped else FileStatus.FAILED
            return FileOutcome(name, status, str(run.error), kind="" if stopped else type(run.error).__name__)
        reason = f"The same content as {entry.twin}." if entry.twin else ""
        return FileOutcome(name, _STATUS[entry.action], reason, 0 if entry.twin else chunks.get(name, 0))

    return [outcome(entry) for entry in planned]
