"""Records that the catalog takes and gives: frozen rows without a database behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class VersionState(StrEnum):
    """The stage of a version.

    `pending` is being written, `ready` is complete in an index that is not active yet, `current` is visible, `stale`
    waits for its points to be removed.
    """

    PENDING = "pending"
    READY = "ready"
    CURRENT = "current"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A version that starts. `file` is the id of the file, new or existing; `sha256` is of its bytes."""

    id: str
    file: str
    task: str
    name: str
    sha256: str
    size: int
    collection: str


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A document of a version. `id` is stable over the versions of its file."""

    version: str
    id: str
    key: str
    title: str
    chars: int
    pages: int
    chunks: int
    media_type: str
    language: str


@dataclass(frozen=True, slots=True)
class Finished:
    """A version that is complete, with its counts. `embedded + reused == chunks`."""

    version: str
    documents: int
    chunks: int
    embedded: int
    reused: int


@dataclass(frozen=True, slots=True)
class VersionCard:
    """A complete version as the originals remember it, so that a lost catalog can be rebuilt.

    Attributes:
        version: Id of the version; the points of its chunks carry it.
        file: Id of its file, from which the ids of its documents are derived.
        size: Bytes of the original.
        created: When the version was begun, in seconds since 1970, UTC.
    """

    version: str
    file: str
    workspace: str
    task: str
    name: str
    sha256: str
    size: int
    collection: str
    documents: int
    chunks: int
    created: float


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A visible file: its current version. `size` in bytes, `committed` in seconds since 1970, UTC."""

    id: str
    task: str
    name: str
    version: str
    sha256: str
    size: int
    collection: str
    documents: int
    chunks: int
    committed: float


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """A document of a current version. `file` is the id of its file, `name` its name."""

    id: str
    file: str
    task: str
    name: str
    version: str
    sha256: str
    key: str
    title: str
    chars: int
    pages: int
    chunks: int
    media_type: str
    language: str
    committed: float


@dataclass(frozen=True, slots=True)
class VersionRecord:
    """A version in any state, of any workspace. `chunks` is 0 until it is complete."""

    id: str
    file: str
    workspace: str
    task: str
    name: str
    sha256: str
    size: int
    collection: str
    state: VersionState
    created: float
    chunks: int = 0


@dataclass(frozen=True, slots=True)
class FailureRecord:
    """A file that could not be read. `kind` is the name of the error; `at` in seconds since 1970, UTC."""

    task: str
    name: str
    sha256: str
    kind: str
    reason: str
    at: float


@dataclass(frozen=True, slots=True)
class TaskView:
    """The state of a task at one moment, as a search needs it.

    Attributes:
        index: The active index, or None before the first one.
        hidden: Versions in that index that a search must not return: unfinished or replaced.
    """

    index: IndexRecord | None
    hidden: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IndexRecord:
    """The active index of a task.

    Attributes:
        recipe: The recipe as JSON.
        generation: Counts rebuilds by one and the same recipe, which need another collection.
    """

    task: str
    collection: str
    recipe: str
    fingerprint: str
    generation: int = 0


@dataclass(frozen=True, slots=True)
class ConversationRecord:
    """A conversation, without its messages. `created` and `updated` in seconds since 1970, UTC."""

    id: str
    title: str
    created: float
    updated: float


@dataclass(frozen=True, slots=True)
class StoredTurn:
    """One message of a conversation as it was shown.

    Attributes:
        role: `user` or `assistant`.
        details: JSON values that were shown with it: task, mode, sources.
        id: Set when it is stored.
        parent: Id of the message before it on its branch; empty for the first one.
        created: Seconds since 1970, UTC; set when it is stored.
        edited: The same for a message that replaces another one; 0.0 for an original.
    """

    role: str
    text: str
    details: Mapping[str, Any] = field(default_factory=dict)
    id: str = ""
    parent: str = ""
    created: float = 0.0
    edited: float = 0.0
