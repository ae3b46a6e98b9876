"""The bytes of every file, kept by content: `files/<first two digits>/<sha256>`. Never changed once written."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from rag.errors import CatalogError, NotFoundError

_BLOCK = 1 << 20


class Originals:
    """A folder addressed by content.

    Args:
        folder: Made when the first file is added.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, source: Path) -> str:
        """Copy a file in, durably.

        Returns:
            The SHA-256 of what was copied, in hexadecimal.

        Raises:
            OSError: The source cannot be read.
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
                    _write(target, block)
                target.flush()
                os.fsync(target.fileno())
            final = self._path(digest.hexdigest())
            if not final.exists():
                final.parent.mkdir(parents=True, exist_ok=True)
                temporary.replace(final)
        finally:
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

    def _temporary(self) -> tuple[Path, BinaryIO]:
        incoming = self._folder / "incoming"
        try:
            incoming.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=incoming)
        except OSError as exc:
            raise CatalogError(f"{self._folder} cannot be written ({exc.strerror}). Check RAG_DATA_DIR.") from exc
        return Path(name), os.fdopen(handle, "wb")


def _write(target: BinaryIO, block: bytes) -> None:
    try:
        target.write(block)
    except OSError as exc:
        raise CatalogError(f"The data folder cannot be written ({exc.strerror}). Free some space.") from exc
