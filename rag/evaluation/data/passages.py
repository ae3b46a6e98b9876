"""The chunks of an index, read back as passages that judgments can be about."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

from rag.tasks.corpus import Passage, Record, passages_by_document
from rag.turns import TURNS
from rag.types import Filter, Payload, VectorIndex


def read_passages(index: VectorIndex, visible: Filter) -> list[Passage]:
    """Read all visible chunks of an index, by file name, row and position."""
    passages = [_passage(point.id, point.payload) for batch in index.scroll(visible) for point in batch]
    return sorted(passages, key=_place)


def sample_passages(index: VectorIndex, visible: Filter, count: int, seed: int = 0) -> list[Passage]:
    """Read some visible chunks of an index, each with the same chance, sorted as `read_passages` does.

    Other work goes first, and no more than a batch is held beside the sample.
    """
    rng = random.Random(seed)  # noqa: S311 - a sample, not a secret
    sample: list[Passage] = []
    seen = 0
    for batch in index.scroll(visible):
        TURNS.give_way()
        for point in batch:
            seen += 1
            slot = len(sample) if len(sample) < count else rng.randrange(seen)
            if slot < count:  # reservoir sampling
                sample[slot : slot + 1] = [_passage(point.id, point.payload)]
    return sorted(sample, key=_place)


def _place(passage: Passage) -> tuple[str, str, str, int]:
    return passage.name, passage.key, passage.document, passage.ordinal


def _passage(point: str, payload: Payload) -> Passage:
    chunk = payload.chunk
    return Passage(
        id=point,
        document=payload.document,
        name=payload.name,
        ordinal=chunk.ordinal,
        text=chunk.text,
        key=payload.key,
        title=payload.title,
        headings=chunk.headings,
        symbol=chunk.symbol,
        answer=chunk.answer,
        summary=chunk.summary,
        language=payload.language,
    )


def as_records(passages: Sequence[Passage]) -> dict[str, Record]:
    """Each passage as a document to find, by point id, with its title and headings where the index has them."""
    return {
        passage.id: Record(
            passage.id, " ".join(filter(None, (passage.title, *passage.headings))), passage.summary or passage.text
        )
        for passage in passages
    }


def whole_documents(passages: Iterable[Passage]) -> dict[str, Record]:
    """Each document as one text, by document id."""
    return {
        group[0].document: Record(group[0].document, group[0].title, "\n\n".join(passage.text for passage in group))
        for group in passages_by_document(passages)
    }
