"""Passages and hits as plain values: the one place that says under which names their fields are stored.

A passage is stored as other clients of a vector store expect it: `page_content`, and `metadata` without empty values. A
hit in a conversation or in JSON output is flat. A field that `Payload` or `Chunk` gains is in both of them at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, Field, fields
from operator import attrgetter
from typing import Any

from rag.types import Chunk, Hit, Payload

CONTENT = "page_content"
METADATA = "metadata"
_BODY = "body"
"""Field of layout 1, which version 0.1.0 wrote: a passage as one JSON list."""
EXACT = "exact"
"""Metadata of a passage with lone surrogates, which no other program can read: the whole of it as ASCII JSON."""

_BESIDE = {"chunk", "content", "inputs", "text"}
"""Fields that are no metadata: embedded inputs are not stored, the others have a place of their own."""
_NOT_IN_HITS = {"workspace", "version", "ordinal", "start", "end", "spoken"}
"""Fields of the point rather than of the passage; they would no longer be true after a reindex."""
_RENAMED = {"page_start": "page"}
"""Metadata that other clients know by another name than the field's."""


def _blank(field: Field[Any]) -> object:
    """Return the value that a missing field stands for."""
    if field.default is not MISSING:
        return field.default
    return {"int": 0, "tuple[str, ...]": ()}.get(str(field.type), "")


_PAYLOAD, _CHUNK = ({field.name: _blank(field) for field in fields(kind)} for kind in (Payload, Chunk))
"""Blank value by field, in the order of the constructors."""
_PAYLOAD_BLANKS, _CHUNK_BLANKS = tuple(_PAYLOAD.values()), tuple(_CHUNK.values())
_CHUNK_KEYS = tuple(_RENAMED.get(name, name) for name in _CHUNK)
_STORED = [[name for name in names if name not in _BESIDE] for names in (_PAYLOAD, _CHUNK)]
_KEYS = {name: _RENAMED.get(name, name) for names in _STORED for name in names}
"""Metadata key by field name."""
_LISTS = [name for name in _KEYS if _CHUNK.get(name) == ()]
_payload_values, _chunk_values = (attrgetter(*names) for names in _STORED)


def metadata_of(payload: Payload) -> dict[str, Any]:
    """Return all of a passage but its text as JSON values, without those that are empty."""
    return {_KEYS[name]: value for name, value in _values(payload).items() if value or value == 0}


def payload_to_dict(payload: Payload) -> dict[str, Any]:
    """Return `page_content` and `metadata`, from which `payload_from_dict` makes the payload again."""
    stored: dict[str, Any] = {CONTENT: payload.chunk.text, METADATA: metadata_of(payload)}
    try:
        payload.chunk.text.encode()
        json.dumps(stored[METADATA], ensure_ascii=False).encode()
    except UnicodeEncodeError:
        # Engines take Unicode text only: they get question marks to show, and the passage itself in escapes.
        readable: dict[str, Any] = json.loads(json.dumps(stored, ensure_ascii=False).encode(errors="replace"))
        readable[METADATA][EXACT] = json.dumps(stored)
        return readable
    return stored


def payload_from_dict(stored: Mapping[str, Any]) -> Payload:
    """Return the payload that `payload_to_dict` wrote, with the `content` hash beside it and with empty `inputs`."""
    text, metadata = stored[CONTENT], stored[METADATA]
    if EXACT in metadata:
        exact = json.loads(metadata[EXACT])
        text, metadata = exact[CONTENT], exact[METADATA]
    return _payload({**metadata, "text": text, "content": stored.get("content", "")}, _CHUNK_KEYS)


def payloads_from(stored: Iterable[Mapping[str, Any]]) -> list[Payload]:
    """Return the payloads of stored points, with empty `inputs`; points of layout 1 are read as well."""
    return [_unpacked(point) if _BODY in point else payload_from_dict(point) for point in stored]


def hit_to_dict(hit: Hit) -> dict[str, Any]:
    """Return a hit as flat JSON values, named like the fields of `Hit`, `Payload` and `Chunk`."""
    passage = {name: value for name, value in _values(hit.payload).items() if name not in _NOT_IN_HITS}
    text = hit.payload.chunk.text
    return {"rank": hit.rank, "id": hit.id, **passage, "text": text, "score": hit.score, "scores": dict(hit.scores)}


def hit_from_dict(values: Mapping[str, Any]) -> Hit:
    """Return the hit that `hit_to_dict` wrote, this version's or an earlier one's; unknown keys are left out."""
    text = str(values.get("text", ""))
    payload = _payload({**values, "text": text, "end": len(text)}, tuple(_CHUNK))
    scores = {name: float(score) for name, score in values.get("scores", {}).items()}
    return Hit(str(values.get("id", "")), int(values.get("rank", 0)), float(values.get("score", 0)), payload, scores)


def _unpacked(point: Mapping[str, Any]) -> Payload:
    """Return the payload of a point of layout 1; a reindex compares its text."""
    name, key, title, media_type, language, ordinal, start, end, text, headings, *rest = json.loads(point[_BODY])
    return Payload(
        workspace=point["workspace"],
        version=point["version"],
        document=point["document"],
        content=point["content"],
        name=name,
        key=key,
        title=title,
        media_type=media_type,
        language=language,
        chunk=Chunk(ordinal, start, end, text, (), tuple(headings), *rest),
    )


def _values(payload: Payload) -> dict[str, Any]:
    """Return the stored fields in order, as JSON values."""
    values = dict(zip(_KEYS, _payload_values(payload) + _chunk_values(payload.chunk), strict=True))
    for name in _LISTS:
        values[name] = list(values[name])
    return values


def _payload(values: dict[str, Any], chunk_keys: Sequence[str]) -> Payload:
    for name in _LISTS:
        values[name] = tuple(values.get(name) or ())
    # By position, because a search reads hundreds of points and arguments by name take a third longer.
    values["chunk"] = Chunk(*map(values.get, chunk_keys, _CHUNK_BLANKS))
    return Payload(*map(values.get, _PAYLOAD, _PAYLOAD_BLANKS))
