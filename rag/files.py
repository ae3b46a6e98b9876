"""Writing files whole or not at all."""

from __future__ import annotations

import uuid
from contextlib import suppress
from pathlib import Path


def write_atomically(path: Path, content: str | bytes) -> Path:
    """Write a file under another name and move it to its place, so that nobody sees half of it. Makes the folder.

    Args:
        path: Where it belongs; a file there is replaced.
        content: Text is written as UTF-8.

    Returns:
        The path.

    Raises:
        OSError: It cannot be written; the place is as before.
    """
    pending = path.with_name(f".{uuid.uuid4().hex}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        pending.write_bytes(content.encode() if isinstance(content, str) else content)
        pending.replace(path)
    except OSError:
        with suppress(OSError):
            pending.unlink(missing_ok=True)
        raise
    return path
