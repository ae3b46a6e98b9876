import contextlib
from pathlib import Path
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag.errors import UndecodableFileError, UnreadableFileError, UnsupportedFileError
from rag.loaders import load
from rag.loaders.charsets import Encoding
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
    ("pl", "iso8859_2"),
    *(("ru", codec) for codec in ("iso8859_5", "cp866", "mac_cyrillic")),
    *(("de", codec) for codec in ("cp437", "cp850", "mac_roman", "iso8859_15")),
    *(("fr", codec) for codec in ("mac_roman", "iso8859_15")),
    ("el", "iso8859_7"),
    ("zh", "gbk"),
    ("zh", "hz"),
    ("de", "cp037"),
    ("latin", "cp500"),
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
    assert encoding_of(path) == Encoding("cp1252")


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
def test_any_bytes_decode_to_something_or_are_refused(data: bytes) -> None:
    try:
        decode_text(data).encode("utf-8", "replace")
    except UndecodableFileError as error:
        assert "UTF-8" in str(error)


SHORT = ["Größe", "L'été à Orléans", "Привет, мир", "Łódź", "España", "naïve", "20 °C", "5 m³", "日本", "Ωμέγα", "it’s"]
LEGACY = (
    *(f"cp{page}" for page in (437, 850, 852, 866, 932, 949, 950, *range(1250, 1257))),
    *(f"iso8859_{part}" for part in (1, 2, 5, 7, 9, 15)), "koi8_r", "mac_roman", "mac_cyrillic", "gb18030", "euc_jp",
)  # fmt: skip


@pytest.mark.parametrize("text", SHORT)
@pytest.mark.parametrize("codec", LEGACY)
def test_a_short_text_is_read_right_or_refused(text: str, codec: str) -> None:
    try:
        data = text.encode(codec)
    except UnicodeEncodeError:
        return
    with contextlib.suppress(UndecodableFileError):
        assert decode_text(data) == text


def test_a_refusal_names_what_it_wavers_between_and_the_remedy() -> None:
    with pytest.raises(UndecodableFileError, match=r"cannot be told: it reads as .* and as .*Save it as UTF-8"):
        decode_text("na\xefve".encode("cp1252"))


@pytest.mark.parametrize("first", [True, False])
def test_utf8_and_latin1_in_one_file_are_both_read(first: bool, tmp_path: Path) -> None:
    lines = [f"{TEXTS['de']}\n".encode("latin-1"), f"{TEXTS['ja']} {TEXTS['de']}\n".encode() * 5]
    path = tmp_path / "a.txt"
    path.write_bytes(b"".join(lines if first else lines[::-1]))
    (document,) = load(path, "a.txt")
    assert document.text.count("Größe der Bäume") == 6
    assert "日本語" in document.text
    assert "\ufffd" not in document.text


def test_mixed_encodings_that_cannot_be_told_apart_are_refused() -> None:
    with pytest.raises(UndecodableFileError):
        decode_text((TEXTS["ru"] * 3).encode("koi8_r") + b"\n" + (TEXTS["ja"] * 3).encode("cp932"))


def test_ascii_with_control_bytes_is_ascii_and_never_chinese(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    for control in (b"\x00", b"\x01", b"\x00\x00", b"\x1b[31m", b"\x02\x03"):
        path.write_bytes((b"Plain words that a terminal wrote, " + control + b" with a control byte inside.\n") * 9)
        (document,) = load(path, "a.txt")
        assert document.text.count("Plain words that a terminal wrote") == 9
        assert document.text.isascii()


def test_every_second_byte_may_be_a_control_and_is_no_utf16(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"".join(bytes([byte, 1 + byte % 6]) for byte in b"Plain words, spoilt by a terminal. " * 20))
    with pytest.raises(UnsupportedFileError):
        list(load(path, "a.txt"))


def test_surrogates_that_were_encoded_one_by_one_are_joined() -> None:
    pair = "\ud83d\ude00".encode("utf-8", "surrogatepass")
    assert decode_text("schöne Grüße ".encode() + pair) == "schöne Grüße \U0001f600"
    assert decode_text("schöne Grüße ".encode() + pair[:3]) == "schöne Grüße \ufffd"


def test_nul_surrogates_bidi_and_emoji_survive_or_are_dropped_visibly(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a\\u0000b \\ud800 א\u202e 👩\u200d💻"}\n', encoding="utf-8")
    (document,) = load(path, "a.jsonl")
    assert document.text == "text: ab \ufffd א\u202e 👩\u200d💻"


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.csv", "a.html", "a.py", "a.json", "a.xml"])
def test_every_text_format_reads_other_encodings_right_or_refuses(name: str, tmp_path: Path) -> None:
    sentence = TEXTS["ru"].replace(",", " ")
    templates = {"a.csv": "id;words\n1;%s\n2;%s\n", "a.html": "<p>%s</p><p>%s</p>", "a.json": '["%s", "%s"]'}
    templates |= {"a.py": "# %s\nx = 1  # %s\n", "a.xml": "<r><a>%s</a><a>%s</a></r>"}
    path = tmp_path / name
    for codec in ("cp1251", "koi8_r", "cp866", "iso8859_5", "utf-16", "utf-8"):
        path.write_bytes((templates.get(name, "%s\n\n%s\n") % (sentence, sentence)).encode(codec))
        assert all("Сегодня хорошая погода" in document.text for document in load(path, name))


@pytest.mark.parametrize("label", ["windows-1252", "utf-8", "unicode_escape", "no-such", "koi8-r"])
def test_a_declared_charset_that_is_wrong_makes_no_gibberish(label: str, tmp_path: Path) -> None:
    head = {"a.html": '<meta charset="%s">%s', "a.xml": '<?xml version="1.0" encoding="%s"?><r>%s</r>'}
    for name, template in head.items():
        path = tmp_path / name
        path.write_bytes((template % (label, TEXTS["ru"])).encode("cp1251"))
        try:
            (document,) = load(path, name)
        except UnreadableFileError:
            continue
        assert document.text == TEXTS["ru"]


@pytest.mark.parametrize("seed", range(20))
def test_letters_that_were_swapped_are_no_encoding(seed: int) -> None:
    """An encoding nobody knows: the bytes of letters beyond ASCII, each in place of another."""
    letters = list(range(0xC0, 0x100))
    Random(seed).shuffle(letters)
    table = bytes([*range(0xC0), *letters])
    with pytest.raises(UndecodableFileError):
        decode_text((TEXTS["ru"] * 3).encode("cp1251").translate(table))
