"""An index that searches nothing twice, so that many mixes of the same lists cost one search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from rag.types import Payload, ScoredPoint, Search, VectorIndex


class RememberedIndex:
    """Answers a search that it has answered before from memory. Everything else is the index's own."""

    def __init__(self, index: VectorIndex) -> None:
        self._index = index
        self._answers: dict[object, list[ScoredPoint]] = {}
        self._payloads: dict[str, Payload] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._index, name)

    def search(self, searches: Sequence[Search]) -> list[list[ScoredPoint]]:
        """Run several searches; only new ones reach the engine."""
        keys = [_search_key(search) for search in searches]
        new = {key: search for key, search in zip(keys, searches, strict=True) if key not in self._answers}
        if new:
            for key, points in zip(new, self._index.search(list(new.values())), strict=True):
                self._answers[key] = [replace(point, payload=self._shared_payload(point)) for point in points]
        return [self._answers[key] for key in keys]

    def _shared_payload(self, point: ScoredPoint) -> Payload:
        """The payload of a point, held once however many searches return the point."""
        return self._payloads.setdefault(point.id, point.payload)


def _search_key(search: Search) -> object:
    vector = None if search.vector is None else search.vector.tobytes()
    return search.filter, search.limit, search.using, search.terms, search.with_vectors, vector
