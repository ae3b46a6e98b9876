"""One source as the shells show it, whether it was just found or stored with an old answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from rag.render.text import place
from rag.types import Hit


@dataclass(frozen=True, slots=True)
class SourceView:
    """A hit flattened to plain values, ready for JSON; the fields are those of `Hit`, `Payload` and `Chunk`."""

    id: str
    rank: int
    score: float
    name: str
    text: str
    scores: Mapping[str, float] = field(default_factory=dict)
    document: str = ""
    key: str = ""
    title: str = ""
    media_type: str = ""
    language: str = ""
    headings: tuple[str, ...] = ()
    page_start: int | None = None
    page_end: int | None = None
    line_start: int | None = None
    line_end: int | None = None
    symbol: str = ""
    answer: str = ""
    summary: str = ""

    @classmethod
    def of(cls, hit: Hit) -> SourceView:
        """The view of a hit."""
        from rag.answering.recording import source_dict

        return cls.stored(source_dict(hit))

    @classmethod
    def stored(cls, values: Mapping[str, Any]) -> SourceView:
        """The view that `as_dict` wrote; unknown keys are left out, so that old conversations stay readable."""
        known = {f.name: values[f.name] for f in fields(cls) if f.name in values}
        blank: dict[str, Any] = {"id": "", "rank": 0, "score": 0.0, "name": "", "text": ""}
        return cls(**{**blank, **known, "headings": tuple(known.get("headings", ()))})

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "headings": list(self.headings)}

    @property
    def place(self) -> str:
        """Page or lines in words, or empty."""
        return place(self.page_start, self.page_end, self.line_start, self.line_end)

    @property
    def label(self) -> str:
        """Name, key when the file has many documents, and place: `guide.pdf, page 3`."""
        return ", ".join(part for part in (self.name, self.key, self.place) if part)
