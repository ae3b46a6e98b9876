"""The vocabularies of the indexes that are asked, read in the background and again when an index has changed."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from rag.errors import RagError
from rag.retrieval.vocabulary import Vocabulary
from rag.turns import TURNS
from rag.types import Filter, VectorIndex

_LOG = logging.getLogger(__name__)
_CHECKED_SECONDS = 5.0
"""Seconds from one look at an index to the next, at least."""
_SHARE = 20
"""A vocabulary is read again at the earliest after this many times the seconds that reading it took."""
_CLOSING_SECONDS = 5.0
_FIRST_SECONDS = 0.5
"""Longest that the first question of an index waits for its vocabulary."""


@dataclass(slots=True)
class _Entry:
    vocabulary: Vocabulary | None = None
    points: int = -1
    due: float = 0.0
    thread: threading.Thread | None = None


class Vocabularies:
    """Vocabularies by index and workspace. Safe to call from many threads.

    The first question of an index waits for a moment, in which a small one is read, so that it is ranked as those after
    it; nobody waits for a large one.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[tuple[str, str], _Entry] = {}
        self._closed = False

    def of(self, index: VectorIndex, workspace: str) -> Vocabulary | None:
        """Return the vocabulary of an index as it was read last, None until it is there; reads it when it is due."""
        with self._lock:
            entry = self._entries.setdefault((index.name, workspace), _Entry())
            is_first = entry.points < 0
            if entry.thread is None and time.monotonic() >= entry.due and not self._closed:
                entry.thread = threading.Thread(
                    target=self._refresh, args=(entry, index, workspace, not is_first), name="vocabulary", daemon=True
                )
                entry.thread.start()
            reading = entry.thread if is_first else None
        if reading is not None:
            reading.join(_FIRST_SECONDS)
        return entry.vocabulary

    def wait(self) -> None:
        """Return when no vocabulary is being read any more."""
        with self._lock:
            threads = [entry.thread for entry in self._entries.values() if entry.thread is not None]
        for thread in threads:
            thread.join(_CLOSING_SECONDS)

    def close(self) -> None:
        """Stop reading and forget all terms."""
        self._closed = True
        self.wait()
        with self._lock:
            self._entries.clear()

    def _refresh(self, entry: _Entry, index: VectorIndex, workspace: str, can_wait: bool) -> None:
        started = time.monotonic()
        try:
            points = index.count()
            if points != entry.points:
                entry.vocabulary = Vocabulary(self._passages(index, workspace, can_wait))
                entry.points = points
                _LOG.debug("index %s: read %d terms of %d chunks", index.name, len(entry.vocabulary), points)
        except RagError as exc:  # closed or exchanged meanwhile: the next question asks again
            _LOG.debug("index %s: its terms could not be read: %s", index.name, exc)
        finally:
            ended = time.monotonic()
            entry.due = ended + max(_CHECKED_SECONDS, _SHARE * (ended - started))
            entry.thread = None

    def _passages(self, index: VectorIndex, workspace: str, can_wait: bool) -> Iterator[str]:
        started = time.monotonic()
        for passages in index.terms(Filter(workspace)):
            if self._closed:
                return
            if can_wait or time.monotonic() - started > _FIRST_SECONDS:
                TURNS.give_way()
            yield from passages
