"""The file of a backup: a zip of the library's files and a manifest with the size and the SHA-256 of each.

The files of an index are mostly zeros at their end, kept free for what comes: they are counted, not stored. A file that
is read here may come from anyone. Names, kinds, sizes and hashes are checked, and nothing is trusted before.
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO

from rag.errors import BackupError
from rag.maintenance.manifest import Manifest, Member, parse_manifest
from rag.maintenance.sparse import BLOCK, data_length, write_private

MANIFEST = "manifest.json"
_LARGEST_MANIFEST = 256 << 20
_MOST_ZEROS = 1 << 30
_MOST_RATIO = 200
_SUSPICIOUS = 1 << 30
"""Bytes from which on a file that unpacks to `_MOST_RATIO` times its size is refused."""
_FAULTS = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, NotImplementedError, RuntimeError)
"""What `zipfile` raises on damaged files."""
_ORIGINAL = re.compile(r"files/([0-9a-f]{2})/(\1[0-9a-f]{62})")
_OTHERS = re.compile(r"catalog\.db|(profiles|index|files|evaluations)/[^\\:\x00-\x1f]+")

OnBytes = Callable[[int, str], None]
"""Called with the number of bytes that were just done, and the name of their member."""


def write_archive(target: IO[bytes], root: Path, manifest: Manifest, on_bytes: OnBytes) -> Manifest:
    """Write the files of a library by name, and the manifest with them as its members; return that manifest.

    Files that have no place in a backup, such as the space that a library keeps aside, are left out.

    Raises:
        OSError: Something cannot be read or written.
    """
    names = sorted(name for path in root.rglob("*") if path.is_file() and is_stored(name := _name(path, root)))
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        members = tuple(_add(archive, root / name, name, on_bytes) for name in names)
        complete = replace(manifest, members=members)
        archive.writestr(_entry(MANIFEST), json.dumps(asdict(complete), indent=1))
    return complete


def is_stored(name: str) -> bool:
    """True for the path of a file, below the data folder, that a backup holds."""
    parts = name.split("/")
    are_plain = all(0 < len(part.encode(errors="replace")) <= 255 and part not in (".", "..") for part in parts)
    return are_plain and (_ORIGINAL.fullmatch(name) or _OTHERS.fullmatch(name)) is not None


def _name(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _add(archive: zipfile.ZipFile, path: Path, name: str, on_bytes: OnBytes) -> Member:
    digest = hashlib.sha256()
    with path.open("rb") as source, archive.open(_entry(name), "w", force_zip64=True) as packed:
        size, whole = data_length(source)
        left = size
        while left and (block := source.read(min(BLOCK, left))):
            digest.update(block)
            packed.write(block)
            left -= len(block)
            on_bytes(len(block), name)
    return Member(name, size - left, whole - size, digest.hexdigest())


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)  # of no date: the manifest has the one that counts
    entry.external_attr = 0o100600 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


# -- reading, of files that nobody vouches for -------------------------------------------------------------------------


@contextmanager
def opened_archive(path: Path) -> Iterator[tuple[zipfile.ZipFile, Manifest]]:
    """Open a backup whose list of members is in order; their contents are checked when they are unpacked.

    Raises:
        BackupError: It is none, is damaged, or has members that no backup has.
    """
    try:
        with damage(path):
            archive = zipfile.ZipFile(path)
    except OSError as exc:
        raise BackupError(f"{path} cannot be read ({exc.strerror or exc}). Check the path.") from exc
    with archive:
        with damage(path):
            manifest = _manifest(archive, path)
            _check_members(archive, manifest, path)
        yield archive, manifest


@contextmanager
def damage(path: Path) -> Iterator[None]:
    """Within it, what a damaged file makes `zipfile` raise becomes one of our errors."""
    try:
        yield
    except _FAULTS as exc:
        raise BackupError(
            f"{path} is no backup, or it is damaged ({exc or type(exc).__name__}). Nothing was changed. Use another "
            "backup, or copy this one again from where it came."
        ) from exc


def unpack(archive: zipfile.ZipFile, member: Member, root: Path, on_bytes: OnBytes) -> None:
    """Write one member below a folder, and check its size and hash while doing so.

    Raises:
        BackupError: Its bytes are not those that were written.
        OSError: It cannot be written.
    """
    digest = hashlib.sha256()
    with damage(Path(str(archive.filename))), archive.open(member.name) as packed:
        with write_private(root / member.name) as unpacked:
            left = member.size
            while left and (block := packed.read(min(BLOCK, left))):
                digest.update(block)
                unpacked.write(block)
                left -= len(block)
                on_bytes(len(block), member.name)
            unpacked.truncate(member.size - left + member.zeros)
        is_longer = bool(packed.read(1))  # which reads to the end, so that the zip's own checksum is compared as well
    if left or is_longer or digest.hexdigest() != member.sha256:
        raise BackupError(
            f"The backup is damaged: {member.name} is not what was written. Nothing was changed. Use another backup, "
            "or copy this one again from where it came."
        )


def _manifest(archive: zipfile.ZipFile, path: Path) -> Manifest:
    try:
        entry = archive.getinfo(MANIFEST)
    except KeyError:
        raise BackupError(f"{path} is no backup of this program: it has no {MANIFEST}. Nothing was changed.") from None
    if entry.file_size > _LARGEST_MANIFEST:
        raise BackupError(f"{path} is no backup of this program: its {MANIFEST} is too large. Nothing was changed.")
    with archive.open(entry) as packed:
        stored = json.loads(packed.read(_LARGEST_MANIFEST))
    return parse_manifest(stored, path)


def _check_members(archive: zipfile.ZipFile, manifest: Manifest, path: Path) -> None:
    """Refuse what no backup has: names outside, links, doubles, surplus, and sizes that cannot be."""
    sizes = {member.name: member.size for member in manifest.members}
    entries = [entry for entry in archive.infolist() if entry.filename != MANIFEST]
    for problem in (
        *(
            f"the member {member.name[:200]!r} has no place in a data folder"
            for member in manifest.members
            if not _fits(member)
        ),
        *(f"{entry.filename[:200]!r} is no plain file" for entry in entries if not _is_plain(entry)),
        *(
            f"{entry.filename[:200]!r} is not as the manifest says"
            for entry in entries
            if sizes.get(entry.filename) != entry.file_size
        ),
    ):
        raise BackupError(f"{path} is no backup that can be restored: {problem}. Nothing was changed.")
    if len(entries) != len(sizes) or len(sizes) != len(manifest.members) or {e.filename for e in entries} != set(sizes):
        raise BackupError(f"{path} is damaged: members are missing, or there twice. Nothing was changed.")
    if manifest.size > _SUSPICIOUS and manifest.size > _MOST_RATIO * path.stat().st_size:
        raise BackupError(
            f"{path} would unpack to {manifest.size:,} bytes, more than {_MOST_RATIO} times its own size. No backup of "
            "this program does. Nothing was changed."
        )


def _fits(member: Member) -> bool:
    if member.size < 0 or not 0 <= member.zeros <= _MOST_ZEROS:
        return False
    if original := _ORIGINAL.fullmatch(member.name):
        return member.sha256 == original[2] and not member.zeros
    return is_stored(member.name)


def _is_plain(entry: zipfile.ZipInfo) -> bool:
    mode = entry.external_attr >> 16
    is_encrypted = bool(entry.flag_bits & 1)
    return not entry.is_dir() and not is_encrypted and mode & 0o170000 in (0, 0o100000)
