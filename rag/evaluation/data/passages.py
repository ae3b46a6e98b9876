"""What an index holds, read back as passages that judgments can be about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rag.evaluation.data.datasets import Record
from rag.types import Filter, Payload, VectorIndex


@dataclass(frozen=True, slots=True)
class Passage:
    """One chunk of an index.

    Attributes:
        id: Point id.
        document: Document id.
        name: File name.
        key: Row of the file, or empty.
        ordinal: Place in the document.
        title: Title of the document, or empty.
        headings: Headings above it, outermost first.
        symbol: Function or class name, or empty.
        text: The chunk's text.
        answer: Stored answer of an FAQ entry, or empty.
        summary: Summary of the document, or empty.
        language: Programming language, or empty.
    """

    id: str
    document: str
    name: str
    ordinal: int
    text: str
    key: str = ""
    title: str = ""
    headings: tuple[str, ...] = ()
    symbol: str = ""
    answer: str = ""
    summary: str = ""
    language: str = ""

    @property
    def shown(self) -> str:
        """What people call the place: file, row and number of the chunk."""
        return f"{self.name}{'/' + self.key if self.key else ''}#{self.ordinal}"


def read_passages(index: VectorIndex, where: Filter) -> list[Passage]:
    """All visible chunks of an index, by file name, row and place."""
    found = [_passage(stored.id, stored.payload) for batch in index.scroll(where) for stored in batch]
    return sorted(found, key=lambda one: (one.name, one.key, one.document, one.ordinal))


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


def by_document(passages: Iterable[Passage]) -> Iterator[list[Passage]]:
    """Passages of one document at a time, in order."""
    groups: dict[str, list[Passage]] = {}
    for passage in passages:
        groups.setdefault(passage.document, []).append(passage)
    yield from groups.values()


def as_records(passages: Sequence[Passage]) -> dict[str, Record]:
    """Each passage as a document to find, by point id, with its title and headings where the index has them."""
    return {
        one.id: Record(one.id, " ".join(filter(None, (one.title, *one.headings))), one.summary or one.text)
        for one in passages
    }


def whole_documents(passages: Iterable[Passage]) -> dict[str, Record]:
    """Each document as one text, by document id."""
    return {
        group[0].document: Record(group[0].document, group[0].title, "\n\n".join(one.text for one in group))
        for group in by_document(passages)
    }
