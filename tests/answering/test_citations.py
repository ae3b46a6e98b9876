import re
from itertools import accumulate, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.answering.citations import NO_ANSWER, CitationFilter, cite
from rag.types import Hit
from tests.build import payload


def hit(rank: int, text: str = "text") -> Hit:
    return Hit(f"id{rank}", rank, 1.0, payload(text, name="name.md"))


HITS = [hit(rank) for rank in range(1, 4)]


@pytest.mark.parametrize(
    ("given_text", "expected", "numbers", "removed"),
    [
        ("One [1]. Two [2].", "One [1]. Two [2].", [1, 2], 0),
        ("Both [2, 1].", "Both [2][1].", [2, 1], 0),
        ("Both [1][2] and [1; 3]", "Both [1][2] and [1][3]", [1, 2, 3], 0),
        ("Note [^2].", "Note [2].", [2], 0),
        ("Wide 【1】 and 【2†source】.", "Wide [1] and [2].", [1, 2], 0),
        ("Named [Source 3], [sources: 1 and 2].", "Named [3], [1][2].", [3, 1, 2], 0),
        ("Range [1-3].", "Range [1][2][3].", [1, 2, 3], 0),
        ("None [4] at [0] all [99999999999].", "None at all.", [], 3),
        ("Some [1, 9].", "Some [1].", [1], 1),
        ("Twice [2, 2] [2].", "Twice [2] [2].", [2], 0),
        ("In `rows[0]` and [1].", "In `rows[0]` and [1].", [1], 0),
        ("``a`[7]`` then [7]", "``a`[7]`` then", [], 1),
        ("```py\nx[0] = y[1]\n```\nso [1]", "```py\nx[0] = y[1]\n```\nso [1]", [1], 0),
        ("~~~\nx[9]\n~~~ [9]", "~~~\nx[9]\n~~~", [], 1),
        ("an open ` tick\nends with the line [9]", "an open ` tick\nends with the line", [], 1),
        ("[see the manual] [a] [] [1.5]", "[see the manual] [a] [] [1.5]", [], 0),
        ("", "", [], 0),
    ],
)
def test_marks_are_normalised(given_text: str, expected: str, numbers: list[int], removed: int) -> None:
    answer = cite(given_text, HITS)
    assert answer.text == expected
    assert [citation.number for citation in answer.citations] == numbers
    assert [citation.hit.rank for citation in answer.citations] == numbers
    assert answer.removed_citations == removed


@pytest.mark.parametrize(
    ("text", "answered"),
    [
        (NO_ANSWER, False),
        (f"  {NO_ANSWER}\n", False),
        (f"{NO_ANSWER} It is about cats [1].", False),
        (f"I looked. {NO_ANSWER}", False),
        (f"Cats sleep [1]. {NO_ANSWER}", True),
        ("Cats sleep.", True),
        (" ", False),
        ("[9]", False),
    ],
)
def test_the_sentinel_means_not_answered(text: str, answered: bool) -> None:
    assert cite(text, HITS).answered is answered


PARTS = ["[", "]", "1", "2", "9", "0", ", ", "-", "^", " ", "  ", "`", "```", "~~~", "\n", "a", "and", "【", "】", "†s"]
TEXTS = st.lists(st.sampled_from([*PARTS, "[1]", "[9]", "٣"]), max_size=40).map("".join)


def stream(pieces: list[str]) -> tuple[list[str], CitationFilter]:
    marks = CitationFilter(3)
    return [*(marks.feed(piece) for piece in pieces), marks.close()], marks


@given(TEXTS, st.lists(st.integers(0, 60), max_size=8))
@settings(max_examples=400, deadline=None)
def test_streaming_gives_the_same_text_however_it_is_cut(text: str, cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    shown, marks = stream([text[a:b] for a, b in pairwise(edges)])
    whole = cite(text, HITS)
    assert "".join(shown) == whole.text
    assert marks.used == [citation.number for citation in whole.citations]
    assert marks.removed == whole.removed_citations
    ends = set(accumulate(map(len, shown)))
    for mark in re.finditer(r"[\[【]\d+[\]】]", whole.text):
        assert not ends & set(range(mark.start() + 1, mark.end()))


@given(TEXTS)
@settings(max_examples=400, deadline=None)
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    once = cite(text, HITS)
    twice = cite(once.text, HITS)
    assert (twice.text, twice.citations, twice.removed_citations) == (once.text, once.citations, 0)


@given(TEXTS.filter(lambda text: not set(text) & set("`~")))
@settings(max_examples=200, deadline=None)
def test_outside_of_code_every_mark_names_a_hit(text: str) -> None:
    answer = cite(text, HITS)
    numbers = [int(number) for number in re.findall(r"\[(\d+)\]", answer.text)]
    assert all(1 <= number <= 3 for number in numbers)
    assert [citation.number for citation in answer.citations] == list(dict.fromkeys(numbers))


def test_long_texts_take_linear_time() -> None:
    for text in ("[" * 200_000, " " * 200_000, "`" * 200_000, "[1" * 100_000, "[1] " * 50_000):
        assert len(cite(text, HITS).text) <= len(text)
