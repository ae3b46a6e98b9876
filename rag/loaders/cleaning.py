"""Text cleaning that every reader applies, and its version, which is part of the recipe of an index."""

from __future__ import annotations

import re

CLEANING = "1"
"""Version of the cleaning. Raising it refuses the indexes built before, since other text is embedded."""

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


def clean_text(text: str) -> str:
    """Remove characters that are invisible, that act on a terminal or a reader, or that UTF-8 cannot encode.

    Line ends become line feeds, so the number of lines stays. Zero-width joiners stay: scripts and emoji need them.
    A lone surrogate becomes U+FFFD.
    """
    if "\r" in text:
        text = _NEWLINES.sub("\n", text)
    if _ANY.search(text) is None:  # nearly every text: one scan instead of three passes
        return text
    return _REPLACED.sub("\ufffd", _REMOVED.sub("", _SPACES.sub(" ", text)))


def squeeze(text: str) -> str:
    """Clean a text and put it on one line, with runs of white space as one space."""
    return " ".join(clean_text(text).split())
