"""How far long work is, with rate and time left, and the one place where it can be stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from rag.errors import CancelledError

REPORT_SECONDS = 0.1
"""Least time between two reports of one stage."""


@dataclass(frozen=True, slots=True)
class Progress:
    """A moment of long work: an ingest, a reindex, an evaluation or a tuning.

    Attributes:
        stage: What is being done, for people, e.g. `Embedding`.
        done: Steps done of this stage.
        total: Steps of this stage; 0 while it is not known.
        unit: What a step is, in the singular, e.g. `file` or `question`.
        item: Name of the item worked on last, or empty.
        work: Smaller units done, such as chunks; 0 when steps are all there is.
        work_unit: What `work` counts, in the singular.
        rate: Units of work a second, steps when there is no smaller unit; 0 before anything is known.
        seconds_left: Estimate for this stage; None before anything is known.
    """

    stage: str
    done: int
    total: int
    unit: str = "step"
    item: str = ""
    work: int = 0
    work_unit: str = ""
    rate: float = 0.0
    seconds_left: float | None = None


OnProgress = Callable[[Progress], None]


class Meter:
    """Counts steps, reports them and stops the work when asked to. Used by one thread at a time.

    The time left is estimated by weight, so that long texts and large files count as long.

    Args:
        report: Gets the progress, at most ten times a second and at the end of a stage; None for silence.
        cancel: When it is set, the next step raises `CancelledError`.
        stopped: Message of that error.

    Attributes:
        done: Steps of this stage that are done.
        weight: What the steps done weigh together, with the share of those begun.
        work: Smaller units done.
    """

    def __init__(
        self,
        report: OnProgress | None = None,
        cancel: threading.Event | None = None,
        stopped: str = "Stopped. What was finished is kept; the same command goes on from here.",
    ) -> None:
        self._report = report
        self._cancel = cancel
        self._stopped = stopped
        self.begin("", 0)

    @property
    def cancelled(self) -> bool:
        """True once the work was asked to stop."""
        return self._cancel is not None and self._cancel.is_set()

    def check(self) -> None:
        """Stop here when the work was cancelled.

        Raises:
            CancelledError: It was.
        """
        if self.cancelled:
            raise CancelledError(self._stopped)

    def begin(
        self, stage: str, total: int, unit: str = "step", *, done: int = 0, weight: float = 0.0, work_unit: str = ""
    ) -> None:
        """Start a stage.

        Args:
            stage: What is being done, for people.
            total: Steps of the stage.
            unit: What a step is, in the singular.
            done: Steps that need no work any more; they count in neither rate nor time left.
            weight: What the other steps weigh together; by default one each.
            work_unit: What the smaller units are, in the singular.
        """
        self._stage, self._total, self._unit, self._work_unit = stage, total, unit, work_unit
        self._to_carry = weight or float(total - done)
        self._before = done
        self.done, self.weight, self.work, self._item = done, 0.0, 0, ""
        self._started, self._reported = time.monotonic(), float("-inf")
        if stage:
            self._tell()

    def step(self, count: int = 1, *, weight: float | None = None, work: int = 0, item: str = "") -> None:
        """Count steps as done.

        Raises:
            CancelledError: The work was asked to stop.
        """
        self.update(
            self.done + count,
            weight=self.weight + (count if weight is None else weight),
            work=self.work + work,
            item=item,
        )

    def update(self, done: int, *, weight: float, work: int = 0, item: str = "") -> None:
        """Set how much of the stage is done by now, as totals.

        Raises:
            CancelledError: The work was asked to stop.
        """
        self.check()
        self.settle(done, weight=weight, work=work, item=item)

    def settle(self, done: int, *, weight: float, work: int = 0, item: str = "") -> None:
        """Set totals as `update` does, but never stop: for the last count of work that may have been stopped."""
        self.done, self.weight, self.work, self._item = done, weight, work, item or self._item
        self._tell()

    def announce(self, stage: str) -> None:
        """Report at once a stage without steps of its own; the counts of the stage before it stay in view."""
        self._stage, self._reported, self._to_carry = stage, float("-inf"), 0.0
        self._tell()

    def _tell(self) -> None:
        now = time.monotonic()
        complete = self.done >= self._total
        if self._report is None or (not complete and now < self._reported + REPORT_SECONDS):
            return
        self._reported = now
        elapsed = now - self._started
        units = self.work or self.done - self._before
        self._report(
            Progress(
                stage=self._stage,
                done=self.done,
                total=self._total,
                unit=self._unit,
                item=self._item,
                work=self.work,
                work_unit=self._work_unit,
                rate=units / elapsed if elapsed > 0 else 0.0,
                seconds_left=self._seconds_left(elapsed),
            )
        )

    def _seconds_left(self, elapsed: float) -> float | None:
        """Estimate from the weight so far; None before there is any, and for a stage that has no steps."""
        if not self._to_carry or self.weight <= 0:
            return None
        return max(0.0, elapsed * (self._to_carry - self.weight) / self.weight)
