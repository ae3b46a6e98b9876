"""From searches to ranked points, over any driver: the queries, one call to the engine, merging, reading back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from rag.index.driver import Driver, PointRow, Query, Where
from rag.index.payload import TERMS
from rag.serialise import payloads_from
from rag.types import Payload, ScoredPoint, Search

_LEVELS = 3
"""How often a repeated term of a search counts, at most."""
_POOL = 100
"""Rows fetched for each of several queries whose scores are added, at least."""
_SPARE = 16
"""Rows fetched beyond twice the limit when some may be hidden."""


def check_searches(searches: Sequence[Search], sizes: Mapping[str, int]) -> None:
    """Refuse searches that cannot be run.

    Args:
        searches: By vector or by terms.
        sizes: Length of the collection's vectors, by name.

    Raises:
        ValueError: Naming what was found and what was expected.
    """
    for search in searches:
        if (search.vector is None) == (search.terms is None):
            count = "neither" if search.terms is None else "both"
            raise ValueError(f"A search takes either a vector or terms, found {count}")
        if search.limit < 1:
            raise ValueError(f"A search takes a limit of 1 or more, found {search.limit}")
        if search.vector is None:
            continue
        if search.using not in sizes:
            raise ValueError(f"A search takes one of the vectors {sorted(sizes)}, found {search.using!r}")
        if search.vector.shape != (sizes[search.using],):
            expected = (sizes[search.using],)
            raise ValueError(f"A search vector has shape {expected} in this index, found {search.vector.shape}")


def rank_points(
    driver: Driver, searches: Sequence[Search], conditions: Sequence[Where | None], sizes: Mapping[str, int]
) -> list[list[ScoredPoint]]:
    """Run several searches in one call to the engine, or two when hidden points fill a list.

    Args:
        driver: An open collection.
        searches: By vector or by terms.
        conditions: The filter of each search, None where nothing can match.
        sizes: Length of the collection's vectors, by name.

    Returns:
        A list of points for each search, best first, ties by id.

    Raises:
        ValueError: A search that cannot be run; what was found and what was expected.
    """
    check_searches(searches, sizes)
    groups = [[] if where is None else _queries(s, where) for s, where in zip(searches, conditions, strict=True)]
    answers = iter(_answers(driver, [query for group in groups for query in group]))
    rankings = [_merged([next(answers) for _ in group], s.limit) for s, group in zip(searches, groups, strict=True)]
    # A point that several lists hold is read once.
    rows = {row.id: row for ranking in rankings for row in ranking}
    payloads = dict(zip(rows, payloads_from([row.payload for row in rows.values()]), strict=True))
    return [
        [_scored(row, payloads, by_terms=search.terms is not None) for row in ranking]
        for search, ranking in zip(searches, rankings, strict=True)
    ]


def _queries(search: Search, where: Where) -> list[Query]:
    if search.vector is not None:
        vector = np.ascontiguousarray(search.vector, np.float32)
        return [Query(where, search.limit, vector=vector, using=str(search.using), vectors=search.with_vectors)]
    return [Query(where, limit, terms=terms) for terms, limit in term_queries(search.terms or (), search.limit)]


def term_queries(terms: Sequence[str], limit: int) -> list[tuple[str, int]]:
    """Return the (terms, limit) queries whose added scores are the BM25 score of a search's terms.

    Engines count a repeated term once. A term that stands n times among the terms is asked n times here, three at most,
    because repetition says what a long text is about; in a short question no term repeats and there is one query.
    """
    counts = Counter(terms)
    levels = [[term for term, count in counts.items() if count >= level] for level in range(1, _LEVELS + 1)]
    texts = [" ".join(level) for level in levels if level]
    return [(text, limit if len(texts) == 1 else max(_POOL, 2 * limit)) for text in texts]


def _answers(driver: Driver, queries: Sequence[Query]) -> list[list[PointRow]]:
    """Return the rows of all queries.

    Excluding values costs an engine ten times a plain scan, and hidden versions are few. So the lists are fetched
    longer without the exclusion, hidden rows are dropped here, and only a list that comes out too short is asked for
    again.
    """
    if not queries:
        return []
    wide = [_unrestricted(query) for query in queries]
    answers = driver.query(wide)
    lists = [_visible(rows, query) for rows, query in zip(answers, queries, strict=True)]
    short = [
        number
        for number, (rows, query) in enumerate(zip(answers, queries, strict=True))
        if len(lists[number]) < query.limit and len(rows) == wide[number].limit
    ]
    if short:
        for number, rows in zip(short, driver.query([queries[number] for number in short]), strict=True):
            lists[number] = rows
    return lists


def _unrestricted(query: Query) -> Query:
    if not query.where.must_not:
        return query
    return replace(query, where=Where(query.where.must), limit=2 * query.limit + _SPARE)


def _visible(rows: Sequence[PointRow], query: Query) -> list[PointRow]:
    hidden = query.where.must_not.items()
    if not hidden:
        return list(rows)
    return [row for row in rows if not any(row.payload[name] in values for name, values in hidden)][: query.limit]


def _merged(answers: Sequence[Sequence[PointRow]], limit: int) -> list[PointRow]:
    """Add up the scores of several lists; best first, ties by id."""
    total: dict[str, PointRow] = {}
    for row in (row for rows in answers for row in rows):
        total[row.id] = replace(row, score=total[row.id].score + row.score) if row.id in total else row
    return sorted(total.values(), key=lambda row: (-row.score, row.id))[:limit]


def _scored(row: PointRow, payloads: Mapping[str, Payload], *, by_terms: bool) -> ScoredPoint:
    vector = next(iter(row.vectors.values()), None)
    return ScoredPoint(row.id, row.score, payloads[row.id], vector, row.payload[TERMS] if by_terms else "")
