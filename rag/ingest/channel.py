"""A bounded queue between threads whose waits end when the work is halted."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

_POLL_SECONDS = 0.1

T = TypeVar("T")


class HaltedError(Exception):
    """Another thread failed or was stopped; whoever gets this ends quietly."""


class Channel(Generic[T]):
    """A bounded queue. None marks the end of one sender; iteration ends with the first.

    Args:
        size: Most items that wait.

    Attributes:
        halt: Set it to end every wait.
    """

    def __init__(self, size: int) -> None:
        self._queue: queue.Queue[T | None] = queue.Queue(size)
        self.halt = threading.Event()

    def put(self, item: T | None) -> None:
        """Add an item, when there is room.

        Raises:
            HaltedError: The channel was halted.
        """
        while not self.halt.is_set():
            try:
                return self._queue.put(item, timeout=_POLL_SECONDS)
            except queue.Full:
                continue
        raise HaltedError

    def get(self, tick: Callable[[], None] | None = None) -> T | None:
        """The next item, when there is one; `tick` is called now and then while there is none.

        Raises:
            HaltedError: The channel was halted.
        """
        while not self.halt.is_set():
            try:
                return self._queue.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                if tick is not None:
                    tick()
        raise HaltedError

    def empty(self) -> bool:
        """Whether nothing waits at the moment."""
        return self._queue.empty()

    def __iter__(self) -> Iterator[T]:
        while (item := self.get()) is not None:
            yield item
