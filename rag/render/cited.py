"""The sentences of a passage that an answer cites."""

from __future__ import annotations

import re

from rag.text import sentences, words

Span = tuple[int, int]
"""Start and end of a sentence in a passage, in characters."""

_MARK = re.compile(r"\[(\d{1,3})\]")
_MARKS = re.compile(r"(?:\s*\[\d{1,3}\])+")
_LEAST_OVERLAP = 0.5
_MAX_CHARACTERS = 8_000


def cited_spans(answer: str, number: int, passage: str) -> tuple[Span, ...]:
    """Return, for each claim marked `[number]`, the sentence of the passage nearest to it.

    A sentence counts as near when at least half of the words of the shorter of the two are shared.

    Args:
        answer: Answer text with marks `[n]`.
        number: The mark of this passage.
        passage: The passage; only its first 8,000 characters are searched.
    """
    spans = sentences(passage[:_MAX_CHARACTERS])
    cited: set[Span] = set()
    for claim in _claims(answer, number):
        best = max(spans, key=lambda span: _overlap(claim, passage[slice(*span)]), default=None)
        if best is not None and _overlap(claim, passage[slice(*best)]) >= _LEAST_OVERLAP:
            cited.add(best)
    return tuple(sorted(cited))


def _claims(answer: str, number: int) -> list[set[str]]:
    """Return the words of each sentence that carries the mark."""
    claims = []
    for line in answer.splitlines():
        start = 0
        for match in _MARKS.finditer(line):
            text = line[start : match.start()]
            start = match.end()
            if str(number) in _MARK.findall(match.group()):
                claims.append(_words(_last_sentence(text)))
    return [claim for claim in claims if claim]


def _last_sentence(text: str) -> str:
    spans = [span for span in sentences(text) if _words(text[slice(*span)])]
    return text[slice(*spans[-1])] if spans else text


def _words(text: str) -> set[str]:
    """Return the words that can tell sentences apart: short ones of scripts with spaces cannot."""
    return {word for word in words(text) if len(word) > 2 or not word.isascii()}


def _overlap(claim: set[str], sentence: str) -> float:
    """Return the share of common words in the shorter of two texts; one word alone says nothing."""
    others = _words(sentence)
    return len(claim & others) / min(len(claim), len(others)) if len(others) > 1 else 0.0
