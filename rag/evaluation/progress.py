"""How far long work is, with the time left, and the one place where it can be stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from rag.errors import CancelledError


@dataclass(frozen=True, slots=True)
class Progress:
    """A moment of long work.

    Attributes:
        stage: What is being done, for people.
        done: Steps done of this stage.
        total: Steps of this stage.
        seconds_left: Estimate for this stage; None before anything is known.
        rate: Steps a second in this stage; 0 before anything is known.
    """

    stage: str
    done: int
    total: int
    seconds_left: float | None = None
    rate: float = 0.0


OnProgress = Callable[[Progress], None]


class Meter:
    """Reports progress and stops when asked to. Estimates are by weight, so that long texts count as long.

    Args:
        report: Told at every step; None for silence.
        cancel: When it is set, the next step raises `CancelledError`.
    """

    def __init__(self, report: OnProgress | None = None, cancel: threading.Event | None = None) -> None:
        self._report = report
        self._cancel = cancel
        self.begin("", 0)

    def begin(self, stage: str, total: int, weight: float = 0.0) -> None:
        """Start a stage of `total` steps, which weigh `weight` together (by default one each)."""
        self._stage, self._total, self._weight = stage, total, weight or float(total)
        self._done, self._carried, self._started = 0, 0.0, time.monotonic()
        if stage:
            self._tell()

    def step(self, count: int = 1, weight: float | None = None) -> None:
        """Count steps as done.

        Raises:
            CancelledError: A person stopped the work.
        """
        self._done += count
        self._carried += count if weight is None else weight
        self._tell()

    def _tell(self) -> None:
        if self._cancel is not None and self._cancel.is_set():
            raise CancelledError("The evaluation was stopped; vectors made so far are kept for the next run.")
        if self._report is None:
            return
        spent = time.monotonic() - self._started
        left = spent * (self._weight - self._carried) / self._carried if self._carried > 0 else None
        rate = self._done / spent if spent > 0 else 0.0
        self._report(Progress(self._stage, self._done, self._total, None if left is None else max(0.0, left), rate))
