"""Runs jobs of one workspace through the pipeline, and reports how far they are."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from rag.catalog import Finished, WorkspaceCatalog
from rag.errors import RagError
from rag.ingest.indexes import Indexes
from rag.ingest.pipeline import Pipeline
from rag.ingest.reading import End, Job, Parser, Reader
from rag.ingest.vectors import Vectoriser, vector_key
from rag.ingest.writing import Writer
from rag.jobs import Meter
from rag.types import VectorIndex


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
        meter: Meter,
        also: Sequence[VectorIndex] = (),
    ) -> Outcome:
        """Build versions in an index; vectors are looked up there and in `also`.

        A model, index or catalog that fails, and a cancelled work, end the run early; the outcome has the error.
        The meter counts files as steps by their bytes, and chunks as smaller units, on top of what it counts already.
        """
        if not jobs:
            return Outcome()
        writer = Writer(workspace, into, finish)
        sizes = {job.version.id: job.version.size for job in jobs}
        files, weight, chunks = meter.done, meter.weight, meter.work

        def tick() -> None:
            meter.check()
            count_ended()

        def count_ended() -> None:
            ended = [job.version.id for job, _ in writer.done] + [end.job.version.id for end in writer.failed]
            # a file that is still being read counts by its characters, at most for its size
            size = sum(sizes[version] for version in ended)
            size += sum(min(chars, sizes[version]) for version, chars in pipeline.chars.items())
            meter.settle(files + len(ended), weight=weight + size, work=chunks + writer.chunks, item=pipeline.name)

        pipeline = self._pipeline(jobs[0].version.task, writer, [into, *also], tick)
        outcome = Outcome()
        started = time.perf_counter()
        try:
            pipeline.run(jobs)
        except RagError as exc:
            outcome.error = exc
        count_ended()
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
