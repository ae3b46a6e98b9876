"""How texts from outside are shown: nothing in a document, a name or an answer becomes a link, an image or HTML."""

from rag.render.cited import Span, cited_spans
from rag.render.endings import ending
from rag.render.hits import label, position
from rag.render.html import STYLE, answer_html, code_html, source_html, sources_html, table_html, text_html
from rag.render.progress import progress_line
from rag.render.replies import NAIVE_GLOSS, hits_html, mode_html, reply_html, stored_html
from rag.render.text import duration, escaped, number, plain, printable, rank_change, size, visible, when
from rag.text import shorten

__all__ = [
    "NAIVE_GLOSS",
    "STYLE",
    "Span",
    "answer_html",
    "cited_spans",
    "code_html",
    "duration",
    "ending",
    "escaped",
    "hits_html",
    "label",
    "mode_html",
    "number",
    "plain",
    "position",
    "printable",
    "progress_line",
    "rank_change",
    "reply_html",
    "shorten",
    "size",
    "source_html",
    "sources_html",
    "stored_html",
    "table_html",
    "text_html",
    "visible",
    "when",
]
