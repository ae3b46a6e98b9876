"""Which files to ingest: folders walked, uploads staged, every name safe to show."""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from rag.errors import CatalogError, NotFoundError
from rag.loaders import safe_name

_UPLOADS = "uploads"
_ABANDONED_SECONDS = 86400


@dataclass(frozen=True, slots=True)
class IngestItem:
    """A file to ingest. `path` is where its bytes are, `name` what people call it, e.g. `guides/setup.md`."""

    path: Path
    name: str


def discover(paths: Sequence[Path], exclude: Path | None = None) -> list[IngestItem]:
    """Files to ingest, sorted by name; names are relative to the folder they were found in.

    Hidden files and folders, links that lead out of the folder, and what cannot be read are left out of a folder; a
    file that is named itself is always taken. Two files that would have one name get the names of their folders in
    front.

    Args:
        paths: Files and folders.
        exclude: A folder to leave out wherever it is met: the data folder.

    Raises:
        NotFoundError: A path does not exist.
    """
    found: dict[Path, tuple[Path, str]] = {}
    for path in paths:
        if not path.exists():
            raise NotFoundError(f"No file or folder {str(path)!r}. Check the path.")
        root = path.resolve()
        if root.is_file():
            found.setdefault(root, (root.parent, path.name))
            continue
        for file in _walk(root, exclude.resolve() if exclude else None):
            found.setdefault(file, (root, file.relative_to(root).as_posix()))
    taken = Counter(name for _, name in found.values())
    items = [
        IngestItem(file, safe_name(f"{root.name}/{name}" if taken[name] > 1 else name))
        for file, (root, name) in found.items()
    ]
    return sorted(items, key=lambda item: (item.name, item.path))


def stage(data_dir: Path, name: str, content: bytes | BinaryIO) -> IngestItem:
    """Save an upload in the data folder until it is ingested; `unstage` removes it.

    Raises:
        CatalogError: The data folder cannot be written.
    """
    folder = data_dir / _UPLOADS / uuid.uuid4().hex
    try:
        folder.mkdir(parents=True)
        with (folder / "content").open("wb") as target:
            if isinstance(content, bytes):
                target.write(content)
            else:
                shutil.copyfileobj(content, target)
    except OSError as exc:
        shutil.rmtree(folder, ignore_errors=True)
        raise CatalogError(f"The upload cannot be saved in {data_dir} ({exc.strerror}). Check RAG_DATA_DIR.") from exc
    return IngestItem(folder / "content", safe_name(name))


def unstage(items: Sequence[IngestItem]) -> None:
    """Remove staged uploads."""
    for item in items:
        if item.path.parent.parent.name == _UPLOADS:
            shutil.rmtree(item.path.parent, ignore_errors=True)


def sweep_uploads(data_dir: Path) -> None:
    """Remove uploads that were staged over a day ago: whoever staged them is gone."""
    for folder in (data_dir / _UPLOADS).glob("*"):
        if folder.stat().st_mtime < time.time() - _ABANDONED_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def _walk(root: Path, exclude: Path | None) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        here = Path(folder)
        folders[:] = sorted(name for name in folders if not name.startswith(".") and here / name != exclude)
        for name in sorted(files):
            path = here / name
            inside = not path.is_symlink() or path.resolve().is_relative_to(root)
            if not name.startswith(".") and inside and path.is_file() and os.access(path, os.R_OK):
                yield path
