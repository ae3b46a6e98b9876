"""Questions go first: work that can wait does so while somebody waits for an answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

LONGEST_SECONDS = 0.5
"""Longest single wait, so that an ingest goes on however many ask."""


class Turns:
    """Who computes when. Safe to use from many threads."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._asking = 0
        self._here = threading.local()

    @property
    def asking(self) -> bool:
        """True in a thread that is at work on a question."""
        return bool(getattr(self._here, "depth", 0))

    @contextmanager
    def first(self) -> Iterator[None]:
        """Have the work of other threads wait; blocks may be within each other."""
        depth = getattr(self._here, "depth", 0)
        self._here.depth = depth + 1
        if not depth:
            with self._condition:
                self._asking += 1
        try:
            yield
        finally:
            self._here.depth = depth
            if not depth:
                with self._condition:
                    self._asking -= 1
                    self._condition.notify_all()

    def give_way(self) -> None:
        """Wait while another thread is at work on a question; costs next to nothing when none is."""
        if not self._asking or self.asking:
            return
        with self._condition:
            self._condition.wait_for(lambda: not self._asking, LONGEST_SECONDS)


TURNS = Turns()
"""The turns of the process: what questions and an ingest compete for is its processor."""
