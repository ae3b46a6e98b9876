from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qdrant_client.local.payload_filters import unindexed_text_tokens

from rag.errors import UnknownNameError
from rag.retrieval.analyser import analyse, question_terms, terms_of
from tests.build import payload


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("How do I connect the speakers?", ["connect", "speaker"]),
        ("Connected, connecting; CONNECTS", ["connect"] * 3),
        ("Café ÉCOLE ﬁne Ｆｕｌｌ", ["cafe", "ecol", "fine", "full"]),
        ("don't stop", ["stop"]),
        ("HDMI2.1 at 120Hz", ["hdmi2", "1", "120hz"]),
        ("snake_case", ["snake", "case"]),
        ("дом и сад", ["дом", "и", "сад"]),
        ("東京都 2024", ["東京", "京都", "2024"]),
        ("水", ["水"]),
        ("iPhone手机壳", ["iphon", "手机", "机壳"]),
        ("Straße", ["strass"]),
        ("", []),
        ("?! — …", []),
    ],
)
def test_prose(text: str, terms: list[str]) -> None:
    assert analyse(text, "prose") == terms


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("parseHTTPHeader", ["pars", "http", "header", "parsehttphead"]),
        ("load_file", ["load", "file", "loadfil"]),
        ("MAX_RETRIES = 3", ["max", "retri", "maxretri", "3"]),
        ("utf8Decode", ["utf", "8", "decod", "utf8decod"]),
        ("x", ["x"]),
        ("größeÄndern", ["gross", "andern", "grosseandern"]),
    ],
)
def test_code(text: str, terms: list[str]) -> None:
    assert analyse(text, "code") == terms


def test_an_identifier_is_found_however_it_is_written() -> None:
    assert set(analyse("parseHttpHeader", "code")) == set(analyse("parse_http_header", "code"))


def test_an_unknown_analyser_names_the_near_one() -> None:
    with pytest.raises(UnknownNameError, match="prose"):
        analyse("x", "pros")


@given(st.text(), st.sampled_from(["prose", "code"]))
def test_terms_survive_the_engines_word_tokenizer(text: str, analyser: str) -> None:
    terms = analyse(text, analyser)
    assert unindexed_text_tokens(" ".join(terms)) == terms


@given(st.text(), st.text(), st.sampled_from(["prose", "code"]))
def test_a_text_is_the_sum_of_its_lines(first: str, second: str, analyser: str) -> None:
    assert analyse(f"{first}\n{second}", analyser) == analyse(first, analyser) + analyse(second, analyser)


def test_bm25_reads_title_headings_symbol_text_and_summary_but_no_answer() -> None:
    passage = payload("text", title="title", headings=("h1", "h2"), symbol="symbol", summary="summary", answer="answer")
    assert terms_of(passage, "prose") == ["titl", "h1", "h2", "symbol", "text", "summari"]


def test_repeats_are_searched_for_in_prose_and_left_out_in_code() -> None:
    terms = ["red", "lamp", "red"]
    assert question_terms(terms, "prose") == ("red", "lamp", "red")
    assert question_terms(terms, "code") == ("red", "lamp")


@pytest.mark.parametrize(
    ("spoken", "text", "terms"),
    [
        ("de", "Wie kündige ich die Verträge?", analyse("kündigen Vertrag", "prose", "de")),
        ("es", "¿Cómo cambio las facturas?", analyse("cambios factura", "prose", "es")),
        ("es", "información informacion informaciones", ["inform"] * 3),
        ("de", "kündigen kuendigen", ["kundig"] * 2),
        ("en", "the contracts", ["contract"]),
        ("", "the contracts", ["contract"]),
        ("xx", "the contracts", ["contract"]),
    ],
)
def test_prose_is_stemmed_by_its_language(spoken: str, text: str, terms: list[str]) -> None:
    assert analyse(text, "prose", spoken) == terms
    assert terms_of(payload(text, spoken=spoken), "prose") == terms


def test_code_is_read_as_english_whatever_its_comments_say() -> None:
    assert analyse("load_files", "code", "de") == analyse("load_files", "code")
