"""A folder or a zip file, read line by line without being unpacked."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Protocol

from rag.errors import DatasetError

MAX_UNPACKED = 4 << 30
"""Bytes that one file of a zip may unpack to."""
MAX_MEMBERS = 10_000
MAX_LINE = 64 << 20
"""Bytes of one line."""


class Source(Protocol):
    """Named files of one dataset."""

    def label(self, name: str) -> str:
        """Name of the file in messages."""
        ...

    def names(self, folder: str, suffix: str) -> list[str]:
        """Names of the files directly in `folder` that end with `suffix`, sorted."""
        ...

    def lines(self, name: str) -> Iterator[tuple[int, str]]:
        """Line numbers from 1 with their text.

        Raises:
            DatasetError: The file is absent, or is not UTF-8.
        """
        ...


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """Open a folder or a zip file.

    Raises:
        DatasetError: It is neither, or the zip file is damaged or not safe to read.
    """
    if path.is_dir():
        yield _Folder(path)
    elif not path.exists():
        raise DatasetError(
            f"{path}: nothing there, expected a folder or a zip file with corpus.jsonl, queries.jsonl and qrels/."
        )
    elif not zipfile.is_zipfile(path):
        raise DatasetError(f"{path}: found a file that is no zip, expected a folder or a zip file in the BEIR layout.")
    else:
        try:
            with zipfile.ZipFile(path) as archive:
                yield _Zip(path, archive)
        except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError) as exc:
            raise DatasetError(
                f"{path}: the zip file cannot be read ({exc}). Make it again without a password."
            ) from exc


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Read one file as line numbers from 1 with their text.

    Raises:
        DatasetError: The file is not UTF-8.
    """
    with path.open("rb") as stream:
        yield from _decoded(stream, str(path))


class _Folder:
    def __init__(self, root: Path) -> None:
        self._root = root

    def label(self, name: str) -> str:
        return str(self._root / name)

    def names(self, folder: str, suffix: str) -> list[str]:
        paths = sorted((self._root / folder).glob(f"*{suffix}"))
        return [f"{folder}/{path.name}" for path in paths if path.is_file()]

    def lines(self, name: str) -> Iterator[tuple[int, str]]:
        path = self._root / name
        if not path.is_file():
            raise DatasetError(f"{path}: no such file, expected {name} in the BEIR layout.")
        yield from numbered_lines(path)


class _Zip:
    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        members = archive.infolist()
        if len(members) > MAX_MEMBERS:
            raise DatasetError(f"{path}: found {len(members)} files in the zip, expected at most {MAX_MEMBERS}.")
        for member in members:
            parts = PurePosixPath(member.filename.replace("\\", "/")).parts
            if ".." in parts or member.filename.startswith(("/", "\\")) or ":" in member.filename:
                raise DatasetError(
                    f"{path}: found the unsafe name {member.filename!r} in the zip, expected plain relative names."
                )
        roots = [
            name.removesuffix("corpus.jsonl")
            for name in archive.namelist()
            if PurePosixPath(name).name == "corpus.jsonl"
        ]
        if not roots:
            raise DatasetError(f"{path}: found no corpus.jsonl in the zip, expected the BEIR layout.")
        self._path, self._archive, self._root = path, archive, min(roots, key=len)

    def label(self, name: str) -> str:
        return f"{self._path}!{self._root}{name}"

    def names(self, folder: str, suffix: str) -> list[str]:
        start = f"{self._root}{folder}/"
        inside = [name.removeprefix(start) for name in self._archive.namelist() if name.startswith(start)]
        return sorted(f"{folder}/{name}" for name in inside if name.endswith(suffix) and "/" not in name)

    def lines(self, name: str) -> Iterator[tuple[int, str]]:
        try:
            stream = self._archive.open(self._root + name)
        except KeyError:
            raise DatasetError(f"{self.label(name)}: no such file, expected {name} in the BEIR layout.") from None
        with stream:
            yield from _decoded(stream, self.label(name))


def _decoded(stream: IO[bytes], label: str) -> Iterator[tuple[int, str]]:
    """Decode numbered lines, within limits on the bytes that are really read."""
    # A zip's directory may claim any size, so the limit counts what comes out of it.
    number = size = 0
    while raw := stream.readline(MAX_LINE + 1):
        number, size = number + 1, size + len(raw)
        if len(raw) > MAX_LINE or size > MAX_UNPACKED:
            raise DatasetError(
                f"{label}, line {number}: found more than {MAX_LINE >> 20} MB on a line or "
                f"{MAX_UNPACKED >> 30} GB in the file, which is over the limit."
            )
        try:
            yield number, raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as exc:
            raise DatasetError(
                f"{label}, line {number}: found bytes that are not UTF-8 ({exc.reason}), expected UTF-8 text."
            ) from exc
