"""Strings for people: printable, escaped, and sizes and times in words."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import escape

from rag.text import shorten, well_formed

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]")
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_LINKABLE = re.compile(r"(?<=[:/@.])(?=\S)|(?<=www)(?=\.)|(?=@)", re.IGNORECASE)
_WRAPPED = re.compile(r"(?<=[^\n]{55}[^\n|])\n(?=[^\s\-*+#>|=\d])")
_JOINER = "\u2060"
_UNITS = ("bytes", "KB", "MB", "GB", "TB")


def printable(text: str) -> str:
    """Return the text without control and direction-changing characters; line breaks and tabs stay.

    Halves of surrogate pairs, which no stream can encode, become replacement characters.
    """
    return _CONTROL.sub("", well_formed(text).replace("\r\n", "\n").replace("\r", "\n"))


def escaped(text: str) -> str:
    """Return the printable text as HTML that shows exactly its characters."""
    return escape(printable(text))


def plain(text: str, limit: int = 400) -> str:
    """Return the text on one line, escaped so that Markdown shows exactly its characters.

    Backslashes alone do not stop bare addresses and `:shortcodes:`, which are found after unescaping, so an invisible
    word joiner goes inside them.

    Args:
        text: Anything, from anyone.
        limit: Longest result in characters of the text; the rest becomes an ellipsis.
    """
    line = shorten(" ".join(printable(text).split()), limit)
    return _PUNCTUATION.sub(r"\\\1", _LINKABLE.sub(_JOINER, line))


def unwrapped(text: str) -> str:
    """Return the text with the line breaks of hard-wrapped prose as spaces; of equal length, so that offsets hold."""
    return _WRAPPED.sub(" ", text)


def visible(prompt: str) -> str:
    """Return a prompt in quotes with its line breaks and tabs as escapes, or `(none)`."""
    if not prompt:
        return "(none)"
    return '"' + printable(prompt).replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t") + '"'


def rank_change(ranks: int | None) -> str:
    """Return `new` for a hit that the other list lacks, else an arrow and the ranks moved: `↑2`, `↓1`, `=`."""
    if ranks is None:
        return "new"
    if ranks == 0:
        return "="
    return f"↑{ranks}" if ranks > 0 else f"↓{-ranks}"


def size(count: int) -> str:
    """Return a number of bytes in words: `812 bytes`, `1.4 MB`."""
    value = float(count)
    for unit in _UNITS:
        if value < 1000 or unit == _UNITS[-1]:
            break
        value /= 1000
    return f"{count} bytes" if unit == "bytes" else f"{value:.1f} {unit}"


def number(count: int, singular: str, plural: str = "") -> str:
    """Return a count with its noun: `1 file`, `2,000 files`."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def duration(seconds: float | None) -> str:
    """Return a time in words: `8 s`, `2 min 5 s`, `1 h 2 min`; empty for None."""
    if seconds is None:
        return ""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def when(moment: float | str | datetime) -> str:
    """Return a moment (seconds since 1970, ISO text or a datetime) in local time: `2026-11-23 08:40`."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    elif not isinstance(moment, datetime):
        moment = datetime.fromtimestamp(moment, tz=UTC)
    return moment.astimezone().strftime("%Y-%m-%d %H:%M")
