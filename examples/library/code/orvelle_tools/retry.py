"""Trying again when a line is bad."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

T = TypeVar("T")


def backoff(first: float = 1.0, factor: float = 2.0, ceiling: float = 60.0) -> Iterator[float]:
    wait = first
    while True:
        yield min(wait, ceiling)
        wait *= factor


def call_with_retries(action: Callable[[], T], attempts: int = 4, sleep: Callable[[float], None] = time.sleep) -> T:
    """Run an action until it succeeds; network errors are waited out, others go through at once."""
    waits = backoff()
    for left in range(attempts - 1, -1, -1):
        try:
            return action()
        except (TimeoutError, ConnectionError):
            if not left:
                raise
            sleep(next(waits))
    raise ValueError("attempts must be positive")
