"""Watches a process that somebody waits for: it ends when it takes too long, or when it is not wanted any more."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

_POLL_SECONDS = 0.1


class Watch:
    """A thread that looks at the clock while a process works. Use it in a `with` statement.

    Args:
        kill: Ends the process; whoever waits for it then notices.
        seconds: Waiting that is allowed in all.
        stop: Set it to have the process ended, or None.

    Attributes:
        expired: True when the process was ended because it took too long.
        stopped: True when the process was ended because `stop` was set.
    """

    def __init__(self, kill: Callable[[], None], seconds: float, stop: threading.Event | None) -> None:
        self.seconds = seconds
        self.expired = self.stopped = False
        self._kill, self._stop = kill, stop
        self._waited = 0.0
        self._since: float | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="parser-watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()  # it must not end a process that has gone on to the next file

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Surround a wait for the process: only this time counts."""
        self._since = time.monotonic()
        try:
            yield
        finally:
            self._waited += time.monotonic() - self._since
            self._since = None

    def _run(self) -> None:
        while not self._ended.wait(_POLL_SECONDS):
            since = self._since
            waited = self._waited + (0.0 if since is None else time.monotonic() - since)
            self.stopped = self._stop is not None and self._stop.is_set()
            self.expired = not self.stopped and waited > self.seconds
            if self.stopped or self.expired:
                self._kill()
                return
