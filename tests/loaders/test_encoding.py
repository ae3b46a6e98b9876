from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag.loaders import load
from rag.loaders.cleaning import clean_text
from rag.loaders.encoding import decode_text, encoding_of, is_binary

TEXTS = {
    "de": "Die Größe der Bäume überrascht. Für Straße und Fuß gibt es kein Maß, aber schöne Grüße.",
    "fr": "L'été dernier, où étiez-vous ? Le garçon a mangé un gâteau à la crème brûlée.",
    "en": "He said “it’s fine” – and the café was naïve about £5.",
    "ru": "Привет, как дела? Сегодня хорошая погода, и мы пойдём гулять в парк.",
    "ja": "これは日本語のテキストです。東京は日本の首都であり、多くの人々が住んでいます。カタカナも。",
    "zh": "这是中文文本。北京是中国的首都，有很多人住在那里。今天天气很好，我们去公园散步。",
    "ko": "이것은 한국어 텍스트입니다. 서울은 대한민국의 수도이며 많은 사람들이 살고 있습니다.",
    "el": "Αυτό είναι ένα ελληνικό κείμενο. Η Αθήνα είναι η πρωτεύουσα της Ελλάδας.",
    "pl": "Zażółć gęślą jaźń. Łódź jest dużym miastem w Polsce, gdzie żyje wielu ludzi.",
    "latin": "Plain words, and nothing else.",
}
ENCODINGS = [
    *((language, codec) for language in TEXTS for codec in ("utf-8", "utf-8-sig", "utf-16", "utf-32")),
    *((language, codec) for language in TEXTS for codec in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")),
    *((language, "cp1252") for language in ("de", "fr", "en", "latin")),
    ("ja", "cp932"),
    ("ja", "euc_jp"),
    ("ja", "iso2022_jp"),
    ("zh", "gb18030"),
    ("ko", "euc_kr"),
    ("ru", "cp1251"),
    ("ru", "koi8_r"),
    ("el", "cp1253"),
    ("pl", "cp1250"),
]


@pytest.mark.parametrize(("language", "codec"), ENCODINGS)
def test_text_in_any_encoding_is_read_right(language: str, codec: str, tmp_path: Path) -> None:
    text = "\n".join([TEXTS[language]] * 5)
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode(codec))
    assert decode_text(text.encode(codec)) == text
    assert not is_binary(text.encode(codec))
    (document,) = load(path, "a.txt")
    assert document.text == text


def test_a_wide_character_across_the_end_of_the_sample_is_text(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    text = "a" * 32_767 + "\U0001f600" + " words" * 100
    path.write_bytes(text.encode("utf-16-le"))
    (document,) = load(path, "a.txt")
    assert document.text == text


def test_utf8_with_a_few_bad_bytes_stays_utf8() -> None:
    text = TEXTS["ja"] * 5
    data = text.encode()[:-1] + b"\xff" + text.encode()
    assert decode_text(data).endswith(text)


def test_bad_bytes_far_into_a_file_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "late.txt"
    path.write_bytes(b"plain words\n" * 300_000 + (TEXTS["de"] + "\n").encode("cp1252") * 40)
    assert encoding_of(path) == "cp1252"


def test_a_declared_encoding_is_believed_only_when_the_bytes_fit() -> None:
    assert decode_text(TEXTS["el"].encode("cp1253"), "cp1253") == TEXTS["el"]
    assert decode_text(TEXTS["el"].encode(), "ascii") == TEXTS["el"]
    assert decode_text(b"words", "no-such-codec") == "words"


def test_bytes_of_no_text_are_binary() -> None:
    assert is_binary(bytes(range(256)) * 20)
    assert not is_binary(b"")
    assert not is_binary(b"one\x00bad byte in a line of text")


@given(st.text(st.characters(codec=None)))
@example("\ud800\x00\ufeff\U000e0041a\u00adb\ufffe")
def test_cleaned_text_is_visible_stable_and_encodable(text: str) -> None:
    cleaned = clean_text(text)
    cleaned.encode("utf-8")
    assert clean_text(cleaned) == cleaned
    assert not set(cleaned) & set("\x00\x07\r\x0b\x0c\x7f\ufeff\u00ad\U000e0041")
    assert cleaned.count("\n") == text.replace("\r\n", "\n").replace("\r", "\n").count("\n")


def test_cleaning_keeps_what_scripts_and_emoji_need() -> None:
    for text in ("👩\u200d💻", "می\u200cخواهم", "é e\u0301", "tab\there", "a\nb"):
        assert clean_text(text) == text


@given(st.binary(max_size=3000))
def test_any_bytes_decode_to_something(data: bytes) -> None:
    decode_text(data).encode("utf-8", "replace")
