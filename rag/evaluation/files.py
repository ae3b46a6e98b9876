"""Writing what an evaluation makes: reports, exports and its cache."""

from __future__ import annotations

from pathlib import Path

from rag.disk import Reserve, disk_full, is_disk_full
from rag.errors import SettingsError
from rag.files import write_atomically


def write_output(path: Path, content: str | bytes) -> Path:
    """Write a file whole or not at all; its folder is made.

    Raises:
        DiskFullError: The disk has too little room for it.
        SettingsError: It cannot be written, with the reason and the settings that choose the folder.
    """
    Reserve(path.parent).check(len(content))
    try:
        return write_atomically(path, content)
    except OSError as exc:
        if is_disk_full(exc):
            raise disk_full(path.parent) from exc
        raise SettingsError(
            f"{path} cannot be written ({exc.strerror}). Choose another folder with --out or RAG_DATA_DIR, or make "
            "room."
        ) from exc
