"""Every error this package raises on purpose.

    RagError
    ├── SettingsError             a setting is missing, unknown or contradicts another
    ├── UnknownNameError          no task, model, ... of that name; near ones are named
    ├── DuplicateNameError        two entries of a registry claim one name
    ├── UnreadableFileError       a file gives no text
    │   ├── EmptyFileError
    │   ├── EncryptedFileError
    │   ├── ScannedFileError      pages are pictures: text recognition is needed
    │   ├── UndecodableFileError  nothing tells which letters its bytes or its fonts show
    │   ├── UnsupportedFileError  a format that no loader reads
    │   ├── DamagedFileError      cut short, malformed, or not what its name says
    │   ├── FileTooLargeError
    │   └── ParserLimitError      the parser stopped
    │       ├── ParserTimeError
    │       └── ParserMemoryError
    ├── EmbeddingError            a model or an embeddings endpoint failed
    ├── VectorIndexError
    │   ├── RecipeMismatchError   the index was built by another recipe
    │   ├── IndexLockedError      another process owns the embedded index
    │   ├── IndexUnavailableError the server cannot be reached or refused
    │   └── IndexClosedError
    ├── CatalogError              the database failed
    ├── DiskFullError             the disk has no room for what was to be written
    ├── BackupError               a backup cannot be made, or not be restored
    ├── NotFoundError             no document or conversation of that id
    ├── AnswererError             the LLM endpoint failed
    │   └── AnswererAwayError     it cannot be reached or sent nothing in time: asking again would wait again
    ├── DatasetError              judged data is malformed
    └── CancelledError            a person stopped the work

Messages say what was found, what was expected and what to do. Vendor errors are mapped where the vendor is called, with
`from exc`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class RagError(Exception):
    """Root of all errors that are shown to people as they are."""


class SettingsError(RagError):
    """A setting is missing, unknown or contradicts another."""


class UnknownNameError(RagError):
    """No thing of that name.

    Args:
        kind: What was looked for, e.g. `task`.
        name: What was given.
        known: The names that exist.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        lowered = {known_name.lower(): known_name for known_name in names}
        near = [lowered[match] for match in difflib.get_close_matches(name.lower(), lowered, n=3, cutoff=0.5)]
        hint = f"Did you mean {' or '.join(near)}?" if near else f"Known: {', '.join(names)}."
        super().__init__(f"Unknown {kind} {name!r}. {hint}")
        self.near = near


class DuplicateNameError(RagError):
    """Two entries of a registry claim one name.

    Args:
        kind: What the name is of, e.g. `task` or `file extension`.
        name: The name that both claim.
    """

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"Two entries claim the {kind} {name!r}. Rename or remove one of them.")


class UnreadableFileError(RagError):
    """A file gives no text. The message is the reason alone; the caller knows the name."""


class EmptyFileError(UnreadableFileError):
    """The file holds nothing to read."""


class EncryptedFileError(UnreadableFileError):
    """The file needs a password."""


class ScannedFileError(UnreadableFileError):
    """The pages are pictures without a text layer."""


class UndecodableFileError(UnreadableFileError):
    """Nothing tells for certain which letters its bytes stand for, or which its fonts show."""


class UnsupportedFileError(UnreadableFileError):
    """No loader reads this format."""


class DamagedFileError(UnreadableFileError):
    """The file is cut short or malformed, or its content is not what its name says."""


class FileTooLargeError(UnreadableFileError):
    """The file, or what it unpacks to, is over the limit."""


class ParserLimitError(UnreadableFileError):
    """The parser stopped before it was done."""


class ParserTimeError(ParserLimitError):
    """Parsing took too long."""


class ParserMemoryError(ParserLimitError):
    """Parsing took too much memory."""


class EmbeddingError(RagError):
    """A model or an embeddings endpoint failed."""


class VectorIndexError(RagError):
    """The vector index failed."""


class RecipeMismatchError(VectorIndexError):
    """The index was built by another recipe; reindexing is the remedy."""


class IndexLockedError(VectorIndexError):
    """Another process owns the embedded index."""


class IndexUnavailableError(VectorIndexError):
    """The index server cannot be reached or refused."""


class IndexClosedError(VectorIndexError):
    """The index was closed."""


class CatalogError(RagError):
    """The database failed."""


class DiskFullError(RagError):
    """The disk has no room for what was to be written; nothing of it is visible, and reading goes on."""


class BackupError(RagError):
    """A backup cannot be made, or a file is none that can be restored here. Nothing was changed."""


class NotFoundError(RagError):
    """No document or conversation of that id in this workspace."""


class AnswererError(RagError):
    """The LLM endpoint failed; sources are still shown."""


class AnswererAwayError(AnswererError):
    """The LLM endpoint cannot be reached, or sent nothing in time."""


class DatasetError(RagError):
    """Judged data is malformed; the message has file and line."""


class CancelledError(RagError):
    """A person stopped the work; what was committed stays."""
