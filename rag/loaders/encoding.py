"""Detect the encoding of bytes: by byte order mark, by NUL pattern, as UTF-8, and last by statistics."""

from __future__ import annotations

import codecs
import io
import re
from pathlib import Path
from typing import TextIO

SAMPLE = 1 << 16
_BLOCK = 1 << 20
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WIDE = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")
_LEGACY = [
    "cp932",
    "euc_jp",
    "gb18030",
    "big5",
    "euc_kr",
    "koi8_r",
    "cp874",
    *(f"cp{page}" for page in range(1250, 1258)),
]
CONTROLS = re.compile(rb"[\x00-\x07\x0e-\x1a\x1c-\x1f\x7f]")
"""Bytes that text in most encodings does not have."""
_LONE_A_GRAVE = re.compile(r"\b[ŕŔ]\b")  # the French, Italian and Portuguese word "à", read as Central European
_MAX_CONTROLS = 0.05
_MIN_PRINTABLE = 0.95


def open_text(path: Path, newline: str | None = None) -> TextIO:
    """Open a file as text in its own encoding, without a byte order mark; bad bytes become U+FFFD."""
    return path.open(encoding=encoding_of(path), errors="replace", newline=newline)


def decode_text(data: bytes, declared: str = "") -> str:
    """Decode a whole file; bad bytes become U+FFFD.

    Args:
        data: A whole file.
        declared: Encoding that the file declares; used when the bytes are valid in it and carry no mark.
    """
    codec = _marked(data[:SAMPLE])
    if not codec and declared and _fits(data, declared):
        codec = declared
    if not codec:
        codec = _measured(io.BytesIO(data), data[:SAMPLE])
    return data.decode(codec, errors="replace").removeprefix("\ufeff")


def encoding_of(path: Path) -> str:
    """Return the Python codec of a text file. The file is read once; memory stays small."""
    with path.open("rb") as stream:
        head = stream.read(SAMPLE)
        stream.seek(0)
        return _marked(head) or _measured(stream, head)


def is_binary(head: bytes) -> bool:
    """True when the first bytes of a file are no text in any encoding."""
    if not head or _marked(head):
        return False
    return len(CONTROLS.findall(head)) > _MAX_CONTROLS * len(head)


def _marked(head: bytes) -> str:
    """Return the codec that a byte order mark, NUL bytes or escape sequences reveal, or empty."""
    for mark, codec in _BOMS:
        if head.startswith(mark):
            return codec
    # ASCII in UTF-16 or UTF-32 is every second or fourth byte, so NULs mean a wide encoding or no text at all.
    # UTF-8 would decode them without complaint.
    if b"\x00" in head:
        score, codec = max((_printable(head, codec), codec) for codec in _WIDE)
        return codec if score >= _MIN_PRINTABLE else ""
    return "iso2022_jp" if b"\x1b$B" in head or b"\x1b$@" in head else ""


def _printable(head: bytes, codec: str) -> float:
    """Return the share of printable characters when `head` is decoded with `codec`; 0 when it cannot be."""
    try:
        text = codecs.getincrementaldecoder(codec)().decode(head)
    except UnicodeDecodeError:
        return 0.0
    readable = sum(1 for char in text if char.isprintable() or char in "\t\n\r\f")
    # In the wrong byte order nearly all bytes are printable too, as rare CJK; a real text has at least one blank,
    # digit, Latin letter or ideographic space.
    common = sum(1 for char in text if char < "\u0250" or char == "\u3000")
    return readable / len(text) if text and common else 0.0


def _measured(stream: io.BufferedIOBase, head: bytes) -> str:
    """Return UTF-8 when all of the stream is, else the likeliest legacy encoding of the part that is not."""
    check = codecs.getincrementaldecoder("utf-8")("strict")
    position = 0
    while block := stream.read(_BLOCK):
        try:
            check.decode(block)
        except UnicodeDecodeError as error:
            start = max(0, position + error.start - SAMPLE // 2)
            stream.seek(start)
            return _legacy(head if start < SAMPLE // 2 else stream.read(SAMPLE))
        position += len(block)
    return "utf-8"


def _legacy(sample: bytes) -> str:
    """Return the likeliest codec of bytes that are not clean UTF-8."""
    text = sample.decode("utf-8", "replace")
    bad = text.count("\ufffd")
    # Legacy text hardly ever forms valid multi-byte sequences; many beside a few bad bytes are damaged UTF-8.
    if sum(1 for char in text if not char.isascii()) > 10 * bad:
        return "utf-8"
    from charset_normalizer import from_bytes

    best = from_bytes(sample, cp_isolation=_LEGACY).best()
    codec = best.encoding if best is not None else "cp1252"
    text = sample.decode(codec, "replace")
    # Most bytes mean the same in cp1250 and cp1252, so the statistics often name the rarer of the two.
    western = codec == "cp1250" and (text == sample.decode("cp1252", "replace") or _LONE_A_GRAVE.search(text))
    return "cp1252" if western else codec


def _fits(data: bytes, codec: str) -> bool:
    try:
        data.decode(codec)
    except (LookupError, UnicodeDecodeError, ValueError):
        return False
    return True
