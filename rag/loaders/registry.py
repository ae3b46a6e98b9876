"""The formats that are read, found by looking into `rag.loaders.readers`, and which of them a file is in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import cast

from rag.discovery import by_key, entries
from rag.errors import (
    DamagedFileError,
    EmptyFileError,
    FileTooLargeError,
    UnreadableFileError,
    UnsupportedFileError,
)
from rag.loaders.encoding import CONTROLS, SAMPLE, is_binary
from rag.loaders.unsupported import refuse_known
from rag.types import Document, Loader

DEFAULT_MAX_BYTES = 100 * 2**20
"""Largest file that is read whole, in bytes."""

_NO_TEXT = "The file holds no text, only white space or markup. Upload a file with text."


@dataclass(frozen=True, slots=True)
class Format:
    """One file format: a module in `rag.loaders.readers` holds it as `FORMAT`.

    Attributes:
        name: What people call it.
        extensions: Endings of file names, with the dot, in lower case; no two formats may claim one.
        load: Reads a file of this format.
        signature: Matches the first bytes of a file of this format; None when they look like any text.
        binary: True when the bytes are no text. Its signature then wins over any extension.
        late_signature: Matches the first bytes of a file that has something else before its signature; counts only when
            the name has one of the extensions.
        streams: True when files are read piece by piece and may have any size.
    """

    name: str
    extensions: tuple[str, ...]
    load: Loader
    signature: re.Pattern[bytes] | None = None
    binary: bool = False
    streams: bool = False
    late_signature: re.Pattern[bytes] | None = None


@cache
def all_formats() -> dict[str, Format]:
    """Return every format by name.

    Raises:
        DuplicateNameError: Two readers claim one name.
    """
    from rag.loaders import readers

    return by_key("file format", cast("list[Format]", entries(readers, "FORMAT")), lambda entry: [entry.name])


@cache
def formats_by_extension() -> dict[str, Format]:
    """Return every format by each of its extensions.

    Raises:
        DuplicateNameError: Two readers claim one name or one extension.
    """
    return by_key("file extension", all_formats().values(), lambda entry: entry.extensions)


def detect(path: Path, name: str) -> Format:
    """Return the format of a file: by its first bytes, then by the extension of `name`, then text if it is text.

    Raises:
        EmptyFileError: Nothing but white space.
        UnsupportedFileError: A format that is known and not read, or bytes that are no text.
        DamagedFileError: The name has the extension of a binary format, and the content is not in it.
    """
    head = _head(path)
    if not head:
        raise EmptyFileError("The file has zero bytes. Upload a file with content.")
    if len(head) < SAMPLE and not head.strip():
        raise EmptyFileError(_NO_TEXT)
    named = formats_by_extension().get(PurePosixPath(name).suffix.lower())
    entry = _by_signature(head, named)
    if entry is not None:
        return entry
    # Nearly every text has no control character and needs no closer look.
    is_text = not CONTROLS.search(head) or not is_binary(head)
    refuse_known(head, is_text)
    if named is not None and named.binary:
        raise DamagedFileError(_disagreement(PurePosixPath(name).suffix, named.name, is_text))
    if not is_text:
        raise UnsupportedFileError(
            f"Found binary data of an unknown format, expected text or one of {', '.join(all_formats())}. "
            "Convert the file to PDF, DOCX or plain text."
        )
    return named if named is not None else all_formats()["text"]


def _by_signature(head: bytes, named: Format | None) -> Format | None:
    """Return the format that the first bytes show, or None when they show none for certain."""
    if named is not None and named.late_signature and named.late_signature.match(head):
        return named
    for entry in all_formats().values():
        # The bytes of a text format are weak evidence: `<html>` may open a Markdown file, so its extension wins.
        if entry.signature and (entry.binary or named is None or named.binary) and entry.signature.match(head):
            return entry
    return None


def _disagreement(extension: str, format_name: str, is_text: bool) -> str:
    content = "plain text" if is_text else "data that is damaged or in another format"
    remedy = "Name it .txt" if is_text else "Export or save it again"
    return (
        f"The name ends in {extension}, but the content is {content}, not {format_name.upper()}. "
        f"{remedy}, or upload the right file."
    )


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(SAMPLE)
    except OSError as exc:
        raise UnreadableFileError(f"The file cannot be opened: {exc.strerror or exc}.") from exc


def load(path: Path, name: str, *, max_bytes: int = DEFAULT_MAX_BYTES) -> Iterator[Document]:
    """Parse a file in this process; use `LoaderPool` for files that are not trusted.

    Args:
        path: Where the bytes are.
        name: What people call the file; its extension counts when the bytes do not tell the format.
        max_bytes: Largest size of a file that is not streamed.

    Yields:
        Its documents.

    Raises:
        UnreadableFileError: Or one of its kinds, with the reason. Documents may have come before it.
    """
    try:
        entry = detect(path, name)
        size = path.stat().st_size
        if size > max_bytes and not entry.streams:
            raise FileTooLargeError(
                f"The file has {size / 1e6:,.0f} MB, at most {max_bytes / 1e6:,.0f} MB are read. "
                "Split it, or raise RAG_MAX_FILE_MB."
            )
        yield from _with_text(entry.load(path, name))
    except OSError as exc:
        raise UnreadableFileError(f"The file cannot be read: {exc.strerror or exc}.") from exc


def _with_text(documents: Iterator[Document]) -> Iterator[Document]:
    """Pass on the documents that hold text.

    Raises:
        EmptyFileError: There was none.
    """
    count = 0
    for document in documents:
        if document.segments:
            count += 1
            yield document
    if not count:
        raise EmptyFileError(_NO_TEXT)
