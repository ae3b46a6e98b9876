import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.catalog import StoredTurn
from rag.render import (
    answer_html,
    code_html,
    hits_html,
    label,
    position,
    reply_html,
    source_html,
    stored_html,
    table_html,
    text_html,
)
from rag.retrieval.request import Comparison, Retrieved
from rag.serialise import hit_to_dict
from rag.types import Answer, Chunk, Mode, Strategy
from tests.build import hit

ALLOWED = {"div", "span", "p", "br", "strong", "em", "code", "pre", "ul", "ol", "li", "blockquote", "hr", "mark", "b"}
ALLOWED |= {"h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td", "details", "summary"}
ATTRIBUTES = {"class", "title", "open", "data-change", "start", "style"}
HOSTILE = """![a](https://evil.example/a.png) <img src=x onerror=alert(1)> <script>alert(1)</script>
[link](https://evil.example) <https://evil.example> https://evil.example [ref]
<style>@import url(https://evil.example/x.css)</style> <a href="javascript:alert(1)">x</a> &lt;img src=x&gt;

[ref]: https://evil.example "t"
```<img src=x>
<b>code</b>
```
| a | b |
|:-:|---|
| ![x](https://evil.example/b.png) | <iframe src=//evil.example> |
"""


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.styles = set(), set(), set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self.styles.update(value for name, value in attrs if name == "style")


def harmless(html):
    parser = Tags()
    parser.feed(html)
    parser.close()
    assert parser.tags <= ALLOWED
    assert parser.attributes <= ATTRIBUTES
    assert all(re.fullmatch(r"text-align:(left|right|center)", style) for style in parser.styles)
    return html


@pytest.mark.parametrize("render", [answer_html, text_html, code_html])
def test_hostile_text_becomes_no_foreign_tag(render):
    html = harmless(render(HOSTILE))
    assert "evil.example" in html  # it is shown, not hidden


@given(st.text(alphabet="<>&\"'=/!-[](){}`*_#|:~ \nabimgsrc", max_size=200))
def test_no_markdown_makes_a_foreign_tag(text):
    harmless(answer_html(text))


@given(st.text(max_size=80), st.text(max_size=80))
def test_no_source_makes_a_foreign_tag(name, text):
    fields = {
        "title": text,
        "key": name,
        "headings": (name, text),
        "symbol": name,
        "answer": text,
    }
    source = replace(hit(name, 1, text, **fields), scores={name: 1.0})
    harmless(source_html(source, answer=f"{text} [1]", change=name, why=text))
    harmless(source_html(hit(name, 1, text, media_type="code", language=name, **fields)))
    harmless(table_html([name], [[text]], code=(0,)))


def test_a_model_may_use_bold_lists_and_code():
    html = answer_html("**Two** years:\n\n- one\n- two\n\n```python\nx = [1]\n```")
    assert "<strong>Two</strong>" in html
    assert html.count("<li>") == 2
    assert "x = [1]" in html


def test_citation_marks_are_badges_but_not_in_code():
    html = answer_html("Two years [1][12]. `list[1]`")
    assert html.count('class="rag-cite"') == 2
    assert "list[1]" in html


def test_code_keeps_the_line_numbers_of_its_file():
    html = code_html("def f():\n    return 1", first_line=41)
    assert "41\n42" in html


def test_a_source_shows_name_place_score_and_the_cited_sentence():
    text = "Cats sleep a lot. The warranty lasts two years. Dogs bark."
    html = source_html(hit("a.md", 2, text, page_start=3, page_end=3), answer="The warranty lasts two years [2].")
    assert "<mark>The warranty lasts two years.</mark>" in html
    assert "page 3" in html
    assert "0.500" in html
    assert "rag-cited" in html


def test_a_source_that_is_not_cited_marks_nothing():
    html = source_html(hit("a.md", 1, "The warranty lasts two years."), answer="The warranty lasts two years [2].")
    assert "<mark>" not in html
    assert "rag-cited" not in html


def test_code_sources_are_open_with_their_lines():
    chunk = Chunk(0, 0, 9, "def f(): 1", ("",), line_start=7, line_end=7, symbol="f")
    hits = (hit("a.py", 1, chunk=chunk, media_type="code", language="python"),)
    html = hits_html(Retrieved("q", "code", Mode.TASK_AWARE, Strategy.DENSE, hits))
    assert "<details" in html
    assert " open" in html
    assert "line 7" in html


def test_rank_changes_name_what_is_new_and_what_is_lost():
    aware = Retrieved("q", "qa", Mode.TASK_AWARE, Strategy.DENSE, (hit("a", 1), hit("b", 2)))
    naive = Retrieved("q", "qa", Mode.NAIVE, Strategy.DENSE, (hit("b", 1), hit("c", 2)))
    both = Comparison(aware, naive)
    assert re.findall(r'data-change="([^"]*)"', hits_html(aware, both=both)) == ["new", "↓1"]
    assert re.findall(r'data-change="([^"]*)"', hits_html(naive, both=both)) == ["lost"]


def test_a_failed_answer_shows_the_message_and_what_was_said():
    html = harmless(reply_html(Answer("Two ", error="The endpoint <b>is gone</b>."), {}))
    assert "Two" in html
    assert "rag-error" in html
    assert "&lt;b&gt;" in html


@pytest.mark.parametrize("finish", ["length", "content_filter", "tool_calls", "function_call", "refusal", "<b>odd</b>"])
def test_an_answer_that_is_not_whole_says_so(finish):
    for html in (
        reply_html(Answer("Two ", finish_reason=finish), {}),
        stored_html(StoredTurn("assistant", "Two ", {"finish_reason": finish}))[0],
    ):
        assert 'class="rag-error"' in harmless(html)
        assert re.search("ncomplete|refused", html)
    assert "rag-error" not in reply_html(Answer("Two years."), {})


def test_a_stored_answer_says_that_it_was_stopped():
    sources = [hit_to_dict(hit("a.md", 1, "The warranty lasts two years."))]
    whole = StoredTurn("assistant", "Two years [1].", {"sources": sources, "finish_reason": "stop"})
    stopped = StoredTurn("assistant", "Two", {"sources": sources})
    assert "Stopped" not in stored_html(whole)[0]
    assert "Stopped" in stored_html(stopped)[0]
    assert "a.md" in stored_html(whole)[1]


@pytest.mark.parametrize(
    ("chunk", "words"),
    [
        ({"page_start": 3, "page_end": 3}, "page 3"),
        ({"page_start": 3, "page_end": 4, "line_start": 1, "line_end": 2}, "pages 3-4"),
        ({"line_start": 10, "line_end": 20}, "lines 10-20"),
        ({"line_start": 10}, "line 10"),
        ({}, ""),
    ],
)
def test_the_position_of_a_passage_in_words(chunk, words):
    assert position(hit("a", 1, **chunk)) == words


def test_a_label_names_file_key_and_position():
    assert label(hit("a.csv", 1, key="row 4", line_start=5)) == "a.csv, row 4, line 5"
    assert label(hit("a.md", 1)) == "a.md"
