"""The encodings that a text may be in, how usual each is, and how bytes are read that are not in the file's own."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from functools import partial


@dataclass(frozen=True, slots=True)
class Encoding:
    """How to decode a file.

    Attributes:
        codec: Name of a Python codec.
        errors: Name of an error handler.
    """

    codec: str
    errors: str = "strict"


UTF8 = Encoding("utf-8")
DAMAGED = Encoding("utf-8", "rag.damaged")
"""UTF-8 in which bytes are missing or wrong: they become U+FFFD."""

_USUAL = (
    "cp1252", "cp932", "gb18030", "cp950", "cp949", "euc_jp", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255",
    "cp1256", "cp874", "koi8_r", "iso8859_2", "iso8859_15",
)  # fmt: skip
_LESS_USUAL = (
    "cp1257", "cp1258", "koi8_u", "iso8859_3", "iso8859_4", "iso8859_5", "iso8859_6", "iso8859_7", "iso8859_8",
    "iso8859_9", "iso8859_10", "iso8859_13", "iso8859_14", "cp437", "cp850", "cp852", "cp866",
    "mac_roman", "mac_cyrillic", "mac_latin2", "big5hkscs", "euc_jis_2004",
)  # fmt: skip
_RARE = (
    "cp720", "cp737", "cp775", "cp855", "cp856", "cp857", "cp858", "cp860", "cp861", "cp862", "cp863", "cp864", "cp865",
    "cp869", "cp1006", "cp1125", "hp_roman8", "iso8859_16", "johab", "koi8_t", "kz1048",
    "mac_croatian", "mac_greek", "mac_iceland", "mac_romanian", "mac_turkish", "palmos", "ptcp154",
    "shift_jis_2004",
)  # fmt: skip
HANDICAPS = {codec: 4.0 * rank for rank, names in enumerate((_USUAL, _LESS_USUAL, _RARE)) for codec in names}
"""Nats by which a reading in this encoding must be more probable than in a usual one. Where two give the same text, as
ISO-8859-1 and cp1252 do, only one is here."""

PAIRS = frozenset({
    "cp932", "gb18030", "cp950", "cp949", "euc_jp", "big5hkscs", "euc_jis_2004", "shift_jis_2004", "johab",
})  # fmt: skip
"""Encodings of two bytes a character."""
EBCDIC = {"cp037": 0.0, "cp500": 0.0, **dict.fromkeys(("cp273", "cp424", "cp875", "cp1026", "cp1140"), 4.0)}
"""The same for mainframes' encodings, where a space is 0x40."""
WIDE = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")

_MIXED = ("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "koi8_r", "iso8859_2", "cp850", "mac_roman")
_MIXED_HANDICAP = 2.0
_DECLARED = {
    "iso8859-1": "cp1252",  # as browsers read these labels
    "ascii": "cp1252",
    "shift_jis": "cp932",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "big5": "cp950",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
}
_SURROGATES = re.compile(rb"\xed[\xa0-\xaf][\x80-\xbf]\xed[\xb0-\xbf][\x80-\xbf]|\xed[\xa0-\xbf][\x80-\xbf]")
_KNOWN = frozenset(codecs.lookup(name).name for name in ("utf-8", *HANDICAPS, *EBCDIC))


def declared_codec(label: str) -> str:
    """Return the codec that a label in a file means; empty when it is unknown, or wide, which the bytes show better."""
    try:
        name = codecs.lookup(label).name
    except (LookupError, ValueError):
        return ""
    name = _DECLARED.get(name, name)
    return name if codecs.lookup(name).name in _KNOWN else ""


def readings_of_mixed() -> dict[Encoding, float]:
    """Return ways to read UTF-8 with other bytes between, each with its handicap in nats."""
    return {Encoding("utf-8", f"rag.{codec}"): HANDICAPS[codec] + _MIXED_HANDICAP for codec in _MIXED}


def _stray(error: UnicodeError, codec: str) -> tuple[str, int]:
    """Read bytes that are not UTF-8: surrogates that some programs write one by one, else one byte in `codec`."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    surrogates = _SURROGATES.match(error.object, error.start)
    if surrogates:
        pair = surrogates.group().decode("utf-8", "surrogatepass").encode("utf-16", "surrogatepass")
        return pair.decode("utf-16", "replace"), surrogates.end()
    if not codec:
        return "\ufffd", error.end
    return error.object[error.start : error.start + 1].decode(codec), error.start + 1


def _register() -> None:
    for codec in ("", *_MIXED):
        codecs.register_error(f"rag.{codec or 'damaged'}", partial(_stray, codec=codec))


_register()
