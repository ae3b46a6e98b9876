"""What a backup says of itself, and of each of its files."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from rag.errors import BackupError

FORMAT = 1
"""Version of the layout of a backup."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file of the library.

    Attributes:
        name: Path below the data folder, with slashes.
        size: Bytes that are stored.
        zeros: Bytes that follow them, all zero, which are not.
        sha256: Of the bytes that are stored.
    """

    name: str
    size: int
    zeros: int
    sha256: str


@dataclass(frozen=True, slots=True)
class IndexNote:
    """The active index of a task, and the fingerprint of the recipe that built it."""

    task: str
    collection: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself.

    Attributes:
        program: Version of the program that wrote it.
        schema: Revision of the catalog's tables.
        created: Time in ISO 8601, UTC.
        files: Files of the library, all workspaces together.
        conversations: Conversations.
        chunks: Passages that a search can return.
        indexes: The index of each task that has one.
        warnings: What was wrong with the library when it was copied, for people.
    """

    program: str
    schema: str
    created: str
    files: int
    conversations: int
    chunks: int
    indexes: tuple[IndexNote, ...] = ()
    warnings: tuple[str, ...] = ()
    members: tuple[Member, ...] = ()
    format: int = FORMAT

    @property
    def size(self) -> int:
        """Bytes of all members, unpacked."""
        return sum(member.size for member in self.members)


def parse_manifest(stored: Any, path: Path) -> Manifest:
    """Return the manifest of a backup, of which nothing is known to be right.

    Args:
        stored: What its JSON holds.
        path: The backup, for messages.

    Raises:
        BackupError: It is none, or one of another version of the program.
    """
    if not isinstance(stored, dict) or not isinstance(stored.get("format"), int):
        raise BackupError(f"{path} is no backup of this program: its manifest names no format. Nothing was changed.")
    if stored["format"] != FORMAT:
        raise BackupError(
            f"{path} has format {stored['format']}, expected {FORMAT}: another version of this program wrote it "
            f"({str(stored.get('program', 'unknown'))[:40]}). Nothing was changed. Restore it with that version."
        )
    try:
        parts = {"indexes": IndexNote, "members": Member}
        lists = {name: tuple(kind(**item) for item in stored[name]) for name, kind in parts.items()}
        manifest = Manifest(**{**stored, "warnings": tuple(map(str, stored["warnings"])), **lists})
        _check_types(manifest, *manifest.indexes, *manifest.members)
    except (TypeError, KeyError) as exc:
        raise BackupError(f"{path} is damaged: its manifest is not in order ({exc}). Nothing was changed.") from exc
    return manifest


def _check_types(*values: Any) -> None:
    for value in values:
        for field in fields(value):
            expected = {"str": str, "int": int}.get(str(field.type))
            if expected is not None and type(getattr(value, field.name)) is not expected:
                raise TypeError(f"{field.name} is no {field.type}")
