"""Extractive summaries: the sentences a document itself would choose. No model, linear time, any language."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rag.text import STOP_WORDS, Offsets, sentences, trim, words
from rag.types import Document

_CANDIDATES = 64
_OUTLINE_SHARE = 4
_SHORTEST = 5
_LONGEST = 60
_LEFT_OUT = frozenset({"heading", "code", "table", "row"})
_COMMENT = re.compile(
    r'"""(.{1,4000}?)"""|/\*+(.{1,4000}?)\*/|((?:^[ \t]*(?:#|//)[^\n]*\n?)+)', re.DOTALL | re.MULTILINE
)
_COMMENT_MARK = re.compile(r"^[ \t]*(?:#+!?|//+!?|\*+)[ \t]?", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Sentence:
    place: int
    text: str
    words: frozenset[str]
    length: int
    opening: float


def summarize(document: Document, budget: int) -> str:
    """What a document is about, in its own words.

    A text within the budget is its own summary. A longer one gives its outline (headings, or the symbols of code) in a
    quarter of the budget, then sentences in their original order, chosen by how much of the document's vocabulary they
    carry, by position (first in the document or in a section) and by what is not said yet.

    Args:
        document: Any document. Of code, the comments are read; headings, tables and code blocks only when there is
            nothing else.
        budget: Most characters of the summary.

    Source:
        Centroid scores after Radev et al. 2004; discounting said words after Vanderwende et al. 2007 (SumBasic).
    """
    start, end = trim(document.text, 0, len(document.text))
    if end - start <= budget:
        return " ".join(document.text[start:end].split())
    outline = _outline(document, budget // _OUTLINE_SHARE)
    room = budget - len(outline) - bool(outline)
    body = " ".join(_chosen(_candidates(document), room)) or _cut(document.text[start : start + 2 * room], room)
    return "\n".join(filter(None, (outline, body)))


def _outline(document: Document, budget: int) -> str:
    names: dict[str, None] = {}
    for segment in document.segments:
        if segment.kind == "heading":
            names[" ".join(document.text[segment.start : segment.end].split())] = None
        elif segment.symbol:
            names[segment.symbol] = None
    kept: list[str] = []
    used = 0
    for name in names:
        used += len(name) + 2
        if used > budget:
            break
        kept.append(name)
    return "; ".join(kept)


def _stretches(document: Document) -> list[Offsets]:
    """Where the sentences are: comments and docstrings of code, else all but headings, tables and code blocks."""
    if document.media_type == "code":
        found = [trim(document.text, *match.span(match.lastindex or 0)) for match in _COMMENT.finditer(document.text)]
    else:
        found = [(s.start, s.end) for s in document.segments if s.kind not in _LEFT_OUT]
    return found or [(0, len(document.text))]


def _candidates(document: Document) -> list[_Sentence]:
    found: list[_Sentence] = []
    code = document.media_type == "code"
    for first, last in _stretches(document):
        for i, (start, end) in enumerate(sentences(document.text, first, last)):
            said = words(document.text[start:end])
            known = frozenset(word for word in said if word not in STOP_WORDS and not word.isdigit())
            opening = 1.0 / (1 + i) + 1.0 / (1 + len(found))
            text = _COMMENT_MARK.sub("", document.text[start:end]) if code else document.text[start:end]
            found.append(_Sentence(len(found), text, known, len(said), opening))
    return found


def _chosen(found: Sequence[_Sentence], budget: int) -> list[str]:
    weights = _centroid(found)
    best = sorted(found, key=lambda sentence: (-_score(sentence, weights), sentence.place))[:_CANDIDATES]
    picked: list[_Sentence] = []
    used = 0
    while best:
        top = max(best, key=lambda sentence: (_score(sentence, weights), -sentence.place))
        best.remove(top)
        if _score(top, weights) <= 0 or used + len(top.text) + 1 > budget:
            continue
        used += len(top.text) + 1
        picked.append(top)
        for word in top.words:
            weights[word] *= 0.3
    return [" ".join(sentence.text.split()) for sentence in sorted(picked, key=lambda sentence: sentence.place)]


def _centroid(found: Sequence[_Sentence]) -> dict[str, float]:
    counts = Counter(word for sentence in found for word in sentence.words)
    total = len(found)
    return {word: count * math.log(1 + total / count) ** 2 for word, count in counts.items()}


def _score(sentence: _Sentence, weights: dict[str, float]) -> float:
    if not sentence.words:
        return 0.0
    carried = sum(weights[word] for word in sentence.words) / math.sqrt(len(sentence.words))
    fit = min(1.0, sentence.length / _SHORTEST) * min(1.0, _LONGEST / sentence.length)
    return carried * fit * (1 + sentence.opening)


def _cut(text: str, budget: int) -> str:
    flat = " ".join(text.split())
    if len(flat) <= budget:
        return flat
    blank = flat.rfind(" ", budget // 2, budget)
    return flat[: blank if blank > 0 else budget - 1].rstrip() + "…"
