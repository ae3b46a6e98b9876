"""Text cleaning that every loader applies, and its version, which is part of the recipe of an index."""

from __future__ import annotations

import re

CLEANING = "1"
"""Version of the cleaning. A change here changes what is embedded, so indexes built before are refused."""

_NEWLINES = re.compile(r"\r\n?")
_SPACES = re.compile(r"[\x0b\x0c]")
_INVISIBLE = (
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"  # control characters except tab, line feed and next line
    "\u00ad\u200b\u2060-\u2064\ufeff"  # soft hyphen, zero-width space and joiners, byte order mark
    "\ufdd0-\ufdef\ufffe\uffff"  # noncharacters
    "\U000e0000-\U000e007f"  # tag characters, which can carry text that nobody sees
)
_SURROGATES = "\ud800-\udfff"
_REMOVED = re.compile(f"[{_INVISIBLE}]")
_REPLACED = re.compile(f"[{_SURROGATES}]")
_ANY = re.compile(f"[\x0b\x0c{_INVISIBLE}{_SURROGATES}]")


def clean(text: str) -> str:
    """`text` without characters that are invisible, act, or cannot be encoded as UTF-8.

    Line ends become line feeds and the number of lines stays. Zero-width joiners stay, as scripts and emoji need them.
    A lone surrogate becomes U+FFFD.
    """
    if "\r" in text:
        text = _NEWLINES.sub("\n", text)
    if _ANY.search(text) is None:
        return text
    return _REPLACED.sub("\ufffd", _REMOVED.sub("", _SPACES.sub(" ", text)))


def squeeze(text: str) -> str:
    """`text` cleaned, on one line, with runs of white space as one space."""
    return " ".join(clean(text).split())
