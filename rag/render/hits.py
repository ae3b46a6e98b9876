"""Names and positions of hits in words."""

from __future__ import annotations

from rag.types import Hit


def position(hit: Hit) -> str:
    """Return where in its file a passage is: `page 3`, `pages 3-4`, `lines 10-20`, or empty."""
    chunk = hit.payload.chunk
    if chunk.page_start is not None:
        return _range("page", chunk.page_start, chunk.page_end)
    return _range("line", chunk.line_start, chunk.line_end) if chunk.line_start is not None else ""


def label(hit: Hit) -> str:
    """Return name, key when the file has many documents, and position: `guide.pdf, page 3`."""
    return ", ".join(part for part in (hit.payload.name, hit.payload.key, position(hit)) if part)


def _range(unit: str, first: int, last: int | None) -> str:
    return f"{unit} {first}" if last is None or last <= first else f"{unit}s {first}-{last}"
