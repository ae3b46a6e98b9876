"""When the files of an index folder change, and when they are still: one lock for all threads and processes.

Whoever changes a file of the folder holds the lock meanwhile, `with stillness: ...`, for one batch at a time. Whoever
copies the files holds `stillness.still()`: changes that are under way end first, later ones wait, and readers go on.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from rag.disk import disk_errors
from rag.errors import VectorIndexError

_LOCK = ".changing"
_TURNSTILE = ".turnstile"
_POLL_SECONDS = 0.01


class Stillness:
    """The lock of one index folder. Reentrant; the system releases it when the process ends, however that happens.

    Everyone passes a turnstile on the way in, and whoever wants stillness keeps it shut until the copy is made. So an
    ingest that takes the lock again and again cannot keep a backup waiting for ever.

    Args:
        folder: Made when the lock is first taken.
        patience: Seconds that `still` waits for a change that is under way.
    """

    def __init__(self, folder: Path, patience: float = 120.0) -> None:
        self._folder = folder
        self._patience = patience
        self._threads = threading.RLock()
        self._turnstile = threading.Lock()
        self._depth = threading.local()
        self._files = [FileLock(folder / name, thread_local=False, mode=0o600) for name in (_TURNSTILE, _LOCK)]

    def __enter__(self) -> None:
        depth = getattr(self._depth, "value", 0)
        if not depth:
            with self._turnstile:
                pass
            self._threads.acquire()
            try:
                with disk_errors(self._folder, VectorIndexError):
                    self._pass()
            except BaseException:
                self._threads.release()
                raise
        self._depth.value = depth + 1

    def _pass(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        turnstile, lock = self._files
        with turnstile.acquire(poll_interval=_POLL_SECONDS):
            pass
        lock.acquire(poll_interval=_POLL_SECONDS)

    def __exit__(self, *_: object) -> None:
        self._depth.value -= 1
        if not self._depth.value:
            self._files[1].release()
            self._threads.release()

    @contextmanager
    def still(self) -> Iterator[None]:
        """Within it, nobody changes a file of the folder. Keep it short: writers wait.

        Raises:
            DiskFullError: The disk has no room for the lock.
            VectorIndexError: A change did not end in time.
        """
        turnstile, lock = self._files
        with self._turnstile, self._threads:
            try:
                with disk_errors(self._folder, VectorIndexError):
                    self._folder.mkdir(parents=True, exist_ok=True)
                    turnstile.acquire(timeout=self._patience, poll_interval=_POLL_SECONDS)
                try:
                    with disk_errors(self._folder, VectorIndexError):
                        lock.acquire(timeout=self._patience, poll_interval=_POLL_SECONDS)
                    try:
                        yield
                    finally:
                        lock.release()
                finally:
                    turnstile.release()
            except Timeout:
                raise VectorIndexError(
                    f"The index in {self._folder} was being changed for {self._patience:g} s without a pause. Wait for "
                    "that work to end, then try again."
                ) from None
