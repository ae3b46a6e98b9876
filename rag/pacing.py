"""Limits on how long something else may take, whatever it is stuck in."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

Item = TypeVar("Item")
Items = queue.SimpleQueue[tuple[Item] | Exception | None]
"""What a thread hands over: each item in a tuple, an exception to raise, and None at the end."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits in seconds.

    Attributes:
        gap: Longest wait for the next item, the first included.
        total: Longest time for all of them.
    """

    gap: float
    total: float


class GapError(TimeoutError):
    """The next item did not come in time."""


class TotalError(TimeoutError):
    """All items together took too long."""


def paced(make: Callable[[], Iterator[Item]], limits: Limits, hang_up: Callable[[], None]) -> Iterator[Item]:
    """Yield the items of an iterator that runs in a thread of its own, each within the limits.

    Timeouts of sockets are not enough: a byte a minute resets them, and looking up a host name knows none.

    Args:
        make: Makes the iterator, in its thread. What it raises is raised here.
        limits: How long to wait.
        hang_up: Called when nobody waits any more though items may still come; wakes an iterator that is stuck in a
            socket.

    Raises:
        GapError: Nothing came for `limits.gap` seconds.
        TotalError: More than `limits.total` seconds have gone by.
    """
    items: Items[Item] = queue.SimpleQueue()
    abandoned = threading.Event()
    thread = threading.Thread(target=_run, args=(make, items, abandoned), name="paced", daemon=True)
    thread.start()
    deadline, is_over = time.monotonic() + limits.total, False
    try:
        while True:
            item = _next(items, limits.gap, deadline - time.monotonic())
            is_over = not isinstance(item, tuple)
            if isinstance(item, tuple):
                yield item[0]
            elif item is None:
                return
            else:
                raise item
    finally:
        abandoned.set()
        if not is_over:
            hang_up()


def _next(items: Items[Item], gap: float, left: float) -> tuple[Item] | Exception | None:
    if left <= 0:
        raise TotalError
    try:
        return items.get(timeout=min(gap, left))
    except queue.Empty:
        raise (GapError() if gap < left else TotalError()) from None


def _run(make: Callable[[], Iterator[Item]], items: Items[Item], abandoned: threading.Event) -> None:
    try:
        for item in make():
            if abandoned.is_set():
                return  # dropping the iterator closes it, here in its own thread
            items.put((item,))
        items.put(None)
    except Exception as exc:  # noqa: BLE001 - raised again by the one who waits
        items.put(exc)
