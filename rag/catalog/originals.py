"""The bytes of every file, kept by content: `files/<first two digits>/<sha256>`. Never changed once written."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from io import RawIOBase
from pathlib import Path

from rag.errors import CatalogError, NotFoundError
from rag.files import Reserve, disk_errors

_BLOCK = 1 << 20


class Originals:
    """A folder addressed by content.

    Args:
        folder: Made when the first file is added.
        reserve: Disk space that adding leaves free; by default that of the settings.
    """

    def __init__(self, folder: Path, reserve: Reserve | None = None) -> None:
        self._folder = folder
        self._reserve = reserve or Reserve(folder)

    def add(self, source: Path) -> str:
        """Copy a file in, durably.

        Returns:
            The SHA-256 of what was copied, in hexadecimal.

        Raises:
            OSError: The source cannot be read.
            DiskFullError: There is too little room for it.
            CatalogError: The folder cannot be written.
        """
        with source.open("rb") as stream:
            return self.add_stream(iter(lambda: stream.read(_BLOCK), b""))

    def add_stream(self, blocks: Iterable[bytes]) -> str:
        """Copy bytes in, durably; otherwise as `add`."""
        temporary, target = self._temporary()
        digest = hashlib.sha256()
        try:
            with target:
                for block in blocks:
                    digest.update(block)
                    self._reserve.check(len(block))
                    with disk_errors(self._folder, CatalogError):
                        _write(target, block)
                with disk_errors(self._folder, CatalogError):
                    os.fsync(target.fileno())
            final = self._path(digest.hexdigest())
            with disk_errors(self._folder, CatalogError):
                if not final.exists():
                    final.parent.mkdir(parents=True, exist_ok=True)
                    temporary.replace(final)
        finally:
            with suppress(OSError):  # the next sweep removes it
                temporary.unlink(missing_ok=True)
        return digest.hexdigest()

    def path(self, sha256: str) -> Path:
        """Return the path of the bytes.

        Raises:
            NotFoundError: The folder does not have them.
        """
        path = self._path(sha256)
        if not path.is_file():
            raise NotFoundError(f"The original of this file is missing from {self._folder}. Ingest the file again.")
        return path

    def sweep(self, keep: Collection[str]) -> int:
        """Remove every file whose SHA-256 is not in `keep`, and half-written ones of a killed process.

        Returns:
            The number of files removed.
        """
        unused = [path for path in self._all() if path.name not in keep]
        for path in unused:
            path.unlink(missing_ok=True)
        return len(unused)

    def remove(self, sha256: str) -> None:
        """Remove one file, when it exists."""
        self._path(sha256).unlink(missing_ok=True)

    def _all(self) -> Iterator[Path]:
        return (path for path in self._folder.glob("*/*") if path.is_file())

    def _path(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256

    def _temporary(self) -> tuple[Path, RawIOBase]:
        incoming = self._folder / "incoming"
        with disk_errors(self._folder, CatalogError):
            incoming.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=incoming)
        # Unbuffered: what is written late would fail when the file is closed.
        return Path(name), os.fdopen(handle, "wb", buffering=0)


def _write(target: RawIOBase, block: bytes) -> None:
    """Write all of a block; an almost full disk takes only a part at a time."""
    rest = memoryview(block)
    while rest:
        rest = rest[target.write(rest) or 0 :]
