"""The lock of a data folder: ingest, reindex, delete and sweep take turns, in one process and across processes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from rag.disk import disk_full, is_disk_full
from rag.errors import CancelledError, CatalogError, RagError

_POLL_SECONDS = 0.1


class WriterLock:
    """A lock on a file. The system releases it when the process ends, however that happens.

    Args:
        path: The lock file; its folder is made when the lock is first taken.
        patience: Seconds to wait for another process. Threads of this process wait as long as it takes.
    """

    def __init__(self, path: Path, patience: float = 10.0) -> None:
        self._path = path
        self._patience = patience
        self._threads = threading.Lock()

    @contextmanager
    def hold(self, cancel: threading.Event | None = None) -> Iterator[None]:
        """Hold the lock, waiting for it if need be. Not reentrant.

        Raises:
            CancelledError: `cancel` was set while waiting.
            CatalogError: Another process is writing.
        """
        while not self._threads.acquire(timeout=_POLL_SECONDS):
            _check(cancel)
        try:
            lock = self._lock()
            self._acquire(lock, cancel)
            try:
                yield
            finally:
                lock.release()
        finally:
            self._threads.release()

    @contextmanager
    def attempt(self) -> Iterator[bool]:
        """Hold the lock if it is free, without waiting; yield True when it was."""
        if not self._threads.acquire(blocking=False):
            yield False
            return
        try:
            lock = self._lock()
            try:
                lock.acquire(timeout=0)
            except Timeout:
                yield False
                return
            except OSError as exc:
                raise self._unwritable(exc) from exc
            try:
                yield True
            finally:
                lock.release()
        finally:
            self._threads.release()

    def _lock(self) -> FileLock:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise self._unwritable(exc) from exc
        return FileLock(self._path, thread_local=False)

    def _unwritable(self, exc: OSError) -> RagError:
        if is_disk_full(exc):
            return disk_full(self._path.parent)
        return CatalogError(
            f"{self._path.parent} cannot be written ({exc.strerror}). Set RAG_DATA_DIR to a folder that this user may "
            "write to, or mend its permissions."
        )

    def _acquire(self, lock: FileLock, cancel: threading.Event | None) -> None:
        deadline = time.monotonic() + self._patience
        while True:
            _check(cancel)
            try:
                lock.acquire(timeout=_POLL_SECONDS)
            except Timeout:
                if time.monotonic() > deadline:
                    raise CatalogError(
                        f"Another process is writing to {self._path.parent}. Wait until it ends, then try again."
                    ) from None
            except OSError as exc:
                raise self._unwritable(exc) from exc
            else:
                return


def _check(cancel: threading.Event | None) -> None:
    if cancel is not None and cancel.is_set():
        raise CancelledError("Cancelled while another writer was at work. Nothing was changed.")
