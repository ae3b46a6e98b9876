"""How well sentences of the hits cover a question: the extractive answerer's judgement, without a model."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rag.text import STOP_WORDS, content_words, lines, sentences, stems, words
from rag.types import Hit

_LONGEST_SENTENCE = 400
_READ = 20_000
_CONTEXT = 0.35
_RANK = 0.15
_HINT = 0.12
_FIT_WORDS = (5, 45)
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

LEANS = re.compile(
    r"(?:(?:but|and|so|then|however|also|therefore|thus|we call|you can|i call),?\s+)?"
    r"(?:this|that|these|those|it|its|they|their|them|he|she|such)\b|(?:but|so|however|otherwise|instead|therefore|thus)\b",
    re.IGNORECASE,
)
"""The beginning of a sentence that cannot be understood without the one before."""

_HOW_MUCH = r"how (?:many|much|long|old|far|often|big|large|tall|fast|soon|wide|high|heavy)"
_MEASURE = re.compile(rf"\b(?:{_HOW_MUCH})\b", re.IGNORECASE)


def _hint(kind: str, wanted: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    return re.compile(rf"\b(?:{kind})\b", re.IGNORECASE), re.compile(wanted, re.IGNORECASE)


_HINTS = (
    (HOW_TO, STEP),
    _hint(
        rf"{_HOW_MUCH}|when|what (?:year|date|time)",
        r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|hundred|daily|weekly|once|twice)\b",
    ),
    _hint("why", r"\b(?:because|since|due to|so that|in order to|reason|caused?|therefore)\b"),
    _hint("what (?:is|are|does)|mean|means|meaning", r"\b(?:is|are|means?|refers? to|allows?|lets?|enables?)\b"),
)
_FRAME = """
explain describe provide show find list steps instructions information details help possible meaning mean dont
doesnt cant isnt wont whats hows im ive understand wondering question thanks hi hello happen happens
"""
_SAYS_LITTLE = STOP_WORDS | frozenset(_FRAME.split())


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a hit, or a line of its code.

    Attributes:
        place: Position among the sentences of its hit.
        words: Stems of its content words.
        score: How well it answers; comparable within one question.
    """

    hit: Hit
    place: int
    text: str
    words: frozenset[str]
    score: float = 0.0

    @property
    def says(self) -> bool:
        """Whether it says something; a command or a cell of a table only names it."""
        return bool(STEP.match(self.text) or STOP_WORDS.intersection(words(self.text)))


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the hits have to say to a question.

    Attributes:
        weights: Weight of each content word of the question; they add up to 1.
        coverage: Weight of the question's words that each hit has, by rank.
        sentences: All sentences of the hits, by rank and place.
    """

    weights: Mapping[str, float]
    coverage: Mapping[int, float]
    sentences: tuple[Sentence, ...]

    @property
    def best(self) -> float:
        """Coverage of the hit that covers most; 0.0 without hits or without content words."""
        return max(self.coverage.values(), default=0.0)


def gather(question: str, hits: Sequence[Hit]) -> Evidence:
    """Score every sentence of the hits.

    A word weighs more the fewer sentences have it; a word that none has weighs most, so that what the sources do not
    speak of counts against them. A sentence scores by the words it has, less by those its passage, headings and title
    have, by the rank of its hit, and by the kind of sentence that the kind of question wants.
    """
    asked = _asked(question)
    found = [sentence for hit in hits for sentence in _sentences(hit)]
    weights = _weights(asked, found)
    around = {hit.rank: _about(hit) | {w for s in found if s.hit is hit for w in s.words} for hit in hits}
    coverage = {rank: sum(weights[word] for word in sorted(asked) if word in known) for rank, known in around.items()}
    hints = [wanted for kind, wanted in _HINTS if kind.search(question)]
    scored = tuple(_scored(sentence, weights, coverage, hints) for sentence in found)
    return Evidence(weights, coverage, scored)


def _asked(question: str) -> set[str]:
    """Stems of what the question is about; "long" in "how long" says which kind of answer is wanted, not about what."""
    subject = _MEASURE.sub(" ", question)
    return set(stems(word for word in words(subject) if word not in _SAYS_LITTLE)) or set(content_words(question))


def _weights(asked: Iterable[str], found: Sequence[Sentence]) -> dict[str, float]:
    counts = Counter(word for sentence in found for word in sentence.words)
    raw = {word: math.log(1 + (len(found) + 1) / (counts[word] + 1)) for word in sorted(asked)}
    total = sum(raw.values())
    return {word: weight / total for word, weight in raw.items()}


def _scored(
    sentence: Sentence, weights: Mapping[str, float], coverage: Mapping[int, float], hints: Sequence[re.Pattern[str]]
) -> Sentence:
    own = sum(weight for word, weight in weights.items() if word in sentence.words)
    size = len(sentence.text.split())
    fit = min(1.0, size / _FIT_WORDS[0]) * min(1.0, _FIT_WORDS[1] / max(size, 1))
    rank = sentence.hit.rank
    hinted = _HINT * any(hint.search(sentence.text) for hint in hints)
    score = (own + hinted) * fit + _CONTEXT * coverage[rank] + _RANK / rank
    return Sentence(sentence.hit, sentence.place, sentence.text, sentence.words, score)


def _about(hit: Hit) -> set[str]:
    chunk = hit.payload.chunk
    about = [hit.payload.title, *chunk.headings, chunk.answer[:_READ], chunk.summary]
    if hit.payload.media_type == "code":
        about += [" ".join(_IDENTIFIER.findall(text)) for text in (hit.payload.name, chunk.symbol, chunk.text[:_READ])]
    return set(content_words("\n".join(about)))


def _sentences(hit: Hit) -> list[Sentence]:
    text = hit.payload.chunk.text[:_READ]
    spans: Iterable[tuple[int, int]] = sentences(text)
    if hit.payload.media_type == "code":
        spans = lines(text, 0, len(text))
    pieces = [piece for start, end in spans for piece in _short(text, start, end)]
    headings = hit.payload.chunk.headings
    said = [piece for piece in pieces if piece.strip("# ") not in headings]
    return [Sentence(hit, i, piece, frozenset(content_words(piece))) for i, piece in enumerate(said)]


def _short(text: str, start: int, end: int) -> list[str]:
    """The sentence, or its lines when it is long, each cut when it is still too long."""
    if end - start <= _LONGEST_SENTENCE:
        return [text[start:end]]
    return [_cut(text[begin:stop].strip()) for begin, stop in lines(text, start, end)]


def _cut(text: str) -> str:
    if len(text) <= _LONGEST_SENTENCE:
        return text
    blank = text.rfind(" ", _LONGEST_SENTENCE // 2, _LONGEST_SENTENCE)
    return text[: blank if blank > 0 else _LONGEST_SENTENCE].rstrip() + "…"
