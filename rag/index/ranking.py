"""What both engines do alike around a search: checks, BM25 of repeated words, order of ties."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from rag.index.analyser import analyse
from rag.types import Search

Scored = tuple[str, float, Mapping[str, object]]
"""Id, score and payload as stored."""

_LEVELS = 3
_POOL = 100


def check(searches: Sequence[Search], dimension: int) -> None:
    """Refuse searches that cannot be run.

    Raises:
        ValueError: Naming what was found and what was expected.
    """
    for search in searches:
        if (search.vector is None) == (search.text is None):
            given = "neither" if search.text is None else "both"
            raise ValueError(f"A search takes either a vector or a text, found {given}")
        if search.limit < 1:
            raise ValueError(f"A search takes a limit of 1 or more, found {search.limit}")
        if search.vector is not None and search.vector.shape != (dimension,):
            raise ValueError(f"A search vector has shape ({dimension},) in this index, found {search.vector.shape}")


def text_queries(search: Search, analyser: str) -> list[tuple[str, int]]:
    """The (terms, limit) queries whose added scores are the BM25 score of a search text.

    Engines count a repeated term once. A term that stands n times in a text is asked n times here, three at most,
    because repetition says what a long text is about; in a short question no term repeats and there is one query.
    Descriptions of code repeat names of little meaning and are counted once.
    """
    counts = Counter(analyse(search.text or "", analyser))
    if not counts:
        return []
    levels = _LEVELS if analyser == "prose" else 1
    texts = [" ".join(term for term, n in counts.items() if n >= level) for level in range(1, levels + 1)]
    texts = [text for text in texts if text]
    if len(texts) == 1:
        return [(texts[0], search.limit)]
    return [(text, max(_POOL, 2 * search.limit)) for text in texts]


def merge(lists: Sequence[Sequence[Scored]], limit: int) -> list[Scored]:
    """Add up the scores of several lists of (id, score, payload); best first, ties by id."""
    if len(lists) == 1:
        return _ordered(lists[0])[:limit]
    total: dict[str, Scored] = {}
    for point, score, payload in (item for items in lists for item in items):
        total[point] = (point, total[point][1] + score if point in total else score, payload)
    return _ordered(total.values())[:limit]


def _ordered(items: Iterable[Scored]) -> list[Scored]:
    """Best first, ties by id."""
    return sorted(items, key=lambda item: (-item[1], item[0]))
