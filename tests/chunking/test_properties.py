import re
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rag.chunking import TokenOffsets, by_document, by_entry, by_structure, by_symbol, chunk
from rag.tasks import TASKS
from rag.types import Document, Segment

KINDS = ["heading", "text", "list", "table", "row", "code", "question", "answer"]
CHARACTERS = st.one_of(
    st.sampled_from([*"ab c. \n\t?!-:#@(){}", "é", "漢", "。", "🙂", "\u0301", "\u3000", "ﷺ"]),
    st.characters(exclude_categories=["Cs"]),
)
PARTS = ["alpha", "beta", " ", "\n", "\n\n", ". ", "Q: ", "A: ", "    ", "def f():", "class A", "x" * 70]
SHORT = st.one_of(st.text(CHARACTERS, max_size=200), st.lists(st.sampled_from(PARTS), max_size=60).map("".join))
TEXTS = st.builds(str.__mul__, SHORT, st.integers(1, 8))


def by_word(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(r"\w+|[^\w\s]", text)]


def by_piece(text: str) -> list[tuple[int, int]]:
    """Pieces of four letters counted from the start of a word, so that a cut inside a word moves all that follow."""
    return [(i, min(i + 4, m.end())) for m in re.finditer(r"\S+", text) for i in range(m.start(), m.end(), 4)]


def by_character(text: str) -> list[tuple[int, int]]:
    """One token for each character, one more for every word, three for what is not ASCII."""
    spans = []
    for i, character in enumerate(text):
        if not character.isspace():
            spans.extend([(i, i + 1)] * ((1 if character.isascii() else 3) + (i == 0 or text[i - 1].isspace())))
    return spans


@st.composite
def documents(draw: st.DrawFn) -> Document:
    text = draw(TEXTS)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=12)))
    segments = []
    for start, end in zip(cuts[::2], cuts[1::2], strict=False):
        headings = tuple(draw(st.lists(st.sampled_from(["One", "Two"]), max_size=2)))
        symbol = draw(st.sampled_from(["", "", "name"]))
        page, line = draw(st.sampled_from([(None, None), (1, None), (2, 7)]))
        segments.append(Segment(start, end, draw(st.sampled_from(KINDS)), headings, page, line, line, symbol))
    key = draw(st.sampled_from(["", "", "row-1"]))
    kind = draw(st.sampled_from(["text", "code", "markdown", "table"]))
    return Document("name", text, kind, key=key, title=draw(st.sampled_from(["", "Title"])), segments=tuple(segments))


@pytest.mark.parametrize("offsets", [by_word, by_piece, by_character])
@pytest.mark.parametrize("name", sorted(TASKS))
@given(document=documents(), size=st.integers(20, 60), prompt=st.integers(0, 2), spare=st.sampled_from([0, 400]))
@settings(max_examples=60, deadline=None)
@example(document=Document("n", "x" * 500, "text"), size=20, prompt=0, spare=0)
@example(document=Document("n", " \n" * 200 + "a", "text"), size=20, prompt=0, spare=0)
def test_chunks_keep_their_promises(
    name: str, offsets: TokenOffsets, document: Document, size: int, prompt: int, spare: int
) -> None:
    chunking = TASKS[name].chunking
    chunking = replace(chunking, tokens=size, overlap=min(chunking.overlap, 6))
    chunks = list(chunk(document, chunking, offsets, max_tokens=size + spare, prompt_tokens=prompt))
    covered: set[int] = set()
    for ordinal, part in enumerate(chunks):
        assert part.ordinal == ordinal
        assert document.text[part.start : part.end] == part.text
        assert part.text.strip()
        assert part.inputs
        assert all(text.strip() and len(offsets(text)) + prompt + 2 <= size for text in part.inputs)
        covered.update(range(part.start, part.end))
    if chunking.cut in (by_structure, by_document, by_symbol):
        missed = {i for i, character in enumerate(document.text) if not character.isspace()} - covered
        assert not missed
    assert bool(chunks) == bool(document.text.strip()) or chunking.cut is by_entry


@pytest.mark.parametrize("name", sorted(TASKS))
@pytest.mark.parametrize(
    "text",
    ["x" * 1_000_000, "word and more. " * 70_000, "漢字" * 200_000, "a\n" * 300_000, "." * 10**6, " " * 10**6 + "z"],
    ids=["one-word", "one-line", "no-spaces", "lines", "dots", "blanks"],
)
def test_huge_texts_are_tokenised_a_bounded_number_of_times(name: str, text: str) -> None:
    read = 0

    def offsets(part: str) -> list[tuple[int, int]]:
        nonlocal read
        read += len(part)
        return [(i, i + 8) for i in range(0, len(part), 8)]

    chunks = list(chunk(Document("n", text, "text"), TASKS[name].chunking, offsets, 512))
    assert chunks
    assert read <= (1.1 if name == "qa" and " " in text else 3) * len(text)
    assert all(len(part.inputs) <= 16 for part in chunks)
