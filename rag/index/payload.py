"""A stored point beside its vectors: its id, fields for filters and for BM25, and the passage itself."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Sequence
from typing import Any

from rag.serialise import payload_to_dict
from rag.types import Point

KEYWORDS = ("workspace", "version", "document", "content", "name")
"""Fields with an exact-match index, made when the collection is."""
TERMS = "terms"
"""Field with the BM25 index: analysed terms between blanks."""
_NAMESPACE = uuid.UUID("5d1c1b3e-6a0f-5c6e-9c39-0a4d1a6f7b52")


def point_id(version: str, document: str, ordinal: int) -> str:
    """Return the UUID of a chunk's point, a function of version, document and position alone."""
    return str(uuid.uuid5(_NAMESPACE, json.dumps([version, document, ordinal])))


def content_hash(key: str, inputs: Sequence[str]) -> str:
    """Return the content address of a chunk's vectors: equal for equal inputs and an equal `vector_key`."""
    return hashlib.blake2b(json.dumps([key, *inputs]).encode(), digest_size=16).hexdigest()


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
