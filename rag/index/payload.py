"""The fields of a stored point beside its vectors: for filters, for BM25, and the passage itself."""

from __future__ import annotations

from typing import Any

from rag.serialise import payload_to_dict
from rag.types import Point

KEYWORDS = ("workspace", "version", "document", "content", "name")
"""Fields with an exact-match index, made when the collection is."""
TERMS = "terms"
"""Field with the BM25 index: analysed terms between blanks."""


def fields_of(point: Point) -> dict[str, Any]:
    """Return the fields that an engine stores; `rag.serialise.payloads_from` reads them back, without `inputs`."""
    payload = point.payload
    return {
        "workspace": payload.workspace,
        "version": payload.version,
        "document": payload.document,
        "content": payload.content,
        "name": keyword(payload.name),
        TERMS: point.terms,
        **payload_to_dict(payload),
    }


def keyword(name: str) -> str:
    """Return a file name as filters compare it: code units that are no text are written as escapes."""
    return name.encode("utf-8", "backslashreplace").decode()
