"""How well sentences of the hits cover a question: judged by shared words, without a model."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from rag.text import STOP_WORDS, content_stems, content_words, pieces, words
from rag.types import Hit

_READ = 20_000
"""Characters of a passage that are read."""
_CONTEXT_WEIGHT = 0.35
_RANK_WEIGHT = 0.15
_HINT_WEIGHT = 0.12
_FIT_WORDS = (5, 45)
"""Sentences with fewer or more words than this count for less."""
_IDENTIFIER = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

_ACTIONS = """
press select click tap open close go choose set turn run use connect install type enter add remove move drag copy
plug insert hold check make create download sign start stop switch navigate adjust change enable disable delete
restart reset pull push put write read call pass import scroll follow ensure wait replace unplug try visit
"""
_BEFORE_ACTION = r"(?:[-*•]\s*|\d{1,2}[.)]\s*|(?:to|then|first|next|finally|if)\b[^,.]{0,80},\s*)?"
STEP = re.compile(rf"{_BEFORE_ACTION}(?:{'|'.join(_ACTIONS.split())})\b", re.IGNORECASE)
"""The beginning of a sentence that tells what to do."""
HOW_TO = re.compile(r"\bhow (?:do|can|to|should|could|would)\b|\b(?:steps?|instructions?)\b", re.IGNORECASE)
"""A question that asks for steps."""

_HOW_MUCH = r"how (?:many|much|long|old|far|often|big|large|tall|fast|soon|wide|high|heavy)"
_MEASURE = re.compile(rf"\b(?:{_HOW_MUCH})\b", re.IGNORECASE)


def _hint(question: str, answer: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    return re.compile(rf"\b(?:{question})\b", re.IGNORECASE), re.compile(answer, re.IGNORECASE)


_HINTS = (
    (HOW_TO, STEP),
    _hint(
        rf"{_HOW_MUCH}|when|what (?:year|date|time)",
        r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|hundred|daily|weekly|once|twice)\b",
    ),
    _hint("why", r"\b(?:because|since|due to|so that|in order to|reason|caused?|therefore)\b"),
    _hint("what (?:is|are|does)|mean|means|meaning", r"\b(?:is|are|means?|refers? to|allows?|lets?|enables?)\b"),
)
"""Kinds of question, and what a sentence holds that answers one."""
_POLITE_WORDS = """
explain describe provide show find list steps instructions information details help possible meaning mean dont
doesnt cant isnt wont whats hows im ive understand wondering question thanks hi hello happen happens
"""
_EMPTY_WORDS = STOP_WORDS | frozenset(_POLITE_WORDS.split())


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a hit, or a line of its code.

    Attributes:
        position: Position among the sentences of its hit, from 0.
        words: Stems of its content words.
        is_statement: True when the text is a sentence, not a heading, a command or a cell of a table.
        score: How well it answers; comparable within one question.
    """

    hit: Hit
    position: int
    text: str
    words: frozenset[str]
    is_statement: bool
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """How the hits bear on a question.

    Attributes:
        weights: Weight of each content word of the question; they add up to 1.
        coverage: Weight of the question's words that each hit has, by rank.
        sentences: All sentences of the hits, by rank and position.
    """

    weights: Mapping[str, float]
    coverage: Mapping[int, float]
    sentences: tuple[Sentence, ...]

    @property
    def best(self) -> float:
        """Coverage of the hit that covers most; 0.0 without hits or without content words."""
        return max(self.coverage.values(), default=0.0)


def gather_evidence(question: str, hits: Sequence[Hit]) -> Evidence:
    """Score every sentence of the hits.

    A word weighs more the fewer sentences have it; a word that none has weighs most, so that subjects the sources do
    not speak of count against them. A sentence scores by the words it has, less by those its passage, headings and
    title have, by the rank of its hit, and by the kind of sentence that the kind of question asks for.
    """
    subject = _MEASURE.sub(" ", question)  # "long" in "how long" says which kind of answer is expected
    abouts = _about(hits)
    texts = [hit.payload.chunk.text[:_READ] for hit in hits]
    by_line = [hit.payload.media_type == "code" for hit in hits]
    # Text is analysed in two long strides: all passages, then all their sentences.
    terms = set(content_words(subject, _EMPTY_WORDS)) or set(content_words(question))
    split = list(map(pieces, texts, by_line))
    around = list(map(content_words, abouts))
    held = {hit.rank: set(stemmed) for hit, stemmed in zip(hits, around, strict=True)}
    sentences = _sentences(hits, split)
    weights = _weights(terms, sentences)
    for sentence in sentences:
        held[sentence.hit.rank] |= sentence.words
    coverage = {rank: sum([weights[term] for term in sorted(terms & owned)]) for rank, owned in held.items()}
    hints = [answer for kind, answer in _HINTS if kind.search(question)]
    return Evidence(weights, coverage, tuple([_scored(sentence, weights, coverage, hints) for sentence in sentences]))


def _sentences(hits: Sequence[Hit], split: Sequence[Sequence[str]]) -> list[Sentence]:
    """Sentences of all hits; one that repeats a heading of its passage is left out."""
    rows = [
        (hit, position, text)
        for hit, texts in zip(hits, split, strict=True)
        for position, text in enumerate([t for t in texts if t.strip("# ") not in hit.payload.chunk.headings])
    ]
    spoken = list(map(words, [text for _, _, text in rows]))
    stemmed = list(map(content_stems, spoken))
    return [
        Sentence(
            hit=hit,
            position=position,
            text=text,
            words=frozenset(content),
            is_statement=bool(STEP.match(text) or STOP_WORDS.intersection(folded)),
        )
        for (hit, position, text), folded, content in zip(rows, spoken, stemmed, strict=True)
    ]


def _weights(terms: Iterable[str], sentences: Sequence[Sentence]) -> dict[str, float]:
    counts = Counter(word for sentence in sentences for word in sentence.words)
    raw = {term: math.log(1 + (len(sentences) + 1) / (counts[term] + 1)) for term in sorted(terms)}
    total = sum(raw.values())
    return {term: weight / total for term, weight in raw.items()}


def _scored(
    sentence: Sentence, weights: Mapping[str, float], coverage: Mapping[int, float], hints: Sequence[re.Pattern[str]]
) -> Sentence:
    own = sum(weight for word, weight in weights.items() if word in sentence.words)
    size = len(sentence.text.split())
    fit = min(1.0, size / _FIT_WORDS[0]) * min(1.0, _FIT_WORDS[1] / max(size, 1))
    rank = sentence.hit.rank
    hinted = _HINT_WEIGHT * any(hint.search(sentence.text) for hint in hints)
    score = (own + hinted) * fit + _CONTEXT_WEIGHT * coverage[rank] + _RANK_WEIGHT / rank
    return replace(sentence, score=score)


def _about(hits: Sequence[Hit]) -> list[str]:
    """The words around each passage; identifiers of code are split, because people ask in words."""
    texts = []
    for hit in hits:
        chunk = hit.payload.chunk
        about = [hit.payload.title, *chunk.headings, chunk.answer[:_READ], chunk.summary]
        if hit.payload.media_type == "code":
            code = (hit.payload.name, chunk.symbol, chunk.text[:_READ])
            about += [" ".join(_IDENTIFIER.findall(text)) for text in code]
        texts.append("\n".join(about))
    return texts
