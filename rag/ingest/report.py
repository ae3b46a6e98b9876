"""What people see of an ingest: progress while it runs and a report at the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

DONE, NOTHING_DONE, PARTLY_DONE = 0, 1, 3


class Status(StrEnum):
    """How it ended for one file."""

    ADDED = "added"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    DUPLICATE = "duplicate"
    FAILED = "failed"
    STOPPED = "stopped"


_SUCCESS = frozenset({Status.ADDED, Status.UPDATED, Status.UNCHANGED, Status.DUPLICATE})


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the work is.

    Attributes:
        stage: `hashing`, `embedding`, `finishing`, or `building search structures`, minutes for a large index.
        files_done: Files of this batch that are finished, unchanged and failed ones included.
        name: The file that was worked on last.
        bytes_done: Bytes of new files that are finished; a file that is still being read counts by its share.
        seconds_left: None while there is nothing to estimate from.
    """

    stage: str
    files_done: int
    files_total: int
    name: str = ""
    chunks_done: int = 0
    chunks_per_second: float = 0.0
    bytes_done: int = 0
    bytes_total: int = 0
    seconds_left: float | None = None


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """How it ended for one file. `reason` says why it failed, or whose duplicate it is; `kind` names the error."""

    name: str
    status: Status
    reason: str = ""
    chunks: int = 0
    kind: str = ""


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What an ingest did.

    Attributes:
        outcomes: One a file, in the order they were given.
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

    @property
    def exit_code(self) -> int:
        """0 when all files are in, 1 when none is, 3 when some are."""
        return _exit_code(self.outcomes)


@dataclass(frozen=True, slots=True)
class ReindexReport:
    """What a reindex did.

    Attributes:
        files: Files rebuilt, those of an earlier interrupted run included.
        failed: Files that could not be read again; they are listed as failures.
        switched: Whether the new index is the active one.
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

    @property
    def exit_code(self) -> int:
        """0 when all files are in the new index, 1 when the old one is still active, 3 when some files failed."""
        if not self.outcomes and not self.failed:
            return DONE
        return NOTHING_DONE if not self.switched else PARTLY_DONE if self.failed else DONE


def _exit_code(outcomes: tuple[FileOutcome, ...]) -> int:
    done = sum(outcome.status in _SUCCESS for outcome in outcomes)
    if not done:
        return NOTHING_DONE
    return DONE if done == len(outcomes) else PARTLY_DONE
