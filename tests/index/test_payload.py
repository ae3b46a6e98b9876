"""The fields of a stored point."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.index.engines.embedded import EmbeddedEngine
from rag.index.payload import KEYWORDS, fields_of, keyword
from rag.serialise import payloads_from
from rag.types import Chunk, Filter, Payload, Point
from tests.build import EVERYTHING, RECIPE, payload, point

ANY_TEXT = st.text(st.characters(), max_size=40)
"""Lone surrogates included: JSON files can hold them."""
NUMBER = st.none() | st.integers(0, 10**9)
CHUNKS = st.builds(
    Chunk,
    ordinal=st.integers(0, 10**9),
    start=st.integers(0, 10**9),
    end=st.integers(0, 10**9),
    text=ANY_TEXT,
    inputs=st.just(()),
    headings=st.lists(ANY_TEXT, max_size=3).map(tuple),
    page_start=NUMBER,
    page_end=NUMBER,
    line_start=NUMBER,
    line_end=NUMBER,
    symbol=ANY_TEXT,
    answer=ANY_TEXT,
    summary=ANY_TEXT,
)
PAYLOADS = st.builds(
    Payload,
    workspace=st.text(max_size=5),
    version=st.text(max_size=5),
    document=st.text(max_size=5),
    content=st.text(max_size=5),
    name=ANY_TEXT,
    key=ANY_TEXT,
    title=ANY_TEXT,
    media_type=ANY_TEXT,
    language=ANY_TEXT,
    chunk=CHUNKS,
)


def strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, held in value.items():
            yield key
            yield from strings(held)
    elif isinstance(value, list):
        for held in value:
            yield from strings(held)
    else:
        assert isinstance(value, int)


@given(PAYLOADS)
def test_what_is_stored_is_read_back(passage: Payload) -> None:
    stored = fields_of(Point("id", {}, passage, "some terms"))
    assert payloads_from([stored]) == [passage]
    assert json.loads(json.dumps(stored)) == stored
    for text in strings(stored):
        assert text.encode().decode() == text, "an engine takes Unicode text only"


def test_a_point_is_stored_as_other_clients_expect_it() -> None:
    passage = payload("The lamp is red.", name="guide.pdf", title="Lamps", headings=("One", "Two"), page_start=3)
    stored = fields_of(Point("id", {}, passage, "lamp red"))
    assert stored == {
        **{name: getattr(passage, name) for name in KEYWORDS},
        "terms": "lamp red",
        "page_content": "The lamp is red.",
        "metadata": {
            "workspace": "default",
            "version": "v1",
            "document": "d1",
            "name": "guide.pdf",
            "title": "Lamps",
            "media_type": "text",
            "ordinal": 0,
            "start": 0,
            "end": 16,
            "headings": ["One", "Two"],
            "page": 3,
        },
    }


def test_a_point_of_layout_1_is_read() -> None:
    """As version 0.1.0 wrote it."""
    passage = payload(
        "text", key="k", title="t", language="python", headings=("h",), line_start=1, line_end=2, symbol="s"
    )
    c = passage.chunk
    body = ["a.txt", "k", "t", "text", "python", 0, 0, 4, "text", ["h"], None, None, 1, 2, "s", "", ""]
    stored = {**{name: getattr(passage, name) for name in KEYWORDS}, "terms": "text", "body": json.dumps(body)}
    assert payloads_from([stored]) == [replace(passage, chunk=replace(c, inputs=()))]


def test_the_engine_keeps_odd_texts(folder: Path) -> None:
    index = EmbeddedEngine(folder).open(RECIPE)

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(ANY_TEXT, ANY_TEXT)
    def check(text: str, name: str) -> None:
        odd = point(text, name=name)
        index.upsert([odd])
        stored = next(index.scroll(Filter("default", names=(name,))))[0]
        assert stored.payload == replace(odd.payload, chunk=replace(odd.payload.chunk, inputs=()))

    check()
    assert index.count(EVERYTHING) == 1
    index.close()


def test_names_differ_as_keywords_when_they_differ() -> None:
    assert keyword("a.txt") == "a.txt"
    assert keyword("\ud800.txt") == "\\ud800.txt"
