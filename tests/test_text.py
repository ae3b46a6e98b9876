from collections.abc import Callable, Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.text import Offsets, content_words, is_blank, lines, paragraphs, sentences, stems, trim, well_formed, words


def split(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One thing. Another! A third? Yes…", ["One thing.", "Another!", "A third?", "Yes…"]),
        ("He said “go.” Then he left.", ["He said “go.”", "Then he left."]),
        ("See Fig. 3, e.g. Dr. Who at 3.5 p.m. today. End.", ["See Fig. 3, e.g. Dr. Who at 3.5 p.m. today.", "End."]),
        ("J. Smith wrote it. It sold.", ["J. Smith wrote it.", "It sold."]),
        ("これは文です。次の文です！終わり", ["これは文です。", "次の文です！", "終わり"]),
        ("Do:\n- press it\n- hold it\n1. wait\n2) go", ["Do:", "- press it", "- hold it", "1. wait", "2) go"]),
        ("A line that\ngoes on.\n\nA new part\n \nand more", ["A line that\ngoes on.", "A new part", "and more"]),
        ("Version 2.0.1 of a.b is out...", ["Version 2.0.1 of a.b is out..."]),
        ("  \n ", []),
    ],
)
def test_sentences_end_where_a_reader_would_say(text: str, expected: list[str]) -> None:
    assert split(text) == expected


TEXTS = st.text(st.one_of(st.sampled_from("ab.!? \n\t-1)。”"), st.characters(exclude_categories=["Cs"])), max_size=300)


@given(TEXTS, st.integers(0, 50), st.integers(0, 300))
@settings(max_examples=200, deadline=None)
@pytest.mark.parametrize("cut", [sentences, paragraphs, lines])
def test_cuts_are_in_order_apart_and_leave_nothing_out(
    cut: Callable[..., Iterable[Offsets]], text: str, start: int, size: int
) -> None:
    start = min(start, len(text))
    end = min(start + size, len(text))
    spans = list(cut(text, start, end))
    edges = [start, *(edge for span in spans for edge in span), end]
    assert edges == sorted(edges)
    assert all(text[a:b].strip() for a, b in spans)
    covered = {i for a, b in spans for i in range(a, b)}
    assert all(text[i].isspace() for i in range(start, end) if i not in covered)


@pytest.mark.parametrize("part", [".", "a. ", "\n", " \n", "x", "'", "1. ", "。"])
def test_long_texts_take_linear_time(part: str) -> None:
    text = part * 200_000
    assert sum(end - start for start, end in sentences(text)) <= len(text)
    assert len(words(text)) <= len(text)
    assert sum(1 for _ in paragraphs(text, 0, len(text))) <= 1


def test_words_are_folded_and_cjk_runs_are_pairs() -> None:
    assert words("Don’t STRASSE Straße 3.5 snake_case") == ["don't", "strasse", "strasse", "3", "5", "snake_case"]
    assert words("東京都 is big") == ["東京", "京都", "is", "big"]
    assert words("カ") == ["カ"]


def test_content_words_are_stems_without_stop_words() -> None:
    assert content_words("How do I connect the speakers, and what is connecting?") == ["connect", "speaker", "connect"]
    assert stems(["user's", "käsebrote"])[0] == "user"


def test_trim_leaves_white_space_out() -> None:
    assert trim(" a b\n", 0, 5) == (1, 4)
    assert trim("a   b", 1, 4) == (4, 4)


@pytest.mark.parametrize(
    "text", ["", " \n\t", "\u00a0\u3000", "\u200b\ufeff", "\u3164\u2800", "\x00\x1b", "\u202e", "\U000e0041"]
)
def test_what_nobody_can_see_is_blank(text: str) -> None:
    assert is_blank(text)


@pytest.mark.parametrize("text", ["a", " .", "\u200b1", "中", "👋", "\ufffd"])
def test_what_can_be_seen_is_not_blank(text: str) -> None:
    assert not is_blank(text)


@given(st.text(st.characters(exclude_categories=[])))
def test_a_well_formed_text_can_be_encoded_and_keeps_its_length(text: str) -> None:
    assert well_formed(text).encode("utf-8")[:0] == b""
    assert len(well_formed(text)) == len(text)
