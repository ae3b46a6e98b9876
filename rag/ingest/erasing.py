"""Erasing what was deleted: index and catalog only mark it at first, and some time later their files are cleaned."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from rag.catalog import Catalog
from rag.errors import CancelledError, RagError
from rag.types import IndexEngine

_LOG = logging.getLogger(__name__)
_CATALOG = ""
"""Stands for the catalog among the names of collections."""
_LOOKS = 10
"""Times to look within the seconds that deleted text may stay."""
_LONGEST_LOOK = 5.0
_PATIENCE = 5.0
"""How many times as long it waits for an ingest that is under way."""
_REST = 4.0
"""Pause after a rewrite, as a multiple of the time it took, so that a large busy library is not always rewritten."""
_PAUSE = 600.0
"""Seconds before something is tried again that failed."""


class Eraser:
    """Removes deleted text from the files of index and catalog, in a thread beside the application.

    Args:
        engine: Gives the vector engine; called when the eraser first looks.
        catalog: Its database is erased as well, and says when an ingest is under way.
        after: Seconds from when something is seen to be deleted to when it begins to be erased.
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        engine: Callable[[], IndexEngine],
        catalog: Catalog,
        after: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._catalog = catalog
        self._after = after
        self._clock = clock
        self._since: dict[str, float] = {}
        self._not_before: dict[str, float] = {}
        self._starting = threading.Lock()
        self._working = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rag-eraser", daemon=True)

    def start(self) -> None:
        """Look every few seconds from now on; starting twice is starting once."""
        with self._starting:
            if self._thread.ident is None:
                self._thread.start()

    def close(self) -> None:
        """Stop soon; a rewrite that is under way is given up and its collection is as before."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def look(self) -> list[str]:
        """Erase what has been due for long enough.

        Returns:
            Names of the collections that were erased, "" for the catalog.
        """
        with self._working:
            unerased = self._unerased()
            now = self._clock()
            self._since = {name: self._since.get(name, now) for name in unerased}
            return [name for name in unerased if self._is_due(name) and self._erase(name)]

    def erase(self, *, thrifty: bool = False) -> list[str]:
        """Erase everything at once; otherwise as `look`.

        Args:
            thrifty: Leave large collections alone from which little was deleted.

        Raises:
            RagError: A collection or the catalog could not be erased; it works as before.
        """
        with self._working:
            return [name for name in self._unerased() if self._remove(name, thrifty=thrifty)]

    def _run(self) -> None:
        while not self._stop.wait(min(self._after / _LOOKS, _LONGEST_LOOK)):
            try:
                self.look()
            except OSError as exc:  # whoever reads or writes the folder next says what is wrong with it
                _LOG.debug("erasing: %s", exc)

    def _unerased(self) -> list[str]:
        names = [_CATALOG] if self._catalog.unerased() else []
        try:
            return names + self._engine().unerased()
        except RagError as exc:  # the engine is away or damaged, which whoever asks it next says
            _LOG.debug("erasing: %s", exc)
            return names

    def _is_due(self, name: str) -> bool:
        now = self._clock()
        waited = now - self._since[name]
        if waited < self._after or now < self._not_before.get(name, now):
            return False
        return name == _CATALOG or waited >= _PATIENCE * self._after or self._nobody_writes()

    def _nobody_writes(self) -> bool:
        with self._catalog.writer.attempt() as acquired:
            return acquired

    def _erase(self, name: str) -> bool:
        started = self._clock()
        try:
            is_done = self._remove(name)
        except CancelledError:
            return False
        except RagError as exc:
            _LOG.warning("deleted text could not be erased from %s: %s", name or "the catalog", exc)
            self._not_before[name] = self._clock() + _PAUSE
            return False
        ended = self._clock()
        self._not_before[name] = ended + _REST * (ended - started)
        if is_done:
            del self._since[name]
            _LOG.info("erased deleted text from %s in %.1f s", name or "the catalog", ended - started)
        return is_done

    def _remove(self, name: str, *, thrifty: bool = False) -> bool:
        if name == _CATALOG:
            return self._catalog.erase()
        return self._engine().erase(name, self._stop, thrifty=thrifty)
