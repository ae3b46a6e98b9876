"""From a file to pieces of its documents, ready to be embedded. Runs in threads, several files ahead of the model."""

from __future__ import annotations

import hashlib
import logging
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Protocol

from rag.catalog import NewDocument, NewVersion, Originals
from rag.chunking import TokenOffsets, chunk
from rag.errors import CancelledError, EmptyFileError, NotFoundError, UnreadableFileError
from rag.ingest.indexes import IndexInForce
from rag.text import Offsets
from rag.types import Chunk, Document

_LOG = logging.getLogger(__name__)
PIECE_CHUNKS = 64
"""Chunks in one piece: a bound on memory however long a document is."""


class Parser(Protocol):
    """Reads files, elsewhere: a hostile one harms nobody."""

    def documents(self, path: Path, name: str, stop: threading.Event | None = None) -> Iterator[Document]:
        """Stream the documents of a file; `stop` is set when nobody wants them any more.

        Raises:
            UnreadableFileError: Or one of its kinds, with the reason for people.
            CancelledError: `stop` was set.
        """
        ...


@dataclass(frozen=True, slots=True)
class VersionJob:
    """A version to build. `path` is where the bytes are; None when only the stored original has them."""

    version: NewVersion
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """Some chunks of a document, in order; `document` has its final counts when `last`."""

    job: VersionJob
    document: NewDocument
    chunks: tuple[Chunk, ...]
    last: bool


@dataclass(frozen=True, slots=True)
class End:
    """Nothing more comes of this job. `kind` and `reason` are empty when it went well."""

    job: VersionJob
    kind: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Reader:
    """Turns jobs into pieces."""

    parser: Parser
    originals: Originals
    target: IndexInForce

    def read(self, job: VersionJob, stop: threading.Event | None = None) -> Iterator[Piece | End]:
        """Yield the pieces of a job, then its end. A file that cannot be read ends with the reason.

        Its bytes are kept once all of it has been read: nothing stays of a file that is refused.

        Raises:
            CancelledError: `stop` was set.
        """
        total = 0
        try:
            path = job.path or self._original(job.version.sha256)
            for document, row in _identified(self.parser.documents(path, job.version.name, stop), job):
                for piece in self._pieces(job, document, row, stop):
                    total += len(piece.chunks)
                    yield piece
            if not total:
                raise EmptyFileError(f"It holds no text that task {self.target.recipe.task.name!r} can use.")
            self._store(job)
        except (UnreadableFileError, NotFoundError) as exc:
            yield End(job, type(exc).__name__, str(exc))
        except OSError as exc:
            yield End(job, UnreadableFileError.__name__, f"It cannot be read: {exc.strerror or exc}.")
        except (ValueError, LookupError, RecursionError) as exc:  # what odd content does to a reader that has a bug
            _LOG.exception("%s could not be read", job.version.name)
            yield End(job, UnreadableFileError.__name__, f"The reader failed on it with {type(exc).__name__}: {exc}.")
        else:
            yield End(job)

    def _store(self, job: VersionJob) -> None:
        """Keep the bytes of a file that was read; they must still be what was hashed before."""
        sha256 = job.version.sha256
        if job.path is not None and self.originals.add(job.path, sha256) != sha256:
            raise UnreadableFileError("It changed while it was read. Ingest it again.")

    def _original(self, sha256: str) -> Path:
        """Return the path of stored bytes.

        Raises:
            NotFoundError: They are missing.
            UnreadableFileError: They are not what was stored.
        """
        path = self.originals.path(sha256)
        if not self.originals.is_intact(sha256):
            raise UnreadableFileError(
                "Its stored original was changed since it was ingested: its SHA-256 is not what it was. Run `python -m "
                "rag check --repair`, which sets it aside, and ingest the file again."
            )
        return path

    def _pieces(
        self, job: VersionJob, document: Document, row: NewDocument, stop: threading.Event | None
    ) -> Iterator[Piece]:
        target = self.target
        chunks = chunk(
            document,
            target.recipe.task.chunking,
            _stoppable(target.embedder.token_offsets, stop),
            target.max_tokens,
            target.prompt_tokens,
        )
        count = 0
        # One piece ahead, because only the last one may say how many chunks the document has.
        piece = tuple(islice(chunks, PIECE_CHUNKS))
        while piece:
            following = tuple(islice(chunks, PIECE_CHUNKS))
            count += len(piece)
            yield Piece(job, replace(row, chunks=count), piece, last=not following)
            piece = following


def _stoppable(offsets: TokenOffsets, stop: threading.Event | None) -> TokenOffsets:
    """Return the tokeniser, which raises when nobody wants its tokens: cutting a huge document takes minutes."""

    def checked(text: str) -> list[Offsets]:
        if stop is not None and stop.is_set():
            raise CancelledError("Stopped while a document was cut.")
        return offsets(text)

    return checked


def _identified(documents: Iterator[Document], job: VersionJob) -> Iterator[tuple[Document, NewDocument]]:
    """Pair documents with their catalog rows; a key that occurs again in the file gets a number, as ids must differ."""
    # Digests in place of keys: a file may have millions of rows.
    seen: set[bytes] = set()
    for document in documents:
        key, number = document.key, 1
        while (digest := hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=8).digest()) in seen:
            number += 1
            key = f"{document.key}#{number}"
        seen.add(digest)
        pages = [segment.page or 0 for segment in document.segments]
        yield (
            document,
            NewDocument(
                version=job.version.id,
                id=str(uuid.uuid5(uuid.UUID(job.version.file), key)),
                key=key,
                title=document.title,
                chars=len(document.text),
                pages=max(pages, default=0),
                chunks=0,
                media_type=document.media_type,
                language=document.language,
            ),
        )
