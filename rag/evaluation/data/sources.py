"""A folder or a zip file, read line by line without being unpacked."""

from __future__ import annotations

import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Protocol

from rag.errors import DatasetError

MAX_BYTES = 1 << 30
"""Bytes of all files of a dataset together, unpacked."""
MAX_RATIO = 30
"""How many times its size a zip file may unpack to: text of JSON lines packs to a tenth, seldom to a twentieth."""
FREE_BYTES = 16 << 20
"""Bytes that any zip file may unpack to."""
MAX_LINES = 1_000_000
"""Documents, questions and judgments of a dataset together."""
MAX_LINE = 8 << 20
"""Bytes of one line."""
MAX_MEMBERS = 10_000
"""Files in a zip."""
_MAX_READ = 4 << 20
_LINK, _KIND = 0o120000, 0o170000


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
            with _Bounded(path, "rb") as stream, zipfile.ZipFile(stream) as archive:
                yield _Zip(path, archive)
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError, RuntimeError, ValueError) as exc:
            raise DatasetError(
                f"{path}: the zip file cannot be read ({exc}). Make it again without a password."
            ) from exc


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Read one file as line numbers from 1 with their text.

    Raises:
        DatasetError: The file is not UTF-8, or too large.
    """
    with path.open("rb") as stream:
        yield from _Allowance(MAX_BYTES).lines(stream, str(path))


class _Bounded(io.FileIO):
    """A file that is never read in large pieces: a zip file's directory of a million names would be one."""

    def read(self, size: int | None = -1, /) -> bytes:
        allowed = _MAX_READ + 1
        content = super().read(allowed if size is None or size < 0 else min(size, allowed)) or b""
        if len(content) > _MAX_READ:
            raise zipfile.BadZipFile(f"its directory takes more than {_MAX_READ >> 20} MB")
        return content


class _Allowance:
    """What may still be read of one dataset: the sizes that a zip file's directory claims are not believed.

    Args:
        size: Bytes.
    """

    def __init__(self, size: int) -> None:
        self._size = self._left = size
        self._lines = MAX_LINES

    def lines(self, stream: IO[bytes], label: str) -> Iterator[tuple[int, str]]:
        """Yield line numbers from 1 with their text.

        Raises:
            DatasetError: A limit is passed, or bytes are not UTF-8.
        """
        number = 0
        while raw := stream.readline(MAX_LINE + 1):
            number += 1
            self._left -= len(raw)
            self._lines -= 1
            if len(raw) > MAX_LINE or self._left < 0 or self._lines < 0:
                raise DatasetError(f"{label}, line {number}: {self._excess(len(raw))}")
            try:
                yield number, raw.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as exc:
                raise DatasetError(
                    f"{label}, line {number}: found bytes that are not UTF-8 ({exc.reason}), expected UTF-8 text."
                ) from exc

    def _excess(self, line: int) -> str:
        if line > MAX_LINE:
            return f"found more than {MAX_LINE >> 20} MB on a line, which is over the limit. Split its text."
        if self._lines < 0:
            return f"found more than {MAX_LINES:,} lines in all, which is over the limit. Take a sample of the corpus."
        return (
            f"found more than {self._size / 2**20:,.0f} MB of text in all, which is over the limit. Take a sample of "
            "the corpus."
        )


class _Folder:
    def __init__(self, root: Path) -> None:
        self._root = root
        self._allowance = _Allowance(MAX_BYTES)

    def label(self, name: str) -> str:
        return str(self._root / name)

    def names(self, folder: str, suffix: str) -> list[str]:
        paths = sorted((self._root / folder).glob(f"*{suffix}"))
        return [f"{folder}/{path.name}" for path in paths if path.is_file()]

    def lines(self, name: str) -> Iterator[tuple[int, str]]:
        path = self._root / name
        if not path.is_file():
            raise DatasetError(f"{path}: no such file, expected {name} in the BEIR layout.")
        with path.open("rb") as stream:
            yield from self._allowance.lines(stream, str(path))


class _Zip:
    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        members = archive.infolist()
        if len(members) > MAX_MEMBERS:
            raise DatasetError(f"{path}: found {len(members)} files in the zip, expected at most {MAX_MEMBERS}.")
        for member in members:
            _check_name(path, member)
        self._allowance = _Allowance(min(MAX_BYTES, max(FREE_BYTES, MAX_RATIO * path.stat().st_size)))
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
            yield from self._allowance.lines(stream, self.label(name))


def _check_name(path: Path, member: zipfile.ZipInfo) -> None:
    """Refuse a member that would lead out of the archive.

    Raises:
        DatasetError: It has an unsafe name, or is a link.
    """
    name = member.filename
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if ".." in parts or name.startswith(("/", "\\")) or ":" in name:
        raise DatasetError(f"{path}: found the unsafe name {name[:200]!r} in the zip, expected plain relative names.")
    if (member.external_attr >> 16) & _KIND == _LINK:
        raise DatasetError(f"{path}: found the link {name[:200]!r} in the zip, expected files.")
