"""Answers without an LLM: lines that quote the hits word for word, with their marks.

`quote_sentences` serves any task whose answer is in the words of its passages; tasks with another form of answer have
their own in their file, built from the helpers here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from rag.answering.citations import NO_ANSWER, quoted
from rag.answering.evidence import HOW_TO, STEP, Evidence, Sentence, gather_evidence
from rag.answering.followups import standalone
from rag.tasks.spec import TaskSpec
from rag.text import shorten
from rag.types import AnswerDelta, Hit, Likeness, Matrix, Turn

ENOUGH = 0.5
"""Least weight of the question's words that a passage must have to be quoted.

Measured with BM25 hits: on a manual of 259 sections 5% of its own 647 questions are refused, and 86 to 100% of those of
five other sets; on medical articles 5% and 73 to 95%.
"""
EXCERPT = 300
"""Longest excerpt of a passage in a list, in characters."""
_MOST_SENTENCES = 4
_NEAR_BEST = 0.8
_NEW_WORDS = 0.12
_STEPS_AFTER = 2
_LEANING_SENTENCES = 2
_LIKENESS_WEIGHT = 0.3
_LIKENESS_SENTENCES = 8
_ASKS = re.compile(r"[?？؟][\"'”’»)\]]*$")
_LEANS = re.compile(
    r"(?:(?:but|and|so|then|however|also|therefore|thus|we call|you can|i call),?\s+)?"
    r"(?:this|that|these|those|it|its|they|their|them|he|she|such)\b|(?:but|so|however|otherwise|instead|therefore|thus)\b",
    re.IGNORECASE,
)
"""The beginning of a sentence that cannot be understood without the one before."""


class ExtractiveAnswerer:
    """Quotes the hits in the form that the task gives its answers.

    Args:
        embed: Embeds the question and sentences together, shape (texts, dimension), to choose among sentences; None
            leaves the choice to shared words.
    """

    name = "extractive"

    def __init__(self, embed: Callable[[Sequence[str]], Matrix] | None = None) -> None:
        self._embed = embed

    def stream(
        self, question: str, hits: Sequence[Hit], history: Sequence[Turn], task: TaskSpec
    ) -> Iterator[AnswerDelta]:
        """The answer, line by line; `NO_ANSWER` alone when the hits do not answer."""
        del history
        lines = task.quote(question, hits, self._likeness if self._embed else None) or [NO_ANSWER]
        for number, line in enumerate(lines):
            yield AnswerDelta(f"\n{line}" if number else line)

    def condense(self, question: str, history: Sequence[Turn]) -> str:
        """Prepend the subject of the previous question when this one is elliptical."""
        return standalone(question, history)

    def _likeness(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        assert self._embed is not None
        vectors = self._embed([question, *texts])
        return np.asarray(vectors[1:] @ vectors[0], dtype=np.float32)


def quote_sentences(question: str, hits: Sequence[Hit], likeness: Likeness | None) -> list[str]:
    """Quote the sentences that answer, one line a hit; no line when no passage covers enough of the question.

    Args:
        question: Readable on its own.
        hits: Best first.
        likeness: Cosines of sentences with the question, to choose among sentences that share about the same words;
            None leaves the choice to the words. It never decides whether there is an answer: cosines of E5 lie in
            0.7-1.0 whatever the texts say.
    """
    evidence = gather_evidence(question, hits)
    if evidence.best < ENOUGH:
        return []
    chosen = _choose(_ranked(question, evidence, likeness), evidence, is_how_to=bool(HOW_TO.search(question)))
    chosen += _antecedents(chosen, evidence)
    first_use = {rank: n for n, rank in reversed(list(enumerate(sentence.hit.rank for sentence in chosen)))}
    ordered = sorted(chosen, key=lambda sentence: (first_use[sentence.hit.rank], sentence.position))
    texts = [quoted(sentence.text) for sentence in ordered]
    lines: dict[int, list[str]] = {}
    for sentence, text in zip(ordered, texts, strict=True):
        lines.setdefault(sentence.hit.rank, []).append(f"{text} [{sentence.hit.rank}]")
    return list(map(" ".join, lines.values()))


def source_name(hit: Hit) -> str:
    """Name the source of a hit as people know it: title and file, or the title of a row."""
    title = hit.payload.title if hit.payload.media_type != "code" else ""
    if title and hit.payload.key:
        return quoted(title)
    return quoted(f"{title} ({hit.payload.name})" if title else hit.payload.name)


def excerpt(text: str) -> str:
    """The beginning of a text in quotation marks, on one line."""
    return f"“{quoted(shorten(text, EXCERPT))}”"


def _ranked(question: str, evidence: Evidence, likeness: Likeness | None) -> list[Sentence]:
    """Sentences of the passages that cover enough of the question, best first."""
    covering = [s for s in evidence.sentences if evidence.coverage[s.hit.rank] >= ENOUGH]
    covering = [s for s in covering if s.is_statement] or covering
    # A passage that asks the same question is the nearest of all, and answers nothing.
    covering = [s for s in covering if not _ASKS.search(s.text)] or covering
    best = sorted(covering, key=lambda s: (-s.score, s.hit.rank, s.position))
    # Likeness adds at most its weight, so sentences further behind than that cannot become the first one.
    near = sum(s.score > best[0].score - _LIKENESS_WEIGHT for s in best[:_LIKENESS_SENTENCES])
    if likeness is None or near < 2:
        return best
    head, tail = best[:near], best[near:]
    cosines = likeness(question, [sentence.text for sentence in head])
    lowest, width = float(cosines.min()), float(cosines.max() - cosines.min()) or 1.0
    scores = [s.score + _LIKENESS_WEIGHT * (float(x) - lowest) / width for s, x in zip(head, cosines, strict=True)]
    return [head[i] for i in sorted(range(near), key=lambda i: -scores[i])] + tail


def _choose(ranked: Sequence[Sentence], evidence: Evidence, *, is_how_to: bool) -> list[Sentence]:
    """The best sentence, the steps after it when steps are asked for, and others about as good that add words."""
    best = ranked[0]
    chosen = [best]
    if is_how_to:
        after = [s for s in evidence.sentences if s.hit is best.hit and 0 < s.position - best.position <= _STEPS_AFTER]
        chosen += [s for s in after if STEP.match(s.text) or s.words & evidence.weights.keys()]
    covered = {word for sentence in chosen for word in sentence.words}
    for sentence in ranked[1:]:
        if len(chosen) >= _MOST_SENTENCES or sentence.score < _NEAR_BEST * best.score:
            break
        new = sum(weight for word, weight in evidence.weights.items() if word in sentence.words - covered)
        if sentence not in chosen and new >= _NEW_WORDS:
            chosen.append(sentence)
            covered |= sentence.words
    return chosen


def _antecedents(chosen: Sequence[Sentence], evidence: Evidence) -> list[Sentence]:
    """Sentences just before the chosen ones that name what "it" or "that" in them is."""
    by_position = {(sentence.hit.rank, sentence.position): sentence for sentence in evidence.sentences}
    antecedents: list[Sentence] = []
    for sentence in chosen:
        leaning: Sentence | None = sentence
        for _ in range(_LEANING_SENTENCES):
            if leaning is None or not _LEANS.match(leaning.text):
                break
            leaning = by_position.get((leaning.hit.rank, leaning.position - 1))
            if leaning is not None and leaning not in chosen and leaning not in antecedents:
                antecedents.append(leaning)
    return antecedents
