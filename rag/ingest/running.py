"""Runs jobs of one workspace through the pipeline, and watches how far they are."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from rag.catalog import Finished, WorkspaceCatalog
from rag.errors import CancelledError, RagError
from rag.ingest.indexes import Indexes
from rag.ingest.pipeline import Pipeline
from rag.ingest.reading import End, Job, Parser, Reader
from rag.ingest.report import Progress
from rag.ingest.vectors import Vectoriser, vector_key
from rag.ingest.writing import Writer
from rag.types import VectorIndex

_REPORT_SECONDS = 0.1


@dataclass(slots=True)
class Monitor:
    """Reports progress, at most ten times a second, and stops the work when it is cancelled.

    Args:
        report: Called in the thread that works; None to report nothing.
        cancel: Set by whoever wants the work to stop.
        files_total: Files of the whole work.
    """

    report: Callable[[Progress], None] | None
    cancel: threading.Event | None
    files_total: int
    files_done: int = 0
    chunks_done: int = 0
    bytes_done: int = 0
    bytes_total: int = 0
    _started: float = 0.0
    _reported: float = 0.0

    def begin(self) -> None:
        """Rates and the time left count from the first call on: the model is loaded and embedding begins."""
        self._started = self._started or time.monotonic()

    def check(self) -> None:
        """Stop here if the work is cancelled.

        Raises:
            CancelledError: It is.
        """
        if self.cancel is not None and self.cancel.is_set():
            raise CancelledError("Stopped. What was finished is kept; the same command goes on from here.")

    def show(
        self, stage: str, name: str = "", files: int = 0, chunks: int = 0, size: float = 0, *, now: bool = False
    ) -> None:
        """Report what is done; `files`, `chunks` and `size` come on top of what is counted already."""
        moment = time.monotonic()
        if self.report is None or (not now and moment < self._reported + _REPORT_SECONDS):
            return
        self._reported = moment
        elapsed = max(moment - (self._started or moment), 1e-9)
        done = min(int(self.bytes_done + size), self.bytes_total)
        left = elapsed * (self.bytes_total - done) / done if done and stage == "embedding" else None
        total = self.chunks_done + chunks
        self.report(
            Progress(
                stage,
                self.files_done + files,
                self.files_total,
                name,
                total,
                total / elapsed,
                done,
                self.bytes_total,
                left,
            )
        )


@dataclass(slots=True)
class Outcome:
    """What a run over some jobs did. `error` is what stopped it early, if anything."""

    done: list[tuple[Job, Finished]] = field(default_factory=list)
    failed: list[End] = field(default_factory=list)
    chunks: int = 0
    embedded: int = 0
    reused: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)
    error: RagError | None = None


@dataclass(frozen=True, slots=True)
class Runner:
    """What every run needs.

    Attributes:
        threads: Files that are read at the same time.
    """

    indexes: Indexes
    parser: Parser
    threads: int

    def run(
        self,
        jobs: Sequence[Job],
        workspace: WorkspaceCatalog,
        into: VectorIndex,
        finish: Callable[[Sequence[Finished]], None],
        monitor: Monitor,
        also: Sequence[VectorIndex] = (),
    ) -> Outcome:
        """Build versions in an index; vectors are looked up there and in `also`.

        A model, index or catalog that fails, and a cancelled work, end the run early; the outcome has the error.
        """
        if not jobs:
            return Outcome()
        writer = Writer(workspace, into, finish)
        sizes = {job.version.id: job.version.size for job in jobs}
        monitor.begin()
        pipeline = self._pipeline(jobs[0].version.task, writer, [into, *also], lambda: _tick(monitor, pipeline, sizes))
        outcome = Outcome()
        started = time.perf_counter()
        try:
            pipeline.run(jobs)
        except RagError as exc:
            outcome.error = exc
        outcome.done, outcome.failed, outcome.chunks = writer.done, writer.failed, writer.chunks
        outcome.embedded, outcome.reused = pipeline.embedded, pipeline.reused
        outcome.seconds = {
            "pipeline": time.perf_counter() - started,
            "embed": pipeline.vectoriser.embed_seconds,
            "lookup": pipeline.vectoriser.lookup_seconds,
            "wait": pipeline.wait_seconds,
            "read": pipeline.read_seconds,
            "write": writer.seconds,
        }
        monitor.files_done += len(writer.done) + len(writer.failed)
        monitor.chunks_done += writer.chunks
        monitor.bytes_done += sum(job.version.size for job in jobs)
        return outcome

    def _pipeline(
        self, task: str, writer: Writer, lookups: Sequence[VectorIndex], tick: Callable[[], None]
    ) -> Pipeline:
        embedder = self.indexes.embedder()
        encoders = self.indexes.encoders(task)
        spec = self.indexes.recipes.of(task).task
        prompt_tokens = max(len(embedder.token_offsets(encoder.document_prompt)) for encoder in encoders.values())
        reader = Reader(self.parser, self.indexes.catalog.originals, spec, embedder, prompt_tokens)
        vectoriser = Vectoriser(encoders, lookups, writer.workspace.workspace, tick)
        return Pipeline(reader, vectoriser, writer, vector_key(self.indexes.wanted(task)), self.threads, tick)


def _tick(monitor: Monitor, pipeline: Pipeline, sizes: Mapping[str, int]) -> None:
    """Report what a pipeline did so far; a file that is still being read counts by its characters."""
    monitor.check()
    writer = pipeline.writer
    ended = [job.version.id for job, _ in writer.done] + [end.job.version.id for end in writer.failed]
    size = sum(sizes[version] for version in ended)
    size += sum(min(chars, sizes[version]) for version, chars in pipeline.chars.items())
    monitor.show("embedding", pipeline.name, len(ended), writer.chunks, size)
