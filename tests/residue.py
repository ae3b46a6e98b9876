"""Looks for words in the bytes of files, as somebody would who has the disk."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from rag.index.edge.copying import stretches
from rag.index.edge.rewrite import rewrite_shard

_BLOCK = 4096


def rewrite_here(source: Path, target: Path, build: bool, cancel: threading.Event) -> None:
    """As in a process of its own, without the second that one takes to start."""
    rewrite_shard(source, target, build)


def files_with(folder: Path, *words: str) -> list[str]:
    """Return the files below a folder that hold one of the words, in any encoding that anything here writes."""
    needles = [
        spelt.encode(code) for word in words for spelt in (word, word.lower()) for code in ("utf-8", "utf-16-le")
    ]
    contents = ((path, _content(path)) for path in _files(folder))
    return [path.relative_to(folder).as_posix() for path, content in contents if any(n in content for n in needles)]


def written_bytes(folder: Path) -> int:
    """Return the bytes of all blocks below a folder that hold something else than zeros."""
    contents = [_content(path) for path in _files(folder)]
    return sum(any(content[i : i + _BLOCK]) * _BLOCK for content in contents for i in range(0, len(content), _BLOCK))


def _files(folder: Path) -> list[Path]:
    """Return all files below a folder; unlike `rglob`, walking does not mind what goes meanwhile."""
    return sorted(Path(parent, name) for parent, _, names in os.walk(folder) for name in names)


def _content(path: Path) -> bytes:
    """Return the bytes of a file without its holes, which are hundreds of megabytes; none once it is gone."""
    try:
        stream = path.open("rb")
    except FileNotFoundError:
        return b""
    with stream:
        parts = []
        for start, end in stretches(stream):
            stream.seek(start)
            parts.append(stream.read(end - start))
    return b"".join(parts)
