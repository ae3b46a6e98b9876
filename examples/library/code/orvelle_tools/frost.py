"""The frost guard: the last line against cold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

HOLD_SECONDS = 60
RELEASE_ABOVE = 1.5
RELEASE_SECONDS = 600


@dataclass
class FrostGuard:
    """State of the guard for one zone; call `update` once a second, and clear `unacknowledged` at the display."""

    limit: float = 3.0
    tripped: bool = False
    unacknowledged: bool = False
    _cold: int = 0
    _warm: int = 0

    def update(self, readings: Mapping[str, float | None]) -> bool:
        """Take the readings of all sensors and return True while heating must run fully."""
        values = [value for value in readings.values() if value is not None]
        if not values:
            return self.tripped
        lowest = min(values)
        self._cold = self._cold + 1 if lowest < self.limit else 0
        self._warm = self._warm + 1 if lowest >= self.limit + RELEASE_ABOVE else 0
        if self._cold >= HOLD_SECONDS:
            self.tripped = self.unacknowledged = True
        elif self._warm >= RELEASE_SECONDS:
            self.tripped = False
        return self.tripped
