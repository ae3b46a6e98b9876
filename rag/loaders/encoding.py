"""The encoding of a file: by byte order mark, by its pattern of NULs, as UTF-8, and last by how probable its words are.

What cannot be told for certain is refused: a wrong guess is text that nobody finds and nobody can read.
"""

from __future__ import annotations

import codecs
import io
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from rag.errors import UndecodableFileError
from rag.loaders.charsets import DAMAGED, EBCDIC, UTF8, WIDE, Encoding, declared_codec, readings_of_mixed
from rag.loaders.guessing import ADVICE, guess, usual_candidates
from rag.loaders.likelihood import log_likelihood
from rag.loaders.sampling import Sample

SAMPLE = 1 << 16
"""Bytes at the start of a file that are looked at to tell its format."""
_BLOCK = 1 << 20
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
CONTROLS = re.compile(rb"[\x00-\x07\x0e-\x1a\x1c-\x1f\x7f]")
"""Bytes that text in most encodings does not have."""
_MAX_CONTROLS = 0.05
_MAX_ODD = 0.03  # share of characters that stand in no text
_WIDE_SAMPLE = 4000  # bytes by which wide encodings are told apart
_CONTROL_NATS = 5.0  # against a text of one byte a character, for each control character that would be dropped
_MARGIN = 6.0
_PLAUSIBLE = 6.0  # nats a byte
_SHIFTS = (("iso2022_jp_ext", re.compile(rb"\x1b[$(][@B]")), ("iso2022_kr", re.compile(rb"\x1b\$\)C")))
_HZ = re.compile(rb"~\{[!-w][!-~][^~\n]*~\}")
_EBCDIC_WHITE = b"\x40\x15\x25\x0d\x05"


def open_text(path: Path, newline: str | None = None) -> TextIO:
    """Open a file as text in its own encoding, without a byte order mark.

    Raises:
        UndecodableFileError: The encoding cannot be told.
    """
    encoding = encoding_of(path)
    return path.open(encoding=encoding.codec, errors=encoding.errors, newline=newline)


def decode_text(data: bytes, declared: str = "") -> str:
    """Decode a whole file.

    Args:
        data: A whole file.
        declared: Label of the encoding that the file declares. It counts when the bytes could be in it.

    Raises:
        UndecodableFileError: The encoding cannot be told.
    """
    encoding = _encoding(io.BytesIO(data), declared_codec(declared))
    return data.decode(encoding.codec, encoding.errors).removeprefix("\ufeff")


def encoding_of(path: Path) -> Encoding:
    """Return the encoding of a text file. The file is read once or twice; memory stays small.

    Raises:
        UndecodableFileError: It cannot be told.
    """
    with path.open("rb") as stream:
        return _encoding(stream, "")


def is_binary(head: bytes) -> bool:
    """True when the first bytes of a file are no text in any encoding."""
    if len(CONTROLS.findall(head)) <= _MAX_CONTROLS * len(head) or _is_ebcdic(head):
        return False
    return not _marked(head)


def _encoding(stream: io.BufferedIOBase, declared: str) -> Encoding:
    head = stream.read(SAMPLE)
    stream.seek(0)
    marked = _marked(head)
    if marked and marked.codec != "utf-8-sig":
        return marked
    utf8 = marked or UTF8
    if _decodes(stream, utf8):
        return utf8
    if not marked and _is_ebcdic(head):
        sample = _sample(stream, _EBCDIC_WHITE, has_ascii=False)
        candidates = {Encoding(codec): handicap for codec, handicap in EBCDIC.items()}
        encoding = guess(sample, candidates, declared, strictly=True)
    else:
        encoding = _guessed(stream, head, utf8 if marked else None, declared)
    if not _decodes(stream, encoding):
        raise UndecodableFileError(f"Some of the file is in {encoding.codec}, and some of it is not. {ADVICE}")
    return encoding


def _guessed(stream: io.BufferedIOBase, head: bytes, marked: Encoding | None, declared: str) -> Encoding:
    sample = _sample(stream)
    if marked:
        candidates = {**readings_of_mixed(), DAMAGED: 0.0}
        chosen = guess(sample, candidates)
        return Encoding(marked.codec, chosen.errors)
    try:
        return guess(sample, usual_candidates(sample), declared)
    except UndecodableFileError:
        wide = _wide(head)  # East Asian text need not have a single NUL
        if wide is None:
            raise
        return wide


def _marked(head: bytes) -> Encoding | None:
    """Return the encoding that a byte order mark, NUL bytes or escape sequences reveal, or None."""
    for mark, codec in _BOMS:
        if head.startswith(mark):
            return Encoding(codec, "replace" if codec != "utf-8-sig" else "strict") if _is_text(head, codec) else None
    if b"\x00" in head:
        return _wide(head)
    for codec, escape in _SHIFTS:
        if escape.search(head) and _is_text(head, codec):
            return Encoding(codec)
    if _HZ.search(head) and head.isascii() and _is_text(head, "hz"):
        text = head[:_WIDE_SAMPLE].decode("hz", "ignore")
        return Encoding("hz") if log_likelihood(text) > log_likelihood(head[: len(text)].decode("ascii")) else None
    return None


def _is_text(head: bytes, codec: str) -> bool:
    """True when the bytes can be decoded and hardly any character is one that stands in no text."""
    errors = "replace" if codec in ("utf-8-sig", "utf-16", "utf-32") else "strict"
    try:
        text = codecs.getincrementaldecoder(codec)(errors).decode(head)
    except UnicodeDecodeError:
        return False
    return codec == "utf-8-sig" or _odd(text) <= _MAX_ODD * len(text)


def _odd(text: str) -> int:
    """Count the characters that stand in no text: unassigned, private, controls and replacements."""
    odd = (char == "\ufffd" or unicodedata.category(char) in ("Cc", "Cn", "Co", "Cs") for char in text)
    return sum(odd) - sum(map(text.count, "\t\n\r\f\x1b"))


def _wide(head: bytes) -> Encoding | None:
    """Return the encoding of two or four bytes a character in which a text without a mark is, or None."""
    part = head[:_WIDE_SAMPLE]
    narrow = CONTROLS.sub(b"", part).decode("cp1252", "replace")
    scores = {"": log_likelihood(narrow) - _CONTROL_NATS * (len(part) - len(narrow))}
    for codec in WIDE:
        try:
            text = codecs.getincrementaldecoder(codec)().decode(part)
        except UnicodeDecodeError:
            continue
        if text and _odd(text) <= _MAX_ODD * len(text):
            scores[codec] = log_likelihood(text)
    best, *others = sorted(scores, key=lambda codec: -scores[codec])
    certain = not others or scores[best] - scores[others[0]] >= _MARGIN
    return Encoding(best, "replace") if best and certain and -scores[best] <= _PLAUSIBLE * len(part) else None


def _is_ebcdic(head: bytes) -> bool:
    """True when the bytes are spread as a mainframe's text is: its space is `@`, its letters are beyond ASCII."""
    spaces = head.count(b"\x40")
    letters = sum(byte > 0x80 for byte in head[:_WIDE_SAMPLE])
    return spaces > 10 * head.count(b" ") and spaces > 0.04 * len(head) and letters > 0.5 * len(head[:_WIDE_SAMPLE])


def _decodes(stream: io.BufferedIOBase, encoding: Encoding) -> bool:
    decoder = codecs.getincrementaldecoder(encoding.codec)(encoding.errors)
    stream.seek(0)
    try:
        while block := stream.read(_BLOCK):
            decoder.decode(block)
        decoder.decode(b"", True)
    except UnicodeDecodeError:
        return False
    return True


def _sample(stream: io.BufferedIOBase, white: bytes = b" \t\n\r\x0b\x0c", has_ascii: bool = True) -> Sample:
    sample = Sample(white, has_ascii)
    for block in _whole_words(stream, white):
        sample.add(block)
    return sample


def _whole_words(stream: io.BufferedIOBase, white: bytes) -> Iterator[bytes]:
    """Yield the file in parts that end between two words, or anywhere when a word is longer than a part."""
    stream.seek(0)
    rest = b""
    while block := stream.read(_BLOCK):
        block = rest + block
        end = max(block.rfind(white[i : i + 1]) for i in range(len(white))) + 1 or len(block)
        yield block[:end]
        rest = block[end:]
    yield rest
