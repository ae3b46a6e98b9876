"""Domain objects and the seams between parts: frozen dataclasses and Protocols.

Everything that crosses a layer is one of these. A file becomes `Document`s, a document becomes `Chunk`s, a chunk
becomes a `Point` in an index, and a question gets `Hit`s, an `Answer` and its `Citation`s back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from threading import Event

    from rag.tasks.spec import TaskSpec

Vector = NDArray[np.float32]
"""One embedding, shape (dimension,), float32, of length one."""
Matrix = NDArray[np.float32]
"""A batch of embeddings, shape (texts, dimension), float32, rows of length one."""


class Role(StrEnum):
    """The side of a comparison that a text is on."""

    QUERY = "query"
    DOCUMENT = "document"


class Mode(StrEnum):
    """How texts are embedded; also the name of the vector on a point."""

    NAIVE = "naive"
    TASK_AWARE = "task-aware"


class Strategy(StrEnum):
    """Which signals rank the hits. The naive mode is always dense."""

    DENSE = "dense"
    BM25 = "bm25"
    HYBRID = "hybrid"


# -- documents ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch `text[start:end]` of a document that shares one place.

    Segments are in order and do not overlap; what lies between them is separating white space.

    Attributes:
        start: First character, counted from 0 in `Document.text`.
        end: One past the last character.
        kind: `heading`, `text`, `list`, `table`, `row`, `code`, `question` or `answer`. An `answer` belongs to the
            `question` before it.
        headings: The headings above this stretch, outermost first.
        page: Page number from 1, for paged formats.
        line_start: First line from 1, for source code and text.
        line_end: Last line, inclusive.
        symbol: Name of the function or class, for source code.
    """

    start: int
    end: int
    kind: str = "text"
    headings: tuple[str, ...] = ()
    page: int | None = None
    line_start: int | None = None
    line_end: int | None = None
    symbol: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """One document as a loader read it. A file holds one, or many when its rows are documents.

    Attributes:
        name: Name of the file as people know it, e.g. `guides/setup.md`.
        text: The whole text; all offsets are into it.
        media_type: Short format name: `pdf`, `docx`, `html`, `markdown`, `text`, `table`, `code`, `notebook`.
        key: Tells the documents of one file apart: the row's `_id`; empty when the file is one document.
        title: The title found inside the document, or empty.
        segments: Where each stretch of the text stands in the file.
        language: Programming language for `code`, else empty.
    """

    name: str
    text: str
    media_type: str
    key: str = ""
    title: str = ""
    segments: tuple[Segment, ...] = ()
    language: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a document that a chunking strategy chose; it becomes one chunk, or several when it is too long.

    Attributes:
        start: First character, counted from 0 in `Document.text`.
        end: One past the last character.
        headings: The headings above it, outermost first.
        symbol: Function or class name, or empty.
        answer: The stored answer of an FAQ entry, or empty.
        summary: The summary of the document, or empty.
        inputs: The texts that are embedded for it, each within the limit; None when that is the stretch itself.
        keep_indent: True when the first line keeps its indentation, as code does.
    """

    start: int
    end: int
    headings: tuple[str, ...] = ()
    symbol: str = ""
    answer: str = ""
    summary: str = ""
    inputs: tuple[str, ...] | None = None
    keep_indent: bool = False


@dataclass(frozen=True, slots=True)
class Chunking:
    """How documents of a task are cut; see `rag.chunking` for the strategies.

    Attributes:
        name: Name of the strategy in the recipe of an index, e.g. `structure`.
        tokens: Longest chunk in tokens of the model, special tokens and prompt included.
        overlap: Tokens that neighbouring chunks share.
        cut: The strategy: a `rag.chunking.Cut`, called with the document, its `rag.chunking.Tokens` and the overlap.
    """

    name: str
    tokens: int
    overlap: int
    cut: Callable[[Document, Any, int], Iterator[Span]]


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one point of an index stands for; `document.text[start:end] == text` always.

    Attributes:
        ordinal: Position among the chunks of its document, from 0.
        start: First character in the document's text.
        end: One past the last character.
        text: The slice itself: what is shown and quoted.
        inputs: The texts that are embedded, each within the model's limit. More than one is pooled (mean, then length
            one). Usually `(text,)`; title and text of a row; windows of a long document for `similar`; title and
            summary for `summary`.
        headings: Headings above it, outermost first; beside the text, never inside it.
        page_start: First page from 1, or None.
        page_end: Last page, inclusive, or None.
        line_start: First line from 1, or None.
        line_end: Last line, inclusive, or None.
        symbol: Function or class name, or empty.
        answer: The stored answer of an FAQ entry, or empty.
        summary: The summary, for the `summary` task, or empty.
        spoken: ISO 639-1 code of the natural language it is in, or empty when that is not clear.
    """

    ordinal: int
    start: int
    end: int
    text: str
    inputs: tuple[str, ...]
    headings: tuple[str, ...] = ()
    page_start: int | None = None
    page_end: int | None = None
    line_start: int | None = None
    line_end: int | None = None
    symbol: str = ""
    answer: str = ""
    summary: str = ""
    spoken: str = ""


# -- index -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Payload:
    """The data that an index keeps beside the vectors of a chunk.

    Attributes:
        workspace: Tenant that owns the point.
        version: Id of the file version that wrote it; the catalog decides on its visibility.
        document: Id of the document, stable over versions.
        content: Hash of recipe and embedded inputs, so that an unchanged chunk is not embedded again.
        name: File name. `key` and `title` as in `Document`.
        chunk: The chunk itself; its `inputs` are not stored.
    """

    workspace: str
    version: str
    document: str
    content: str
    name: str
    key: str
    title: str
    media_type: str
    language: str
    chunk: Chunk


@dataclass(frozen=True, slots=True)
class Point:
    """One chunk as it is written to an index.

    Attributes:
        id: A UUID, a function of version, document and ordinal.
        vectors: By name: those of the modes and of the recipe's further encodings.
        terms: Its BM25 terms between blanks, as `rag.retrieval.analyser` makes them.
    """

    id: str
    vectors: Mapping[str, Vector]
    payload: Payload
    terms: str


@dataclass(frozen=True, slots=True)
class Filter:
    """Which points a search may return. The workspace is not optional: every read says who asks.

    Attributes:
        workspace: Only this tenant's points.
        hidden_versions: Versions that are not committed or no longer current.
        documents: Only these document ids, or None for all.
        names: Only these file names, or None for all.
        versions: Only these versions, or None for all.
    """

    workspace: str
    hidden_versions: tuple[str, ...] = ()
    documents: tuple[str, ...] | None = None
    names: tuple[str, ...] | None = None
    versions: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """One list of nearest points: by `vector` (dense, cosine) or by `terms` (BM25). Exactly one of them is set.

    Attributes:
        using: Name of the vectors that `vector` is compared with; a point without one is not found.
        terms: Analysed terms of a question, in order. A repeated one counts as often as it stands there, at most three
            times.
        with_vectors: True when a dense search shall also return the vectors that it compared.
    """

    filter: Filter
    limit: int
    vector: Vector | None = None
    using: str = Mode.TASK_AWARE
    terms: tuple[str, ...] | None = None
    with_vectors: bool = False


@dataclass(frozen=True, slots=True)
class ScoredPoint:
    """A point with its score in one search.

    Attributes:
        score: A cosine or a BM25 score.
        vector: The vector that a dense search compared, when it asked for it.
        terms: Its BM25 terms between blanks, when the search was by terms.
    """

    id: str
    score: float
    payload: Payload
    vector: Vector | None = field(default=None, compare=False, repr=False)
    terms: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class StoredPoint:
    """A stored point with its vectors, as `VectorIndex.scroll` and `vectors_by_content` return it."""

    id: str
    vectors: Mapping[str, Vector]
    payload: Payload


@dataclass(frozen=True, slots=True)
class FurtherVector:
    """How a further named vector of a point is made, beside those of the recipe's own model.

    Attributes:
        name: Name of the vector; equal names mean interchangeable vectors.
        model: Model id. `revision`, `precision`, `pooling`, `dimension` and the prompts as in `Recipe`.
    """

    name: str
    model: str
    revision: str
    precision: str
    pooling: str
    dimension: int
    document_prompt: str
    query_prompt: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """The choices that determine a vector. Two indexes with equal fingerprints hold interchangeable vectors.

    Attributes:
        task: Retrieval task.
        model: Model id.
        revision: Model revision.
        precision: Runtime precision, e.g. `float32`.
        pooling: `mean`, `cls` or `lasttoken`.
        normalised: Whether vectors have length one.
        dimension: Length of a vector.
        document_prompt: Exact string put before every document in the task-aware mode.
        query_prompt: Exact string put before every question in the task-aware mode.
        chunking: Chunker name, its sizes and its version.
        cleaning: Version of the text cleaning that loaders do.
        further: How further named vectors are made.
    """

    task: str
    model: str
    revision: str
    precision: str
    pooling: str
    normalised: bool
    dimension: int
    document_prompt: str
    query_prompt: str
    chunking: str
    cleaning: str
    further: tuple[FurtherVector, ...] = ()

    @property
    def sizes(self) -> dict[str, int]:
        """Length of each named vector, by name."""
        modes = {mode.value: self.dimension for mode in Mode}
        return {**modes, **{encoding.name: encoding.dimension for encoding in self.further}}


# -- answers -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that retrieval returned, best first.

    Attributes:
        id: Point id.
        rank: From 1.
        score: The score it was ranked by; comparable only within one list.
        scores: Score by signal, e.g. `{"dense": 0.83, "bm25": 7.1}`; a signal that did not find it is missing.
    """

    id: str
    rank: int
    score: float
    payload: Payload
    scores: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a conversation. `role` is `user` or `assistant`."""

    role: str
    text: str


REFUSAL = "refusal"
"""Finish reason of an answer in which a model says that it will not answer."""
FAILED = "error"
"""Finish reason of an answer that the answerer could not finish; `Answer.error` says why."""
QUOTED = "quoted"
"""Finish reason of quotations in the place of an answer that the answerer could not begin."""


@dataclass(frozen=True, slots=True)
class AnswerDelta:
    """A piece of an answer as a provider sends it.

    Attributes:
        text: What comes next; may be empty.
        finish_reason: Why the answer ends: `stop`, `length`, `refusal` or what the provider says; empty while it goes
            on.
    """

    text: str
    finish_reason: str = ""


@dataclass(frozen=True, slots=True)
class Citation:
    """A mark `[number]` in an answer; `number` is the rank of the hit it names."""

    number: int
    hit: Hit


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished answer.

    Attributes:
        text: The answer with its citation marks.
        citations: One for each hit that the text cites, in order of first use.
        answered: False when nothing in the hits answers the question.
        removed_citations: Marks that named no hit and were taken out of the text.
        finish_reason: `stop`, `length`, `refusal`, `error`, `quoted` or what the provider said.
        error: Message for people when the answerer failed; the hits are still shown.
    """

    text: str
    citations: tuple[Citation, ...] = ()
    answered: bool = True
    removed_citations: int = 0
    finish_reason: str = "stop"
    error: str = ""

    @property
    def complete(self) -> bool:
        """True when the answerer wrote the answer to its end."""
        return self.finish_reason == "stop" and not self.error


# -- seams -------------------------------------------------------------------------------------------------------------


class Embedder(Protocol):
    """Turns exact texts into vectors. It knows nothing of prompts, tasks or modes."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        ...

    @property
    def max_tokens(self) -> int:
        """Longest text in tokens, special tokens included; longer texts are cut at the end."""
        ...

    @property
    def precision(self) -> str:
        """What the runtime computes in, as a part of the recipe."""
        ...

    def encode(self, texts: Sequence[str]) -> Matrix:
        """Embed texts exactly as given. Order is kept; no text gives shape (0, dimension)."""
        ...

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        """Character spans `(start, end)` of the text's tokens, without special tokens, uncut, in order."""
        ...


class KnownVectors(Protocol):
    """Vectors that exist already: those of an index, or those that came with the sample library."""

    def vectors_by_content(self, workspace: str, contents: Sequence[str]) -> Mapping[str, Mapping[str, Vector]]:
        """Return vectors, shape (dimension,), length one, by content hash and name. Missing hashes are left out."""
        ...


class VectorIndex(Protocol):
    """One open collection: one task, one recipe. Safe to call from many threads."""

    @property
    def name(self) -> str:
        """Name of the collection."""
        ...

    def upsert(self, points: Sequence[Point]) -> None:
        """Write points durably; on return they survive a kill. Writing a point twice is writing it once."""
        ...

    def search(self, searches: Sequence[Search]) -> list[list[ScoredPoint]]:
        """Run several searches in one call to the engine; best first, ties by id."""
        ...

    def vectors_by_content(self, workspace: str, contents: Sequence[str]) -> dict[str, Mapping[str, Vector]]:
        """Return vectors that exist already, by content hash. Missing hashes are left out."""
        ...

    def scroll(self, filter: Filter, batch: int = 256, with_vectors: bool = False) -> Iterator[list[StoredPoint]]:
        """Give all matching points in id order, in batches. Vectors are empty unless asked for."""
        ...

    def terms(self, filter: Filter, batch: int = 1024) -> Iterator[list[str]]:
        """Give the BM25 terms of all matching points, between blanks, in id order and in batches; reads no more."""
        ...

    def count(self, filter: Filter | None = None) -> int:
        """Count the points that match, or all points of all workspaces."""
        ...

    def versions(self) -> set[str]:
        """Return every version id that has at least one point."""
        ...

    def version_counts(self) -> dict[str, int]:
        """Return how many points each version has, of all workspaces; versions without points are left out."""
        ...

    def delete_versions(self, versions: Sequence[str]) -> None:
        """Remove all points of these versions."""
        ...

    def close(self) -> None:
        """Flush and release the collection. Later calls raise `IndexClosedError`."""
        ...


class IndexEngine(Protocol):
    """A store of collections."""

    @property
    def kind(self) -> str:
        """`embedded` when the collections belong to this data folder alone, `server` when others may share them."""
        ...

    def open(self, recipe: Recipe) -> VectorIndex:
        """Open the recipe's collection, created when absent.

        Raises:
            RecipeMismatchError: The collection of that name was built by another recipe.
        """
        ...

    def open_as_built(self, name: str) -> VectorIndex | None:
        """Open a collection whatever recipe, and whatever version of this program, built it; None when it is absent.

        For reading its vectors and passages and for removing points, never for writing.
        """
        ...

    def collections(self) -> list[str]:
        """Return the names of all collections of this project."""
        ...

    def recipe(self, name: str) -> Recipe:
        """Return the recipe that a collection was built by.

        Raises:
            RecipeMismatchError: It does not say.
        """
        ...

    def owner(self, name: str) -> str:
        """Return the id of the catalog that a collection belongs to; empty when nobody has claimed it."""
        ...

    def claim(self, name: str, owner: str) -> None:
        """Note the id of the catalog that a collection belongs to from now on."""
        ...

    def drop(self, name: str) -> None:
        """Remove a collection for good."""
        ...

    def optimise(self, name: str) -> int:
        """Build what makes a large collection fast to search, when enough points came since the last time.

        Returns:
            Points of the collection when something was built, else 0; 0 for a collection that is absent.

        Raises:
            VectorIndexError: The build failed; the collection works as before.
        """
        ...

    def unerased(self) -> list[str]:
        """Return the collections whose files may still hold what was deleted from them, as far as this engine cares."""
        ...

    def erase(self, name: str, cancel: Event | None = None, *, thrifty: bool = False) -> bool:
        """Remove from the files of a collection what was deleted from it, when there is something.

        Args:
            name: Name of the collection; an absent one is no error.
            cancel: Set it to stop soon; the collection is as before then.
            thrifty: Leave a large collection alone as long as little was deleted from it.

        Returns:
            True when it was done.

        Raises:
            CancelledError: `cancel` was set.
            VectorIndexError: It failed; the collection works as before.
        """
        ...

    def close(self) -> None:
        """Close every open collection."""
        ...


class Answerer(Protocol):
    """Writes an answer from hits."""

    @property
    def name(self) -> str:
        """Shown on the status page, e.g. `extractive` or `gpt-x at http://localhost:8000`."""
        ...

    def stream(
        self, question: str, hits: Sequence[Hit], history: Sequence[Turn], task: TaskSpec
    ) -> Iterator[AnswerDelta]:
        """Pieces of the answer as they come. Marks `[n]` cite the hit of rank n.

        The last piece says why the answer ends; without one it is taken to be `stop`.

        Raises:
            AnswererError: The provider failed; what was found and what to set is in the message.
        """
        ...

    def condense(self, question: str, history: Sequence[Turn]) -> str:
        """A question that can be read without the history; the question itself when there is no history."""
        ...


Likeness = Callable[[str, Sequence[str]], NDArray[np.float32]]
"""Cosines of a question with texts, shape (texts,)."""


class Reranker(Protocol):
    """Scores (question, text) pairs together."""

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        """One score a text, higher is better."""
        ...


class Loader(Protocol):
    """Reads one file format."""

    def __call__(self, path: Path, name: str) -> Iterator[Document]:
        """Documents of the file, streamed. `name` is what people call it; `path` is where its bytes are.

        Raises:
            UnreadableFileError: Or one of its kinds, with the reason for people.
        """
        ...
