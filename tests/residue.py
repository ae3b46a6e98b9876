"""Looks for words in the bytes of files, as somebody would who has the disk."""

from __future__ import annotations

import os
from pathlib import Path

_BLOCK = 4096


def files_with(folder: Path, *words: str) -> list[str]:
    """Return the files below a folder that hold one of the words, in any encoding that anything here writes."""
    needles = [
        spelt.encode(code) for word in words for spelt in (word, word.lower()) for code in ("utf-8", "utf-16-le")
    ]
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    contents = ((path, _content(path)) for path in paths)
    return [path.relative_to(folder).as_posix() for path, content in contents if any(n in content for n in needles)]


def written_bytes(folder: Path) -> int:
    """Return the bytes of all blocks below a folder that hold something else than zeros."""
    contents = [_content(path) for path in folder.rglob("*") if path.is_file()]
    return sum(any(content[i : i + _BLOCK]) * _BLOCK for content in contents for i in range(0, len(content), _BLOCK))


def _content(path: Path) -> bytes:
    """Return the bytes of a file without its holes, of which an index has hundreds of megabytes."""
    with path.open("rb") as stream:
        size = path.stat().st_size
        parts, end = [], 0
        while end < size:
            try:
                start = os.lseek(stream.fileno(), end, os.SEEK_DATA)
            except OSError:  # the rest is a hole
                break
            end = os.lseek(stream.fileno(), start, os.SEEK_HOLE)
            stream.seek(start)
            parts.append(stream.read(end - start))
    return b"".join(parts)
