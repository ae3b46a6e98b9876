from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.index import EmbeddedEngine
from rag.index.payload import RETURNED, bm25_text, decode, encode, keyword
from rag.types import Chunk, Filter, Payload
from tests.index.build import EVERYTHING, RECIPE, payload, point

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


@given(PAYLOADS, st.sampled_from(["prose", "code"]))
def test_what_is_encoded_decodes_to_itself(made: Payload, analyser: str) -> None:
    stored = encode(made, analyser)
    assert decode({name: stored[name] for name in RETURNED}) == made
    for value in stored.values():
        assert value.encode().decode() == value, "an engine takes text only"


def test_the_engine_keeps_odd_texts(folder: Path) -> None:
    index = EmbeddedEngine(folder).open(RECIPE)

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(ANY_TEXT, ANY_TEXT)
    def check(text: str, name: str) -> None:
        made = point(text, name=name)
        index.upsert([made])
        stored = next(index.scroll(Filter("home", names=(name,))))[0]
        assert stored.payload == replace(made.payload, chunk=replace(made.payload.chunk, inputs=()))

    check()
    assert index.count(EVERYTHING) == 1
    index.close()


def test_names_differ_as_keywords_when_they_differ() -> None:
    assert keyword("a.txt") == "a.txt"
    assert keyword("\ud800.txt") == "\\ud800.txt"


def test_bm25_reads_title_headings_symbol_text_and_summary_but_no_answer() -> None:
    made = payload("text", title="title", headings=("h1", "h2"), symbol="symbol", summary="summary", answer="answer")
    assert bm25_text(made).split("\n") == ["title", "h1", "h2", "symbol", "text", "summary"]
