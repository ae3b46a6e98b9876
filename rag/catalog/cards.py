"""A small file for every complete version, beside the originals, from which a lost catalog is rebuilt.

A card is `files/versions/<first two digits>/<sha256>-<version>.json`. It is written when all chunks of its version are in
the index and removed before they are, so a card means a version that was whole. Cards are not flushed to the disk one
by one: those that a power cut took are written again at the next start, from the catalog.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

from rag.catalog.records import VersionCard
from rag.errors import CatalogError
from rag.files import write_atomically


class VersionCards:
    """The cards of one data folder. Only the writer changes them.

    Args:
        folder: Made when the first card is added.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, cards: Iterable[VersionCard]) -> None:
        """Write cards; one that exists is replaced.

        Raises:
            CatalogError: The folder cannot be written.
        """
        for card in cards:
            try:
                write_atomically(self._path(card.sha256, card.version), json.dumps(asdict(card)))
            except OSError as exc:
                raise CatalogError(
                    f"{self._folder} cannot be written ({exc.strerror}). Check RAG_DATA_DIR, its permissions and the "
                    "free space."
                ) from exc

    def remove(self, sha256: str, version: str) -> None:
        """Remove the card of a version, when there is one."""
        self._path(sha256, version).unlink(missing_ok=True)

    def exists(self, sha256: str, version: str) -> bool:
        """True when the version is known to have been complete."""
        return self._path(sha256, version).is_file()

    def refers_to(self, sha256: str) -> bool:
        """True when some version with a card was made of this original."""
        return any((self._folder / sha256[:2]).glob(f"{sha256}-*.json"))

    def versions(self) -> set[str]:
        """Return the ids of all versions that have a card, without reading the cards."""
        return {path.stem.partition("-")[2] for path in self._paths()}

    def all(self) -> Iterator[VersionCard]:
        """Yield the cards. One that cannot be read is left out: it says nothing that can be relied on."""
        for path in sorted(self._paths()):
            try:
                card = VersionCard(**json.loads(path.read_bytes()))
            except (OSError, ValueError, TypeError):
                continue
            if path == self._path(card.sha256, card.version):
                yield card

    def _paths(self) -> Iterator[Path]:
        return self._folder.glob("??/*-*.json")

    def _path(self, sha256: str, version: str) -> Path:
        return self._folder / sha256[:2] / f"{sha256}-{version}.json"
