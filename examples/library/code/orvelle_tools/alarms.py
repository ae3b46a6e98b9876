"""Alarms: a limit with delay and hysteresis, and whose turn it is to be told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass
class Debounced:
    """An alarm that begins only when a value has been outside its limits for the whole delay."""

    low: float
    high: float
    delay: int
    hysteresis: float = 0.5
    active: bool = False
    _outside_since: int | None = None

    def feed(self, value: float, second: int) -> bool:
        slack = self.hysteresis if self.active else 0.0
        if self.low + slack <= value <= self.high - slack:
            self._outside_since, self.active = None, False
        elif self._outside_since is None:
            self._outside_since = second
        if self._outside_since is not None and second - self._outside_since >= self.delay:
            self.active = True
        return self.active


def contact_on_duty(contacts: Sequence[str], raised: int, now: int, step: int = 1800) -> str | None:
    """Return who is told at this moment: the next one after each half hour without an answer."""
    if not contacts:
        return None
    return contacts[min((now - raised) // step, len(contacts) - 1)]


def suppress_dependents(codes: set[str], leaf_codes: set[str]) -> set[str]:
    # With the Bridge gone every Leaf behind it is silent too: one message is enough.
    return codes - leaf_codes if "E38" in codes else set(codes)
