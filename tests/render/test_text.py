from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.render import duration, number, plain, printable, rank_change, size, visible, when

HOSTILE = [
    "![x](https://evil.example/a.png)",
    "<img src=https://evil.example/a.png>",
    "[click](javascript:alert(1))",
    "https://evil.example/path and www.evil.example and me@evil.example",
    ":red[danger] :material/delete: :smile: $x^2$",
    "**bold** _it_ `code` # head",
    "name\u202egnp.exe",
    "a\x1b[31mred\x1b[0m\x00\x07",
]


@given(st.text())
def test_clean_leaves_no_control_or_direction_characters(text):
    cleaned = printable(text)
    assert not any(ord(c) < 32 and c not in "\n\t" for c in cleaned)
    assert not set(cleaned) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\x7f\x9b")
    assert printable(cleaned) == cleaned


def test_clean_keeps_ordinary_text():
    text = "Grüße, 世界! 👋\n\tindented"
    assert printable(text) == text


@pytest.mark.parametrize("text", HOSTILE)
def test_plain_leaves_nothing_for_markdown_to_find(text):
    from markdown_it import MarkdownIt

    html = MarkdownIt("gfm-like", {"linkify": False}).render(plain(text))
    assert "<a" not in html
    assert "<img" not in html
    assert "<strong" not in html
    assert "<code" not in html


@pytest.mark.parametrize("text", HOSTILE)
def test_plain_breaks_addresses_and_shortcodes_that_are_found_after_unescaping(text):
    shown = plain(text).replace("\\", "")
    assert "://" not in shown
    assert "www." not in shown
    assert ":material" not in shown
    assert ":smile:" not in shown


@given(st.text(alphabet="ab *_[]()<>!`#:/.@-\\", max_size=60))
def test_plain_shows_every_character(text):
    from markdown_it import MarkdownIt

    inner = MarkdownIt("commonmark").renderInline(plain(text))
    import html

    assert html.unescape(inner).replace("\u2060", "") == " ".join(text.split())


def test_plain_is_one_line_and_not_endless():
    assert plain("a\nb") == "a b"
    assert len(plain("a" * 3000, limit=50)) == 50


def test_visible_shows_line_breaks_and_emptiness():
    assert visible("Instruct: x\nQuery: ") == '"Instruct: x\\nQuery: "'
    assert visible("") == "(none)"


def test_rank_changes_in_words():
    assert [rank_change(ranks) for ranks in (None, 0, 2, -1)] == ["new", "=", "↑2", "↓1"]


def test_sizes_and_times():
    assert (size(812), size(1_400_000)) == ("812 bytes", "1.4 MB")
    assert (number(1, "file"), number(2000, "file")) == ("1 file", "2,000 files")
    assert (duration(None), duration(8), duration(125), duration(3720)) == ("", "8 s", "2 min 5 s", "1 h 2 min")
    moment = datetime(2026, 11, 23, 8, 40, tzinfo=UTC)
    assert when(moment.timestamp()) == when(moment) == when(moment.isoformat())
