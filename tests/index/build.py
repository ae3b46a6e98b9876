"""Points and recipes for index tests, built by hand."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np

from rag.index import point_id
from rag.types import Chunk, Filter, Mode, Payload, Point, Recipe, Vector

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
EVERYTHING = Filter("home")


def unit(seed: str) -> Vector:
    """A vector of length one that depends on the seed alone."""
    number = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big")
    vector = np.random.default_rng(number).normal(size=DIMENSION).astype(np.float32)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def payload(text: str, **changes: object) -> Payload:
    """A payload around one chunk; keyword arguments go to the payload or else to the chunk."""
    chunk = Chunk(ordinal=0, start=0, end=len(text), text=text, inputs=(text,))
    content = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    base = Payload("home", "v1", "d1", content, "a.txt", "", "", "text", "", chunk)
    own = {key: value for key, value in changes.items() if key in Payload.__slots__}
    rest = {key: value for key, value in changes.items() if key not in Payload.__slots__}
    return replace(base, chunk=replace(chunk, **rest), **own)


def point(text: str, naive: bool = True, **changes: object) -> Point:
    """A point whose vectors depend on the text, and whose id on version, document and ordinal."""
    made = payload(text, **changes)
    vectors = {Mode.TASK_AWARE: unit(text)}
    if naive:
        vectors[Mode.NAIVE] = unit("naive " + text)
    return Point(point_id(made.version, made.document, made.chunk.ordinal), vectors, made)


def points(*texts: str, **changes: object) -> list[Point]:
    """One document of several chunks."""
    return [point(text, ordinal=n, **changes) for n, text in enumerate(texts)]
