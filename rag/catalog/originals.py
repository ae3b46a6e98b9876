"""The bytes of every file, kept by content: `files/<first two digits>/<sha256>`. Never changed once written.

Beside them lies a card for every complete version, `files/versions/<first two digits>/<sha256>-<version>.json`, from
which a lost catalog is rebuilt. It is written when all chunks of its version are in the index and removed before
they are.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict
from io import RawIOBase
from pathlib import Path

from rag.catalog.records import VersionCard
from rag.disk import Reserve, disk_errors
from rag.errors import CatalogError, NotFoundError
from rag.files import write_atomically

_BLOCK = 1 << 20
_OWNER = "owner"
_INCOMING = "incoming"
_SET_ASIDE = "damaged"
_DIGITS = 64


class Originals:
    """A folder addressed by content.

    Args:
        folder: Made when the first file is added.
        reserve: Disk space that adding leaves free; by default that of the settings.

    Attributes:
        folder: The same.
        cards: What the complete versions of these files are.
    """

    def __init__(self, folder: Path, reserve: Reserve | None = None) -> None:
        self.folder = folder
        self.cards = VersionCards(folder / "versions")
        self._reserve = reserve or Reserve(folder)

    # -- whose they are ------------------------------------------------------------------------------------------------

    @property
    def owner(self) -> str:
        """Id of the catalog that these files belong to; empty when nobody has claimed them."""
        try:
            return (self.folder / _OWNER).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return ""

    def claim(self, owner: str) -> None:
        """Note the id of the catalog that these files belong to from now on.

        Raises:
            CatalogError: The folder cannot be written.
            DiskFullError: The disk is full.
        """
        with disk_errors(self.folder, CatalogError):
            write_atomically(self.folder / _OWNER, owner + "\n")

    # -- files ---------------------------------------------------------------------------------------------------------

    def add(self, source: Path, expected: str = "") -> str:
        """Copy a file in, durably.

        Args:
            source: The file.
            expected: The only SHA-256 of which bytes are kept; empty means any.

        Returns:
            The SHA-256 of what was copied, in hexadecimal.

        Raises:
            OSError: The source cannot be read.
            DiskFullError: There is too little room for it.
            CatalogError: The folder cannot be written.
        """
        with source.open("rb") as stream:
            return self.add_stream(iter(lambda: stream.read(_BLOCK), b""), expected)

    def add_stream(self, blocks: Iterable[bytes], expected: str = "") -> str:
        """Copy bytes in, durably; otherwise as `add`. What is stored already is replaced: it may be damaged."""
        temporary, target = self._temporary()
        digest = hashlib.sha256()
        try:
            with target:
                for block in blocks:
                    digest.update(block)
                    self._reserve.check(len(block))
                    with disk_errors(self.folder, CatalogError):
                        _write(target, block)
                with disk_errors(self.folder, CatalogError):
                    os.fsync(target.fileno())
            if expected in ("", digest.hexdigest()):
                self._keep(temporary, digest.hexdigest())
        finally:
            with suppress(OSError):  # the next sweep removes it
                temporary.unlink(missing_ok=True)
        return digest.hexdigest()

    def _keep(self, temporary: Path, sha256: str) -> None:
        with disk_errors(self.folder, CatalogError):
            final = self._path(sha256)
            final.parent.mkdir(parents=True, exist_ok=True)
            temporary.replace(final)

    def restore(self, sha256: str, source: Path, size: int) -> None:
        """Copy a file in whose original should be there and is missing, or is not `size` bytes long.

        Raises:
            CatalogError: The folder cannot be written.
        """
        path = self._path(sha256)
        try:
            if not path.is_file() or path.stat().st_size != size:
                self.add(source)
        except OSError:  # the source is gone since it was hashed: then there is nothing to restore it from
            return

    def path(self, sha256: str) -> Path:
        """Return the path of the bytes.

        Raises:
            NotFoundError: The folder does not have them.
        """
        if not self.has(sha256):
            raise NotFoundError(f"The original of this file is missing from {self.folder}. Ingest the file again.")
        return self._path(sha256)

    def has(self, sha256: str) -> bool:
        """True when the bytes are there, whether or not they are still what they were."""
        return self._path(sha256).is_file()

    def is_intact(self, sha256: str) -> bool:
        """True when the bytes are there and still have this hash. Reads the whole file."""
        try:
            with self._path(sha256).open("rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest() == sha256
        except OSError:
            return False

    def set_aside(self, sha256: str) -> Path:
        """Move bytes that are not what they were out of the way, and return where they are now."""
        target = self.folder / _SET_ASIDE / sha256
        with disk_errors(self.folder, CatalogError):
            target.parent.mkdir(parents=True, exist_ok=True)
            return self._path(sha256).replace(target)

    def all(self) -> Iterator[str]:
        """Yield the SHA-256 under which each file is stored."""
        return (path.name for path in self.folder.glob("??/*") if len(path.name) == _DIGITS)

    def remove(self, sha256: str) -> None:
        """Remove one file, when it exists."""
        self._path(sha256).unlink(missing_ok=True)

    def sweep_incoming(self) -> int:
        """Remove half-written files of killed processes. Only the writer may call it. Returns how many they were."""
        leftovers = self.half_written()
        for path in leftovers:
            path.unlink(missing_ok=True)
        return len(leftovers)

    def half_written(self) -> list[Path]:
        """Return files that are being written, or were when their process was killed."""
        return sorted((self.folder / _INCOMING).glob("*"))

    def _path(self, sha256: str) -> Path:
        return self.folder / sha256[:2] / sha256

    def _temporary(self) -> tuple[Path, RawIOBase]:
        incoming = self.folder / _INCOMING
        with disk_errors(self.folder, CatalogError):
            incoming.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=incoming)
        # Unbuffered: what is written late would fail when the file is closed.
        return Path(name), os.fdopen(handle, "wb", buffering=0)


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
            DiskFullError: The disk is full.
            CatalogError: The folder cannot be written.
        """
        for card in cards:
            path = self._path(card.sha256, card.version)
            with disk_errors(self._folder, CatalogError):
                path.parent.mkdir(parents=True, exist_ok=True)
                # Not flushed to the disk one by one: cards that a power cut took are written again at the next start.
                pending = path.with_suffix(".new")
                pending.write_text(json.dumps(asdict(card)), encoding="utf-8")
                pending.replace(path)

    def remove(self, sha256: str, version: str) -> None:
        """Remove the card of a version, when there is one."""
        with disk_errors(self._folder, CatalogError):
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


def _write(target: RawIOBase, block: bytes) -> None:
    """Write all of a block; an almost full disk takes only a part at a time."""
    rest = memoryview(block)
    while rest:
        rest = rest[target.write(rest) or 0 :]
