import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.loaders import safe_name
from rag.loaders.names import MAX_NAME

ANY = st.text(st.characters(codec=None), max_size=400) | st.lists(
    st.sampled_from(["..", ".", "/", "\\", "C:", "a", "\u202e", "\x00", " ", "x.pdf", "~", "\ud800"])
).map("".join)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("guides/setup.md", "guides/setup.md"),
        ("../../x.pdf", "x.pdf"),
        ("/etc/passwd", "etc/passwd"),
        ("C:\\Users\\me\\report.docx", "Users/me/report.docx"),
        ("a/./b//c.txt", "a/b/c.txt"),
        ("invoice\u202efdp.exe", "invoice fdp.exe"),
        ("a\x00b\nc.txt", "a b c.txt"),
        ("  spaced   name .txt ", "spaced name .txt"),
        ("Größe\u0301 日本語.pdf", unicodedata.normalize("NFC", "Größe\u0301 日本語.pdf")),
        ("<img src=x onerror=alert(1)>.md", "<img src=x onerror=alert(1)>.md"),
        ("empty#hash.pdf", "empty#hash.pdf"),
        ("", "unnamed"),
        ("../..", "unnamed"),
        ("\u200b\ufeff", "unnamed"),
    ],
)
def test_keeps_what_people_read_and_drops_what_acts(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_a_long_name_is_cut_keeps_its_extension_and_stays_distinct() -> None:
    first, second = safe_name("a" * 3000 + "1.pdf"), safe_name("a" * 3000 + "2.pdf")
    assert len(first) == MAX_NAME
    assert first.endswith(".pdf")
    assert first != second


@given(ANY)
def test_every_name_is_relative_visible_short_and_stable(name: str) -> None:
    safe = safe_name(name)
    assert 1 <= len(safe) <= MAX_NAME
    assert not safe.startswith(("/", " "))
    assert ".." not in safe.split("/")
    assert "\\" not in safe
    assert not any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co"} for char in safe)
    safe.encode("utf-8")
    assert safe_name(safe) == safe
