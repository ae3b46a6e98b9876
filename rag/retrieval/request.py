"""What is asked, and what comes back: the two values that travel a question's road."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rag.types import Hit, Mode, Strategy


@dataclass(frozen=True, slots=True)
class Filters:
    """Which sources may answer.

    Attributes:
        names: Only these file names, or None for all.
        documents: Only these document ids, or None for all.
    """

    names: tuple[str, ...] | None = None
    documents: tuple[str, ...] | None = None


ALL_SOURCES = Filters()


@dataclass(frozen=True, slots=True)
class Request:
    """One question with everything that decides how it is answered.

    Attributes:
        question: As the person wrote it; prompts are added by the retriever.
        task: Retrieval task.
        mode: Task-aware or naive.
        strategy: How hits are found in the task-aware mode; the settings' choice when None.
        k: Most hits; the settings' number when None.
        filters: Which sources may answer.
        conversation: Id of the conversation that the question goes on with, or None.
    """

    question: str
    task: str = "qa"
    mode: Mode = Mode.TASK_AWARE
    strategy: Strategy | None = None
    k: int | None = None
    filters: Filters = ALL_SOURCES
    conversation: str | None = None


@dataclass(frozen=True, slots=True)
class Retrieved:
    """The hits of one question in one mode, best first.

    Attributes:
        timings: Milliseconds by stage: `embed`, `search`, `fuse`, `total`; what two modes share counts in both.
    """

    question: str
    task: str
    mode: Mode
    strategy: Strategy
    hits: tuple[Hit, ...]
    timings: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One question in both modes."""

    task_aware: Retrieved
    naive: Retrieved

    def rank_changes(self) -> dict[str, int | None]:
        """Places each task-aware hit gained against the naive list, by hit id; None when it is not in that list."""
        naive = {hit.id: hit.rank for hit in self.naive.hits}
        return {hit.id: naive[hit.id] - hit.rank if hit.id in naive else None for hit in self.task_aware.hits}
