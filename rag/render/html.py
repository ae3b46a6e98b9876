"""HTML for the app, made of fixed tags around escaped text. Nothing else may reach `st.html`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from rag.render.cited import Span, cited_spans
from rag.render.hits import position
from rag.render.text import escaped, printable, unwrapped
from rag.types import Hit

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

STYLE = Path(__file__).with_name("style.css")
"""The app's style sheet, for `st.html`."""

_MARK = re.compile(r"\[(\d{1,3})\](?!\()")
_CODE = re.compile(r"<pre>.*?</pre>|<code>.*?</code>", re.DOTALL)
_OFF = ("image", "link", "autolink", "html_block", "html_inline", "reference", "entity")


def text_html(text: str) -> str:
    """Return text exactly as it is, line breaks kept."""
    return f'<div class="rag-text">{escaped(text)}</div>'


@lru_cache(maxsize=512)
def answer_html(text: str) -> str:
    """Return a model's Markdown with paragraphs, bold, lists, tables and code, never images, links or HTML.

    Citation marks `[n]` outside code become small badges.
    """
    html = _markdown().render(printable(text))
    parts, last = [], 0
    for match in _CODE.finditer(html):
        parts += [_badges(html[last : match.start()]), match.group()]
        last = match.end()
    return f'<div class="rag-answer">{"".join(parts)}{_badges(html[last:])}</div>'


def code_html(code: str, first_line: int = 1, language: str = "") -> str:
    """Return code with the line numbers of its file, coloured when the language is known."""
    cleaned = printable(code)
    numbers = "\n".join(str(first_line + row) for row in range(cleaned.count("\n") + 1))
    return (
        f'<div class="rag-code"><pre class="rag-lines">{numbers}</pre><pre>{_coloured(cleaned, language)}</pre></div>'
    )


@lru_cache(maxsize=256)
def _coloured(code: str, language: str) -> str:
    from pygments import highlight
    from pygments.formatters.html import HtmlFormatter
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return escape(code)
    return str(highlight(code, lexer, HtmlFormatter(nowrap=True, classprefix="rag-t-")))


def source_html(hit: Hit, answer: str = "", change: str = "", why: str = "", is_open: bool = False) -> str:
    """Return one source as a card that unfolds: name, position and score on the outside, the passage inside.

    Args:
        hit: The source.
        answer: The answer, so that the sentences it cites are marked in the passage.
        change: Rank change against another list, in words.
        why: Reason for its rank, in words.
        is_open: True when the passage shows at once.
    """
    spans = cited_spans(answer, hit.rank, hit.payload.chunk.text) if answer else ()
    cited = " rag-cited" if spans or f"[{hit.rank}]" in answer else ""
    change_html = f'<span class="rag-change" data-change="{escape(change)}">{escape(change)}</span>' if change else ""
    head = (
        f'<summary><span class="rag-mark">{hit.rank}</span><span class="rag-name">{escaped(_name(hit))}</span>'
        f'<span class="rag-where">{escaped(_where(hit))}</span>{change_html}'
        f'<span class="rag-score" title="{escaped(_signals(hit.scores))}">{hit.score:.3f}</span></summary>'
    )
    opened = " open" if is_open else ""
    why_html = f'<p class="rag-why">{escaped(why)}</p>' if why else ""
    return f'<details class="rag-source{cited}"{opened}>{head}{why_html}{_passage(hit, spans)}</details>'


def sources_html(
    hits: Sequence[Hit],
    answer: str = "",
    changes: Mapping[str, str] | None = None,
    opened: int = 0,
) -> str:
    """Return a list of cards, best first.

    Args:
        hits: The sources.
        answer: The answer that cites them.
        changes: Rank change in words by hit id.
        opened: Number of cards that show their passage at once.
    """
    cards = "".join(
        source_html(hit, answer, (changes or {}).get(hit.id, ""), is_open=card < opened)
        for card, hit in enumerate(hits)
    )
    return f'<div class="rag-sources">{cards}</div>'


def table_html(headers: Sequence[str], rows: Iterable[Sequence[str]], code: Sequence[int] = ()) -> str:
    """Return a table of escaped cells; columns in `code` are set in a fixed width."""
    head = "".join(f"<th>{escaped(header)}</th>" for header in headers)
    body = "".join(
        f"<tr>{''.join(_cell(cell, column in code) for column, cell in enumerate(row))}</tr>" for row in rows
    )
    return f'<div class="rag-table"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _cell(text: str, code: bool) -> str:
    return f"<td><code>{escaped(text)}</code></td>" if code else f"<td>{escaped(text)}</td>"


def _passage(hit: Hit, spans: Sequence[Span]) -> str:
    payload, chunk = hit.payload, hit.payload.chunk
    if payload.media_type == "code":
        return code_html(chunk.text, chunk.line_start or 1, payload.language)
    parts, last = [], 0
    text = unwrapped(chunk.text)
    for start, end in spans:
        parts += [escaped(text[last:start]), f"<mark>{escaped(text[start:end])}</mark>"]
        last = end
    passage = "".join(parts) + escaped(text[last:])
    headings = f'<p class="rag-headings">{escaped(" › ".join(chunk.headings))}</p>' if chunk.headings else ""
    stored = chunk.answer or chunk.summary
    stored_html = f'<div class="rag-text rag-stored">{escaped(stored)}</div>' if stored else ""
    return f'{headings}<div class="rag-text">{passage}</div>{stored_html}'


def _name(hit: Hit) -> str:
    return f"{hit.payload.name} · {hit.payload.key}" if hit.payload.key else hit.payload.name


def _where(hit: Hit) -> str:
    title = hit.payload.title if hit.payload.key else ""
    return " · ".join(part for part in (hit.payload.chunk.symbol, position(hit), title) if part)


def _signals(scores: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.3f}" for name, value in scores.items())


def _badges(html: str) -> str:
    return _MARK.sub(r'<span class="rag-cite">\1</span>', html)


@cache
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False, "breaks": True}).disable(list(_OFF)).enable("table")
