"""Payloads and hits as plain values: nothing is lost, and a field needs to be named once."""

from __future__ import annotations

import json
from dataclasses import fields, replace

from hypothesis import given
from hypothesis import strategies as st

from rag.serialise import hit_from_dict, hit_to_dict, metadata_of, payload_from_dict, payload_to_dict
from rag.types import Chunk, Hit, Payload
from tests.build import hit, payload

OLD_SOURCE = {
    "rank": 2,
    "id": "00000000-0000-0000-0000-000000000001",
    "document": "d7",
    "key": "r1",
    "name": "guide.pdf",
    "title": "Guide",
    "media_type": "pdf",
    "language": "",
    "headings": ["One", "Two"],
    "page_start": 3,
    "page_end": 4,
    "line_start": None,
    "line_end": None,
    "symbol": "",
    "text": "The lamp is red.",
    "answer": "",
    "summary": "",
    "score": 0.75,
    "scores": {"dense": 0.75},
}
"""A source in a conversation of version 0.1.0."""


def everything(name: str) -> Hit:
    """A hit in which no field is empty."""
    full = Chunk(3, 10, 14, "text", (), ("One",), 1, 2, 3, 4, "symbol", "answer", "summary", "en")
    return hit(name, 2, chunk=full, key="k", title="t", language="python")


def test_a_source_of_an_old_conversation_is_a_hit() -> None:
    old = hit_from_dict(OLD_SOURCE)
    assert (old.id, old.rank, old.score, old.scores) == (OLD_SOURCE["id"], 2, 0.75, {"dense": 0.75})
    assert (old.payload.name, old.payload.key, old.payload.document) == ("guide.pdf", "r1", "d7")
    chunk = old.payload.chunk
    assert (chunk.text, chunk.headings, chunk.page_start, chunk.line_start) == (
        "The lamp is red.",
        ("One", "Two"),
        3,
        None,
    )
    assert hit_to_dict(old) == OLD_SOURCE


def test_a_hit_comes_back_but_for_where_its_point_is_kept() -> None:
    full = everything("a.py")
    values = hit_to_dict(full)
    assert set(values) == set(OLD_SOURCE), "what conversations and `--json` print"
    assert json.loads(json.dumps(values)) == values
    back = hit_from_dict({**values, "unknown": 1})
    chunk = replace(full.payload.chunk, ordinal=0, start=0, end=4, spoken="")
    assert back == replace(full, payload=replace(full.payload, workspace="", version="", content="", chunk=chunk))


@given(st.sets(st.sampled_from(sorted(OLD_SOURCE))))
def test_a_source_without_some_of_its_values_is_still_a_hit(missing: set[str]) -> None:
    back = hit_to_dict(hit_from_dict({key: value for key, value in OLD_SOURCE.items() if key not in missing}))
    assert {key: back[key] for key in OLD_SOURCE.keys() - missing} == {
        key: value for key, value in OLD_SOURCE.items() if key not in missing
    }


def test_every_field_of_a_passage_is_stored() -> None:
    full = everything("a.py").payload
    stored = {name for name, value in metadata_of(full).items() if value}
    names = {field.name for kind in (Payload, Chunk) for field in fields(kind)}
    assert stored == names - {"chunk", "content", "inputs", "text", "page_start"} | {"page"}
    assert payload_from_dict({**payload_to_dict(full), "content": full.content}) == full


def test_empty_values_are_left_out_and_zeros_are_kept() -> None:
    assert metadata_of(payload("x", workspace="w", document="d", version="v", name="", media_type="")) == {
        "workspace": "w", "version": "v", "document": "d", "ordinal": 0, "start": 0, "end": 1,
    }  # fmt: skip


def test_text_with_lone_surrogates_stays_readable_and_exact() -> None:
    odd = payload("a\ud800b", title="t\udfff", headings=("\ud801",))
    stored = payload_to_dict(odd)
    assert stored["page_content"] == "a?b"
    assert stored["metadata"]["title"] == "t?"
    assert json.dumps(stored, ensure_ascii=False).encode()
    back = payload_from_dict({**stored, "content": odd.content})
    assert back == replace(odd, chunk=replace(odd.chunk, inputs=()))
