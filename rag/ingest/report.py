"""How files, runs, ingests and reindexes ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from rag.catalog import Finished
from rag.errors import RagError
from rag.ingest.reading import End, VersionJob


class FileStatus(StrEnum):
    """How ingesting one file ended."""

    ADDED = "added"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    DUPLICATE = "duplicate"
    FAILED = "failed"
    STOPPED = "stopped"
    SKIPPED = "skipped"


class Completion(StrEnum):
    """How much of the work was done."""

    ALL = "all"
    SOME = "some"
    NONE = "none"


_SUCCESS = frozenset({FileStatus.ADDED, FileStatus.UPDATED, FileStatus.UNCHANGED, FileStatus.DUPLICATE})


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run of the pipeline over some jobs ended. `error` is what stopped it early, if anything."""

    done: Sequence[tuple[VersionJob, Finished]] = ()
    failed: Sequence[End] = ()
    chunks: int = 0
    embedded: int = 0
    reused: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)
    error: RagError | None = None


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """How ingesting one file ended. `reason` says why it failed, or whose duplicate it is; `kind` names the error."""

    name: str
    status: FileStatus
    reason: str = ""
    chunks: int = 0
    kind: str = ""


@dataclass(frozen=True, slots=True)
class IngestReport:
    """The files of an ingest and how each ended, with counts and times.

    Attributes:
        outcomes: One a file, in the order of the items.
        skipped: What folders hold beside files that can be read, with the reason.
        hidden: Number of files and folders that were left out because their names begin with a dot.
        chunks: Chunks written; `embedded + reused` of the files that were committed and of those that were stopped.
        embedded: Chunks that went through the model.
        reused: Chunks whose vectors existed already.
        seconds: By stage: `total` and `embed`, `lookup`, `wait` as they add up in the main thread; `read` and `write`
            run beside them, in threads of their own.
    """

    outcomes: tuple[FileOutcome, ...]
    chunks: int = 0
    embedded: int = 0
    reused: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)
    skipped: tuple[FileOutcome, ...] = ()
    hidden: int = 0

    @property
    def completion(self) -> Completion:
        """Return how many of the files are in the library; none of no files."""
        succeeded = sum(outcome.status in _SUCCESS for outcome in self.outcomes)
        if not succeeded:
            return Completion.NONE
        return Completion.ALL if succeeded == len(self.outcomes) else Completion.SOME


@dataclass(frozen=True, slots=True)
class ReindexReport:
    """How a reindex ended, with counts.

    Attributes:
        files: Files rebuilt, those of an earlier interrupted run included.
        failed: Files that could not be read again; they are listed as failures.
        switched: True when the new index is the active one.
        unchanged: Files of an index that is as it should be, so that nothing was done.
        outcomes: One a file that was worked on in this run.
    """

    task: str
    files: int = 0
    failed: int = 0
    chunks: int = 0
    embedded: int = 0
    reused: int = 0
    seconds: float = 0.0
    switched: bool = False
    outcomes: tuple[FileOutcome, ...] = ()
    unchanged: int = 0

    @property
    def completion(self) -> Completion:
        """Return all when every file is in the new index, none while the old index is still active."""
        if not self.outcomes and not self.failed:
            return Completion.ALL
        return Completion.NONE if not self.switched else Completion.SOME if self.failed else Completion.ALL
