"""Recipes, payloads, points and hits, built by hand in one place for all tests."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np

from rag.index import point_id
from rag.retrieval.analyser import analyse, question_terms, terms_of
from rag.types import Chunk, Filter, Hit, Mode, Payload, Point, Recipe, ScoredPoint, Vector

DIMENSION = 16
RECIPE = Recipe(
    task="qa",
    model="test/hashed",
    revision="1",
    precision="float32",
    pooling="mean",
    normalised=True,
    dimension=DIMENSION,
    document_prompt="passage: ",
    query_prompt="query: ",
    chunking="structure-256-32-v1",
    cleaning="v1",
)
EVERYTHING = Filter("default")


def unit(seed: str) -> Vector:
    """Return a vector of length one that depends on the seed alone."""
    number = int.from_bytes(hashlib.sha256(seed.encode("utf-8", "surrogatepass")).digest()[:8], "big")
    vector = np.random.default_rng(number).normal(size=DIMENSION).astype(np.float32)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def payload(text: str = "text", **changes: object) -> Payload:
    """Return a payload around one chunk; keyword arguments go to the payload or else to the chunk."""
    chunk = Chunk(ordinal=0, start=0, end=len(text), text=text, inputs=(text,))
    content = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    base = Payload("default", "v1", "d1", content, "a.txt", "", "", "text", "", chunk)
    of_payload = {key: value for key, value in changes.items() if key in Payload.__slots__}
    of_chunk = {key: value for key, value in changes.items() if key not in Payload.__slots__}
    return replace(base, **{"chunk": replace(chunk, **of_chunk), **of_payload})  # type: ignore[arg-type]


def named(name: str, text: str = "text", **changes: object) -> Payload:
    """Return the payload of a document of its own, with ids made of its name."""
    ids = {"name": name, "document": f"document-{name}", "version": f"version-{name}", "content": f"content-{name}"}
    return payload(text, **{**ids, **changes})


def hit(name: str, rank: int = 1, text: str = "text", **changes: object) -> Hit:
    """Return a hit whose id is its name."""
    return Hit(name, rank, 1.0 / rank, named(name, text, **changes), {"dense": 1.0 / rank})


ANY = payload()
"""For tests that look at ids and scores only."""


def scored(point: str, score: float, vector: Vector | None = None) -> ScoredPoint:
    """Return a point of a ranking."""
    return ScoredPoint(point, score, ANY, vector)


def terms(text: str, analyser: str = "prose") -> tuple[str, ...]:
    """Return what a question is searched by."""
    return question_terms(analyse(text, analyser), analyser)


def point(text: str, naive: bool = True, analyser: str = "prose", **changes: object) -> Point:
    """Return a point whose vectors depend on the text, and whose id on version, document and ordinal."""
    passage = payload(text, **changes)
    vectors = {Mode.TASK_AWARE: unit(text)}
    if naive:
        vectors[Mode.NAIVE] = unit("naive " + text)
    ids = passage.version, passage.document, passage.chunk.ordinal
    return Point(point_id(*ids), vectors, passage, " ".join(terms_of(passage, analyser)))


def points(*texts: str, **changes: object) -> list[Point]:
    """Return the points of one document of several chunks."""
    return [point(text, ordinal=n, **changes) for n, text in enumerate(texts)]
