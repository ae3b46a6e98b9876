"""The fields of a stored point beside its vectors: for filters, for BM25, and the passage itself."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from rag.serialise import payload_from_dict, payload_to_dict
from rag.types import Chunk, Payload, Point

KEYWORDS = ("workspace", "version", "document", "content", "name")
"""Fields with an exact-match index, made when the collection is."""
TERMS = "terms"
"""Field with the BM25 index: analysed terms between blanks."""
_BODY = "body"
"""Field of layout 1: a passage as one JSON list."""


def fields_of(point: Point) -> dict[str, Any]:
    """Return the fields that an engine stores; `payloads_of` gives the payload back, but for the chunk's `inputs`."""
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


def payloads_of(stored: Iterable[Mapping[str, Any]]) -> list[Payload]:
    """Return the payloads that `fields_of` wrote, with empty `inputs`; points of layout 1 are read as well."""
    return [_unpacked(fields) if _BODY in fields else payload_from_dict(fields) for fields in stored]


def keyword(name: str) -> str:
    """Return a file name as filters compare it: code units that are no text are written as escapes."""
    return name.encode("utf-8", "backslashreplace").decode()


def _unpacked(fields: Mapping[str, Any]) -> Payload:
    """Return the payload of a point of layout 1, which version 0.1.0 wrote; a reindex compares its text."""
    name, key, title, media_type, language, ordinal, start, end, text, headings, *rest = json.loads(fields[_BODY])
    return Payload(
        workspace=fields["workspace"],
        version=fields["version"],
        document=fields["document"],
        content=fields["content"],
        name=name,
        key=key,
        title=title,
        media_type=media_type,
        language=language,
        chunk=Chunk(ordinal, start, end, text, (), tuple(headings), *rest),
    )
