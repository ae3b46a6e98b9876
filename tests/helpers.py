"""Objects that several tests build by hand."""

from __future__ import annotations

from collections.abc import Mapping

from rag.types import Chunk, Embedder, Hit, Mode, Payload, Point, Recipe, Search, VectorIndex

RECIPE = Recipe("qa", "fake", "1", "float32", "mean", True, 64, "passage: ", "query: ", "whole", "1")


def payload(name: str, text: str = "text", **fields: object) -> Payload:
    """The payload of a one-chunk document."""
    chunk = fields.pop("chunk", None) or Chunk(0, 0, len(text), text, (text,))
    values: dict[str, object] = {
        "workspace": "default",
        "version": f"version-{name}",
        "document": f"document-{name}",
        "content": f"content-{name}",
        "name": name,
        "key": "",
        "title": "",
        "media_type": "text",
        "language": "",
        "chunk": chunk,
    }
    return Payload(**{**values, **fields})  # type: ignore[arg-type]


def hit(name: str, rank: int, text: str = "text", **fields: object) -> Hit:
    """A hit whose id is its name."""
    return Hit(name, rank, 1.0 / rank, payload(name, text, **fields), {"dense": 1.0 / rank})


def filled_index(embedder: Embedder, texts: Mapping[str, str]) -> VectorIndex:
    """An in-memory index with one point a text, in both modes."""
    from tests.fakes_index import FakeIndex

    index = FakeIndex("qa-test", RECIPE)
    for number, (name, text) in enumerate(texts.items()):
        aware, naive = embedder.encode([f"passage: {text}", text])
        point_id = f"00000000-0000-0000-0000-{number:012d}"
        index.upsert([Point(point_id, {Mode.TASK_AWARE: aware, Mode.NAIVE: naive}, payload(name, text))])
    return index


class SpyIndex:
    """Passes everything on and remembers the searches."""

    def __init__(self, index: VectorIndex) -> None:
        self._index = index
        self.calls: list[list[Search]] = []

    def search(self, searches: list[Search]) -> object:
        self.calls.append(list(searches))
        return self._index.search(searches)

    def __getattr__(self, name: str) -> object:
        return getattr(self._index, name)
