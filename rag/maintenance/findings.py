"""What a check finds, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FaultKind(StrEnum):
    """What is wrong. In this order they are listed."""

    CATALOG = "catalog"
    OWNER = "owner"
    INDEX = "index"
    CHUNKS = "chunks"
    UNLISTED = "unlisted"
    MISSING_ORIGINAL = "missing original"
    CHANGED_ORIGINAL = "changed original"
    UNKNOWN = "unknown"
    LEFTOVER = "leftover"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong.

    Attributes:
        message: What was found, what was expected and what to do.
        task: The task that it concerns; empty for none.
        name: The file, collection or path that it concerns; empty for none.
    """

    kind: FaultKind
    message: str
    task: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class CheckReport:
    """How a check ended, and the repair before it.

    Attributes:
        findings: What is wrong now.
        actions: What the repair did, one line each.
        files: Current versions that were compared.
        chunks: Chunks that they have by the catalog.
        originals: Originals whose bytes were hashed.
        seconds: How long it took.
    """

    findings: tuple[Fault, ...] = ()
    actions: tuple[str, ...] = ()
    files: int = 0
    chunks: int = 0
    originals: int = 0
    seconds: float = 0.0

    @property
    def is_sound(self) -> bool:
        """True when nothing is wrong."""
        return not self.findings
