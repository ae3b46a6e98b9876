"""How texts from outside are shown: nothing in a document, a name or an answer becomes a link, an image or HTML."""

from rag.render.cited import Span, cited_spans
from rag.render.html import STYLE, answer_html, code_html, source_html, sources_html, table_html, text_html
from rag.render.replies import found_html, reply_html, stored_html
from rag.render.text import printable, duration, number, place, plain, rank_change, size, visible, when
from rag.render.views import SourceView

__all__ = [
    "STYLE",
    "SourceView",
    "Span",
    "answer_html",
    "cited_spans",
    "printable",
    "code_html",
    "duration",
    "found_html",
    "number",
    "place",
    "plain",
    "rank_change",
    "reply_html",
    "size",
    "source_html",
    "sources_html",
    "stored_html",
    "table_html",
    "text_html",
    "visible",
    "when",
]
