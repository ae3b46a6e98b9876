"""Writes what was embedded: versions begin, points go to the index, versions are committed. Runs in one thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from rag.catalog import FailureRecord, Finished, NewDocument, NewVersion, WorkspaceCatalog
from rag.ingest.reading import End, Job
from rag.types import Point, VectorIndex

UPSERT_POINTS = 256


@dataclass(slots=True)
class Batch:
    """What belongs together: in this order, versions that begin, their points and documents, and jobs that end."""

    started: list[NewVersion] = field(default_factory=list)
    documents: list[NewDocument] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    finished: list[tuple[Job, Finished]] = field(default_factory=list)
    failed: list[tuple[End, bool]] = field(default_factory=list)


@dataclass(slots=True)
class Writer:
    """Writes batches in the order they come.

    Args:
        workspace: Where versions are recorded.
        index: Where points go.
        finish: Makes complete versions visible, `WorkspaceCatalog.commit`, or ready, `make_ready`.

    Attributes:
        chunks: Points written so far.
        done: Jobs that are committed, with what they took.
        failed: Ends of jobs that could not be read.
    """

    workspace: WorkspaceCatalog
    index: VectorIndex
    finish: Callable[[Sequence[Finished]], None]
    chunks: int = 0
    seconds: float = 0.0
    done: list[tuple[Job, Finished]] = field(default_factory=list)
    failed: list[End] = field(default_factory=list)

    def run(self, batches: Iterable[Batch]) -> None:
        """Write all batches."""
        for batch in batches:
            started = time.perf_counter()
            self._write(batch)
            self.seconds += time.perf_counter() - started

    def _write(self, batch: Batch) -> None:
        """A version is recorded before its first point, so that its points are hidden from the start."""
        if batch.started or batch.documents:
            self.workspace.begin(batch.started, batch.documents)
        for start in range(0, len(batch.points), UPSERT_POINTS):
            points = batch.points[start : start + UPSERT_POINTS]
            self.index.upsert(points)
            self.chunks += len(points)
        if batch.finished:
            self.finish([finished for _, finished in batch.finished])
            self.done += batch.finished
        for end, begun in batch.failed:
            self._fail(end, begun)

    def _fail(self, end: End, begun: bool) -> None:
        version = end.job.version
        if begun:
            self.workspace.retire([version.id])
        failure = FailureRecord(version.task, version.name, version.sha256, end.kind, end.reason, time.time())
        self.workspace.failures.add(failure)
        self.failed.append(end)
