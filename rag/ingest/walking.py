"""The files of paths and folders, and what in them is passed over, with the reason."""

from __future__ import annotations

import errno
import os
import stat
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.errors import NotFoundError
from rag.ingest.items import IngestItem
from rag.ingest.report import FileOutcome, FileStatus
from rag.loaders import safe_name

_LEADS_OUT = "It is a link that leads out of the folder. Name the file or folder that it leads to, to read it."
_TO_FOLDER = "It is a link to a folder, and those are not followed. Name the folder that it leads to, to read it."
_NO_PERMISSION = "There is no permission to read it."
_ERRORS = {
    errno.ELOOP: "It is a link that leads to itself.",
    errno.ENOENT: "It is a link to nothing.",
    errno.ENAMETOOLONG: "Its path is too long for this system.",
    errno.EACCES: _NO_PERMISSION,
    errno.EPERM: _NO_PERMISSION,
}
_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@dataclass(frozen=True, slots=True)
class Survey:
    """What paths hold.

    Attributes:
        items: The files, sorted by name.
        skipped: What a person might expect to be read and is not, with the reason.
        hidden: Number of files and folders left out because their names begin with a dot.
    """

    items: tuple[IngestItem, ...]
    skipped: tuple[FileOutcome, ...] = ()
    hidden: int = 0


def discover(paths: Sequence[Path], exclude: Path | None = None) -> list[IngestItem]:
    """Return the files to ingest alone; see `survey`."""
    return list(survey(paths, exclude).items)


def survey(paths: Sequence[Path], exclude: Path | None = None) -> Survey:
    """Look for the files to ingest; names are relative to the folder that was walked.

    Hidden files and folders, links that lead out of the folder, what is no file and what cannot be read are left out of
    a folder; a file that is named itself is always taken. Two files that would have one name get the names of their
    folders in front.

    Args:
        paths: Files and folders.
        exclude: A folder to leave out wherever it is met: the data folder.

    Raises:
        NotFoundError: A path does not exist.
    """
    relative: dict[Path, tuple[Path, str]] = {}
    skipped: list[FileOutcome] = []
    hidden = 0
    for path in paths:
        root = _existing(path)
        if root.is_file():
            relative.setdefault(root, (root.parent, path.name))
            continue
        walk = _Walk(root, exclude.resolve() if exclude else None)
        walk.run()
        for file in walk.files:
            relative.setdefault(file, (root, file.relative_to(root).as_posix()))
        skipped += [FileOutcome(_name(name, root), FileStatus.SKIPPED, reason) for name, reason in walk.skipped]
        hidden += walk.hidden
    counts = Counter(name for _, name in relative.values())
    items = [
        IngestItem(file, safe_name(f"{root.name}/{name}" if counts[name] > 1 else name))
        for file, (root, name) in relative.items()
    ]
    return Survey(tuple(sorted(items, key=lambda item: (item.name, item.path))), tuple(skipped), hidden)


def _existing(path: Path) -> Path:
    """Return the path that a path leads to.

    Raises:
        NotFoundError: There is nothing, or nothing that can be looked at.
    """
    try:
        return Path(os.path.realpath(path, strict=True))
    except (OSError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) and exc.errno != errno.ENOENT else None
        detail = f" ({reason})" if reason else ""
        raise NotFoundError(f"No file or folder {safe_name(str(path))!r}{detail}. Check the path.") from exc


def _name(path: Path, root: Path) -> str:
    inside = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
    return safe_name(root.name if inside == "." else inside)


class _Walk:
    """One walk over a folder.

    Attributes:
        files: Files to read, as they were met.
        skipped: Paths that are passed over, with the reason.
        hidden: Number of hidden files and folders.
    """

    def __init__(self, root: Path, exclude: Path | None) -> None:
        self.files: list[Path] = []
        self.skipped: list[tuple[Path, str]] = []
        self.hidden = 0
        self._root, self._exclude = root, exclude

    def run(self) -> None:
        """Walk. A part that cannot be read is passed over."""
        if not self._root.is_dir():
            self._look_at(self._root)
            return
        for folder, folders, files in os.walk(self._root, onerror=self._unreadable):
            parent = Path(folder)
            folders[:] = sorted(name for name in folders if self._enters(parent / name))
            for name in sorted(files):
                if name.startswith("."):
                    self.hidden += 1
                else:
                    self._look_at(parent / name)

    def _enters(self, path: Path) -> bool:
        if path == self._exclude:
            return False
        if path.name.startswith("."):
            self.hidden += 1
            return False
        try:
            is_link = path.is_symlink()
        except OSError as exc:
            self._unreadable(exc)
            return False
        if is_link:
            self.skipped.append((path, _TO_FOLDER))
        return not is_link

    def _unreadable(self, error: OSError) -> None:
        self.skipped.append((Path(error.filename or self._root), _explained(error)))

    def _look_at(self, path: Path) -> None:
        reason = _reason_to_skip(path, self._root)
        if reason:
            self.skipped.append((path, reason))
        else:
            self.files.append(path)


def _reason_to_skip(path: Path, root: Path) -> str:
    """Say why a path is no file to read; empty when it is one."""
    try:
        if not Path(os.path.realpath(path, strict=True)).is_relative_to(root):
            return _LEADS_OUT
        kind = stat.S_IFMT(path.stat().st_mode)
    except OSError as exc:
        return _explained(exc)
    if kind != stat.S_IFREG:
        return f"It is {_KINDS.get(kind, 'of an unknown kind')}, not a file."
    return "" if os.access(path, os.R_OK) else _NO_PERMISSION


def _explained(error: OSError) -> str:
    return _ERRORS.get(error.errno or 0) or f"It cannot be read: {error.strerror or error}."
