"""Extractive summaries: the sentences a document itself would choose. No model, linear time, any language."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rag.text import STOP_WORDS, Offsets, sentences, shorten, trim, words
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
    position: int
    text: str
    words: frozenset[str]
    length: int
    opening: float


def summarize(document: Document, budget: int) -> str:
    """Summarise a document in its own words.

    A text within the budget is its own summary. A longer one gives its outline (headings, or the symbols of code) in a
    quarter of the budget, then sentences in their original order, chosen by how much of the document's vocabulary they
    carry, by position (first in the document or in a section) and by how much of that is new.

    Args:
        document: Any document. Of code, the comments are read; headings, tables and code blocks only when there is
            nothing else.
        budget: Most characters of the summary.

    Returns:
        The summary; never blank for a text that is not.

    Source:
        Centroid scores after Radev et al. 2004; discounting used words after Vanderwende et al. 2007 (SumBasic).
    """
    start, end = trim(document.text, 0, len(document.text))
    if end - start <= budget:
        return " ".join(document.text[start:end].split())
    outline = _outline(document, budget // _OUTLINE_SHARE)
    room = budget - len(outline) - bool(outline)
    lead = " ".join(document.text[start : start + 2 * room].split())
    body = " ".join(_chosen(_candidates(document), room)) or shorten(lead, room)
    return "\n".join(filter(None, (outline, body)))


def _outline(document: Document, budget: int) -> str:
    """List the headings, or the symbols of code, as far as the budget reaches."""
    names: dict[str, None] = {}
    for segment in document.segments:
        if segment.kind == "heading":
            names[" ".join(document.text[segment.start : segment.end].split())] = None
        elif segment.symbol:
            names[segment.symbol] = None
    listed: list[str] = []
    used = 0
    for name in names:
        used += len(name) + 2
        if used > budget:
            break
        listed.append(name)
    return "; ".join(listed)


def _stretches(document: Document) -> list[Offsets]:
    """Return where sentences are: comments and docstrings of code, else all but headings, tables and code blocks."""
    if document.media_type == "code":
        stretches = [
            trim(document.text, *match.span(match.lastindex or 0)) for match in _COMMENT.finditer(document.text)
        ]
    else:
        stretches = [(s.start, s.end) for s in document.segments if s.kind not in _LEFT_OUT]
    return stretches or [(0, len(document.text))]


def _candidates(document: Document) -> list[_Sentence]:
    candidates: list[_Sentence] = []
    code = document.media_type == "code"
    for first, last in _stretches(document):
        for i, (start, end) in enumerate(sentences(document.text, first, last)):
            every = words(document.text[start:end])
            content = frozenset(word for word in every if word not in STOP_WORDS and not word.isdigit())
            opening = 1.0 / (1 + i) + 1.0 / (1 + len(candidates))
            text = _COMMENT_MARK.sub("", document.text[start:end]) if code else document.text[start:end]
            candidates.append(_Sentence(len(candidates), text, content, len(every), opening))
    return candidates


def _chosen(candidates: Sequence[_Sentence], budget: int) -> list[str]:
    """Pick sentences greedily, in the order of the document at the end."""
    weights = _centroid(candidates)
    # Only the best ones compete, or a long document would take quadratic time.
    best = sorted(candidates, key=lambda sentence: (-_score(sentence, weights), sentence.position))[:_CANDIDATES]
    picked: list[_Sentence] = []
    used = 0
    while best:
        top = max(best, key=lambda sentence: (_score(sentence, weights), -sentence.position))
        best.remove(top)
        if _score(top, weights) <= 0 or used + len(top.text) + 1 > budget:
            continue
        used += len(top.text) + 1
        picked.append(top)
        for word in top.words:
            weights[word] *= 0.3  # a word in the summary already makes further sentences with it worth less
    return [" ".join(sentence.text.split()) for sentence in sorted(picked, key=lambda sentence: sentence.position)]


def _centroid(candidates: Sequence[_Sentence]) -> dict[str, float]:
    """Weigh each word by its frequency in the document, damped for words that are in most sentences."""
    counts = Counter(word for sentence in candidates for word in sentence.words)
    total = len(candidates)
    return {word: count * math.log(1 + total / count) ** 2 for word, count in counts.items()}


def _score(sentence: _Sentence, weights: dict[str, float]) -> float:
    """Return how central a sentence is; too short and too long ones count for less, opening ones for more."""
    if not sentence.words:
        return 0.0
    carried = sum(weights[word] for word in sentence.words) / math.sqrt(len(sentence.words))
    fit = min(1.0, sentence.length / _SHORTEST) * min(1.0, _LONGEST / sentence.length)
    return carried * fit * (1 + sentence.opening)
