"""Points of chunks: vectors are looked up by content where they exist, and embedded where they do not."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, repeat

from rag.catalog import Finished
from rag.embedding.pooling import pool
from rag.index import content_hash, point_id
from rag.ingest.indexes import IndexInForce, VectorSource
from rag.ingest.reading import End, Piece
from rag.ingest.storing import Batch
from rag.retrieval.analyser import terms_of
from rag.turns import TURNS
from rag.types import Chunk, Embedder, KnownVectors, Payload, Point, Vector

ENCODE_TEXTS = 64
"""Texts in one call to the model: enough to keep it busy, few enough to stop soon."""
_RECENT = 2048

Vectors = dict[str, Vector]
"""Vectors of one chunk, by name."""


@dataclass(slots=True)
class _Tally:
    """What one job took so far."""

    documents: int = 0
    chunks: int = 0
    embedded: int = 0
    bytes: int = 0


@dataclass(slots=True)
class Vectoriser:
    """Turns what was read into batches to write, and counts it. Used by one thread.

    The document prompts are put before inputs here, for the model alone: neither chunks nor points have them.

    Args:
        target: Model, prompts and analyser; vectors are looked up in its index first.
        known: What else may hold vectors already.
        workspace: The tenant; only its vectors are reused.

    Attributes:
        name: File that was worked on last.
        embedded: Chunks that went through the model.
        reused: Chunks whose vectors existed.
        begun_bytes: Bytes of the files that are under way, as far as their chunks have vectors.
        embed_seconds: Time in the model.
        lookup_seconds: Time in lookups.
    """

    target: IndexInForce
    known: Sequence[KnownVectors]
    workspace: str
    name: str = ""
    embedded: int = 0
    reused: int = 0
    begun_bytes: int = 0
    embed_seconds: float = 0.0
    lookup_seconds: float = 0.0
    _recent: OrderedDict[str, Vectors] = field(default_factory=OrderedDict)
    _tallies: dict[str, _Tally] = field(default_factory=dict)

    def batch(self, window: Sequence[Piece | End], tick: Callable[[], None]) -> Batch:
        """Return a window as what is to be written. Each step is taken for all its chunks at once.

        Args:
            window: Pieces and ends of jobs, in order.
            tick: Called between two calls to the model; it may raise to stop.
        """
        pieces = [item for item in window if isinstance(item, Piece)]
        points, embedded = self._points(pieces, tick) if pieces else ([], set())
        following = iter(points)
        batch = Batch(points=points)
        for item in window:
            self.name = item.job.version.name
            if isinstance(item, End):
                self._end(batch, item)
            else:
                self._count(batch, item, list(islice(following, len(item.chunks))), embedded)
        return batch

    def _points(self, pieces: Sequence[Piece], tick: Callable[[], None]) -> tuple[list[Point], set[str]]:
        """Return the points of some pieces, and the content hashes of the chunks that had to be embedded."""
        ids: list[str] = []
        payloads: list[Payload] = []
        for piece in pieces:
            version, document = piece.job.version, piece.document
            described = (version.name, document.key, document.title, document.media_type, document.language)
            for chunk in piece.chunks:
                TURNS.give_way()
                content = content_hash(self.target.vector_key, chunk.inputs)
                payloads.append(Payload(self.workspace, version.id, document.id, content, *described, chunk))
                ids.append(point_id(version.id, document.id, chunk.ordinal))
        terms = map(" ".join, map(terms_of, payloads, repeat(self.target.recipe.task.mix.analyser)))
        vectors, embedded = self._vectors({payload.content: payload.chunk for payload in payloads}, tick)
        rows = zip(ids, payloads, terms, strict=True)
        return [Point(uuid, vectors[payload.content], payload, text) for uuid, payload, text in rows], embedded

    def _count(self, batch: Batch, piece: Piece, points: Sequence[Point], embedded: set[str]) -> None:
        """Count a piece for its job. Of equal chunks the first one counts as embedded, the others as reused."""
        version = piece.job.version
        tally = self._tallies.get(version.id)
        if tally is None:
            tally = self._tallies[version.id] = _Tally()
            batch.started.append(version)
        if piece.last:
            tally.documents += 1
            batch.documents.append(piece.document)
        first = {point.payload.content for point in points} & embedded
        embedded -= first
        tally.chunks += len(points)
        tally.embedded += len(first)
        self.embedded += len(first)
        self.reused += len(points) - len(first)
        # A file that is still being read counts by its characters, at most for its size.
        characters = sum([len(chunk.text) for chunk in piece.chunks])
        counted = min(characters, version.size - tally.bytes)
        tally.bytes += counted
        self.begun_bytes += counted

    def _end(self, batch: Batch, end: End) -> None:
        version = end.job.version.id
        tally = self._tallies.pop(version, None)
        if tally is not None:
            self.begun_bytes -= tally.bytes
        if end.kind or tally is None:
            batch.failed.append((end, tally is not None))
        else:
            reused = tally.chunks - tally.embedded
            batch.finished.append((end.job, Finished(version, tally.documents, tally.chunks, tally.embedded, reused)))

    def _vectors(self, chunks: Mapping[str, Chunk], tick: Callable[[], None]) -> tuple[dict[str, Vectors], set[str]]:
        """Return all vectors of chunks by content hash, and the hashes that had to be embedded."""
        wanted = {content: self._wanted(chunk) for content, chunk in chunks.items()}
        vectors = self._known(wanted)
        missing: dict[VectorSource, dict[str, list[str]]] = {}  # names by source: an equal one embeds once for all
        for content, by_name in vectors.items():
            for name in wanted[content] - by_name.keys():
                missing.setdefault(self.target.sources[name], {}).setdefault(content, []).append(name)
        by_model: dict[int, list[VectorSource]] = {}
        for source in missing:
            by_model.setdefault(id(source.embedder), []).append(source)
        for sources in by_model.values():
            texts = {
                source.prompt + text
                for source in sources
                for content in missing[source]
                for text in chunks[content].inputs
            }
            rows = self._encode(sources[0].embedder, texts, tick)
            for source in sources:
                for content, names in missing[source].items():
                    embedded = [rows[source.prompt + text] for text in chunks[content].inputs]
                    vectors[content] |= dict.fromkeys(names, embedded[0] if len(embedded) == 1 else pool(embedded))
        self._remember(vectors)
        return vectors, {content for contents in missing.values() for content in contents}

    def _wanted(self, chunk: Chunk) -> set[str]:
        """Names of the vectors that a chunk shall have: a model has none of a language that it does not know."""
        return {
            name
            for name, source in self.target.sources.items()
            if not source.spoken or not chunk.spoken or source.spoken == chunk.spoken
        }

    def _known(self, wanted: Mapping[str, set[str]]) -> dict[str, Vectors]:
        """Return the vectors that exist, of those that are wanted, by content hash."""
        started = time.perf_counter()
        vectors = {content: dict(self._recent.get(content, {})) for content in wanted}
        for source in (self.target.index, *self.known):
            missing = [content for content, by_name in vectors.items() if not by_name.keys() >= wanted[content]]
            if missing:
                for content, stored in source.vectors_by_content(self.workspace, missing).items():
                    # An index may hold vectors of a time when others were asked for, such as the naive ones.
                    kept = {name: vector for name, vector in stored.items() if name in wanted[content]}
                    vectors[content] = {**kept, **vectors[content]}
        self.lookup_seconds += time.perf_counter() - started
        return vectors

    def _encode(self, embedder: Embedder, texts: Iterable[str], tick: Callable[[], None]) -> dict[str, Vector]:
        """Embed each text once, neighbours of about one length."""
        ordered = sorted(texts, key=lambda text: (len(text), text))
        rows: dict[str, Vector] = {}
        for start in range(0, len(ordered), ENCODE_TEXTS):
            if start:
                tick()
            batch = ordered[start : start + ENCODE_TEXTS]
            TURNS.give_way()
            started = time.perf_counter()
            rows.update(zip(batch, embedder.encode(batch), strict=True))
            self.embed_seconds += time.perf_counter() - started
        return rows

    def _remember(self, vectors: Mapping[str, Vectors]) -> None:
        """Keep the last ones: their points may not be in the index yet."""
        self._recent.update(vectors)
        while len(self._recent) > _RECENT:
            self._recent.popitem(last=False)
