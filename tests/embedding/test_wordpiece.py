from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from rag.embedding import minilm
from rag.embedding.wordpiece import WordPiece
from tests.embedding.texts import TEXTS

ODD = " \t\n\u3000aAﬁéİß😀中ア가\u0301\u200d\ufeff\ufffd\x00\x7f\u00ad[]#'-$。"
NAMES = ["[SEP]", "[CLS]", "[MASK]", "[sep]", "##ing", "İstanbul", "x" * 101]
ANY_TEXT = st.lists(
    st.one_of(st.sampled_from([*ODD, *NAMES]), st.text(st.characters(codec="utf-8"), max_size=8)), max_size=20
).map("".join)


@cache
def ours() -> WordPiece:
    return WordPiece(minilm.VOCABULARY.checked())


@cache
def published() -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(minilm.VOCABULARY.find().with_name("tokenizer.json")))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def test_the_same_ids_and_spans_as_the_published_tokenizer() -> None:
    words = [word for text in TEXTS for word in text.split()]
    for text in [*TEXTS, *words, *map(str.upper, TEXTS)]:
        theirs = published().encode(text)
        assert [minilm.CLS, *ours().encode(text), minilm.SEP] == theirs.ids, text
        assert ours().offsets(text) == theirs.offsets[1:-1], text


@settings(max_examples=300, deadline=None)
@given(ANY_TEXT)
def test_the_same_ids_on_any_text(text: str) -> None:
    assert ours().encode(text) == published().encode(text, add_special_tokens=False).ids


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("Café RÉSUMÉ", "cafe resume"),
        ("a\x01b", "ab"),
        ("a\tb\u00a0c", "a b c"),
        ("中文", "中 文"),
        ("don't", "don ' t"),
        ("x" * 101, "y" * 200),
        ("a\ud800b", "ab"),
    ],
    ids=["accents", "control", "spaces", "chinese", "punctuation", "long words", "surrogate"],
)
def test_texts_that_are_one_to_the_model(text: str, same: str) -> None:
    assert ours().encode(text) == ours().encode(same)


@settings(deadline=None)
@given(ANY_TEXT)
def test_spans_are_ordered_within_the_text_and_one_a_piece(text: str) -> None:
    spans = ours().offsets(text)
    assert len(spans) == len(ours().encode(text))
    assert spans == sorted(spans)
    assert all(0 <= start <= end <= len(text) for start, end in spans)


def test_spans_point_into_the_original_text() -> None:
    text = "Caf\u0065\u0301 is\tUNBELIEVABLE中"
    pieces = [text[start:end] for start, end in ours().offsets(text)]
    assert "".join(pieces).replace("\u0301", "") == "CafeisUNBELIEVABLE中"
