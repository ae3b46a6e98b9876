"""The language of a text, when it is clear."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.language import language_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("What does the code E07 on the display mean?", "en"),
        ("card not working", "en"),
        ("Wie viele Urlaubstage habe ich?", "de"),
        ("¿Cuántos días de vacaciones tengo al año?", "es"),
        ("Combien de jours de congé ai-je ?", "fr"),
        ("OK-4400 12 230", ""),
        ("", ""),
        ("vpn", ""),
        ("def f(x): return x + 1", ""),
    ],
)
def test_clear_texts_are_told_and_others_are_left_open(text, language):
    assert language_of(text) == language


def test_a_long_text_is_not_told_by_a_word_of_another_language():
    german = "Die Anlage meldet »the bus is silent«, sobald der Fühlerbus länger als dreißig Sekunden schweigt. " * 3
    assert language_of(german) == "de"


@given(st.text(max_size=200))
def test_any_text_has_a_code_or_none(text):
    assert language_of(text) == "" or len(language_of(text)) == 2
