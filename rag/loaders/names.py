"""File names as people see them: readable, relative, without anything that acts."""

from __future__ import annotations

import hashlib
import re
import unicodedata

MAX_NAME = 200
"""Longest safe name in characters."""

_UNNAMED = "unnamed"
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_DRIVE = re.compile(r"^[A-Za-z]:(?=/|$)")


def safe_name(name: str) -> str:
    """Clean a name for display: no `..`, no root, no control, bidi or invisible characters, `/` between its parts.

    Cleaning twice changes nothing. A name that had to be cut ends in a hash of the whole, so that two long names stay
    two, and keeps its extension.

    Args:
        name: A file name or relative path from anywhere; it may be hostile.

    Returns:
        Between 1 and `MAX_NAME` characters.
    """
    visible = "".join(" " if unicodedata.category(char) in _HIDDEN else char for char in name[: 20 * MAX_NAME])
    visible = unicodedata.normalize("NFC", visible).replace("\\", "/")
    parts = [" ".join(part.split()) for part in _DRIVE.sub("", visible.strip()).split("/")]
    clean = "/".join(part for part in parts if part and part.strip(". "))
    while _DRIVE.match(clean):  # dropping `C:` may bring the next drive to the front
        clean = _DRIVE.sub("", clean).lstrip("/ ")
    return _cut(clean, name) or _UNNAMED


def _cut(name: str, original: str) -> str:
    """Shorten a long name to its start, a hash of the original and its extension."""
    if len(name) <= MAX_NAME:
        return name
    digest = hashlib.sha256(original.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    _, dot, extension = name.rpartition(".")
    suffix = f"{dot}{extension}" if dot and extension.isalnum() and len(extension) <= 10 else ""
    end = f"~{digest}{suffix}"
    return f"{name[: MAX_NAME - len(end)].rstrip(' /.')}{end}"
