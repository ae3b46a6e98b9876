"""The embedded default: answers by quoting what was found, word for word, and says so when nothing answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from rag.answering.citations import NO_ANSWER, quoted
from rag.answering.evidence import HOW_TO, LEANS, STEP, Evidence, Sentence, gather
from rag.answering.followups import standalone
from rag.text import STOP_WORDS, sentences, stems, words
from rag.types import Hit, Matrix, Turn

ENOUGH = 0.5
"""Least weight of the question's words that a passage must have to be quoted.

Measured with BM25 hits: on a manual of 259 sections 5% of its own 647 questions are refused, and 86 to 100% of those of
five other sets; on medical articles 5% and 73 to 95%.
"""
ENOUGH_ENTRY = 0.15
"""The same for the closest FAQ entry, question and answer together: people ask for one thing in many words.

Measured with dense hits on two FAQs: 6 to 10% of their own questions are refused, and 59 to 98% of those of other sets.
"""
_ENOUGH_TOPIC = 0.3
_MOST_SENTENCES = 4
_NEAR_BEST = 0.8
_NEW_WORDS = 0.12
_STEPS_AFTER = 2
_LEANING = 2
_LIKE = 0.3
_CODE_LINES = 12
_READ = 50_000


class ExtractiveAnswerer:
    """Quotes the sentences of the hits that answer, with their marks.

    Args:
        embed: Embeds the question and the best sentences together, shape (texts, dimension), to choose among them; None
            leaves the choice to shared words. It never decides whether there is an answer: cosines of E5 lie in
            0.7-1.0 whatever the texts say.
    """

    def __init__(self, embed: Callable[[Sequence[str]], Matrix] | None = None) -> None:
        self._embed = embed

    @property
    def name(self) -> str:
        """Shown on the status page."""
        return "extractive"

    def stream(self, question: str, hits: Sequence[Hit], history: Sequence[Turn], task: str) -> Iterator[str]:
        """The answer, line by line; `NO_ANSWER` alone when the hits do not answer."""
        del history
        write = {"faq": _faq, "similar": _similar, "code": _code, "summary": _summary}.get(task)
        found = write(question, hits) if write else self._qa(question, hits)
        if not found:
            yield NO_ANSWER
        for i, line in enumerate(found):
            yield f"\n{line}" if i else line

    def condense(self, question: str, history: Sequence[Turn]) -> str:
        """The question with the subject of the one before in front, when it leans on it."""
        return standalone(question, history)

    def _qa(self, question: str, hits: Sequence[Hit]) -> list[str]:
        evidence = gather(question, hits)
        if evidence.best < ENOUGH:
            return []
        chosen = _choose(self._ranked(question, evidence), evidence, bool(HOW_TO.search(question)))
        chosen += _leant_on(chosen, evidence)
        lines: list[str] = []
        for number in dict.fromkeys(sentence.hit.rank for sentence in chosen):
            mine = sorted((s for s in chosen if s.hit.rank == number), key=lambda sentence: sentence.place)
            lines.append(" ".join(f"{quoted(sentence.text)} [{number}]" for sentence in mine))
        return lines

    def _ranked(self, question: str, evidence: Evidence) -> list[Sentence]:
        enough = [s for s in evidence.sentences if evidence.coverage[s.hit.rank] >= ENOUGH]
        enough = [s for s in enough if s.says] or enough
        best = sorted(enough, key=lambda s: (-s.score, s.hit.rank, s.place))
        if self._embed is None or len(best) < 2:
            return best
        head, rest = best[:16], best[16:]
        vectors = self._embed([question, *(sentence.text for sentence in head)])
        likeness = vectors[1:] @ vectors[0]
        width = float(likeness.max() - likeness.min()) or 1.0
        scores = [s.score + _LIKE * float(x - likeness.min()) / width for s, x in zip(head, likeness, strict=True)]
        return [head[i] for i in sorted(range(len(head)), key=lambda i: -scores[i])] + rest


def _choose(ranked: Sequence[Sentence], evidence: Evidence, how_to: bool) -> list[Sentence]:
    """The best sentence, what follows it when steps are asked for, and others that are as good and say more."""
    best = ranked[0]
    chosen = [best]
    if how_to:
        after = [s for s in evidence.sentences if s.hit is best.hit and 0 < s.place - best.place <= _STEPS_AFTER]
        chosen += [s for s in after if STEP.match(s.text) or s.words & evidence.weights.keys()]
    said = {word for sentence in chosen for word in sentence.words}
    for sentence in ranked[1:]:
        if len(chosen) >= _MOST_SENTENCES or sentence.score < _NEAR_BEST * best.score:
            break
        new = sum(weight for word, weight in evidence.weights.items() if word in sentence.words - said)
        if sentence not in chosen and new >= _NEW_WORDS:
            chosen.append(sentence)
            said |= sentence.words
    return chosen


def _leant_on(chosen: Sequence[Sentence], evidence: Evidence) -> list[Sentence]:
    """Sentences just before the chosen ones that say what "it" or "that" in them is."""
    by_place = {(sentence.hit.rank, sentence.place): sentence for sentence in evidence.sentences}
    found: list[Sentence] = []
    for sentence in chosen:
        leaning: Sentence | None = sentence
        for _ in range(_LEANING):
            if leaning is None or not LEANS.match(leaning.text):
                break
            leaning = by_place.get((leaning.hit.rank, leaning.place - 1))
            if leaning is not None and leaning not in chosen and leaning not in found:
                found.append(leaning)
    return found


def _faq(question: str, hits: Sequence[Hit]) -> list[str]:
    if not hits or gather(question, hits[:4]).coverage[hits[0].rank] < ENOUGH_ENTRY:
        return []
    first = hits[0]
    entry = f"{_quotes(first.payload.chunk.text)} [{first.rank}]"
    answer = [f"{quoted(line)}" for line in first.payload.chunk.answer.splitlines() if line.strip()]
    if answer:
        answer[-1] += f" [{first.rank}]"
    near = [f"- {_quotes(hit.payload.chunk.text)} [{hit.rank}]" for hit in hits[1:4]]
    return [entry, *answer, *(["", "Near entries:", *near] if near else [])]


def _similar(question: str, hits: Sequence[Hit]) -> list[str]:
    asked = _spelled(question)
    lines = []
    for hit in hits:
        theirs = _spelled(f"{hit.payload.title} {hit.payload.chunk.text[:_READ]}")
        shared = sorted(asked.keys() & theirs.keys(), key=lambda stem: (-min(theirs[stem][1], 3), -len(stem), stem))
        why = ", ".join(theirs[stem][0] for stem in shared[:6])
        why = f"shares {why}" if why else "near in meaning, no word shared"
        lines.append(f"- {_called(hit)} [{hit.rank}]: {why}")
    return lines


def _code(question: str, hits: Sequence[Hit]) -> list[str]:
    del question
    lines: list[str] = []
    for hit in hits[:3]:
        chunk = hit.payload.chunk
        symbol = f"{quoted(chunk.symbol)} in " if chunk.symbol else ""
        place = f", lines {chunk.line_start}-{chunk.line_end}" if chunk.line_start is not None else ""
        lines.append(f"{symbol}{_called(hit)}{place} [{hit.rank}]")
        if hit is hits[0]:
            lines += [*_fenced(chunk.text, hit.payload.language), ""]
    return lines


def _fenced(text: str, language: str) -> list[str]:
    body = text.split("\n")
    shown = [*body[:_CODE_LINES], *(["…"] if len(body) > _CODE_LINES else [])]
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return [fence + re.sub(r"\W", "", language), *shown, fence]


def _summary(question: str, hits: Sequence[Hit]) -> list[str]:
    evidence = gather(question, hits)
    if evidence.best < _ENOUGH_TOPIC:
        return []
    lines = []
    for hit in hits:
        if evidence.coverage[hit.rank] < evidence.best / 2:
            continue
        summary = hit.payload.chunk.summary or hit.payload.chunk.text[:_READ]
        said = " ".join(summary[start:end] for start, end in sentences(summary)[:2])
        lines.append(f"- {_called(hit)} [{hit.rank}]: {quoted(_short(said, 300))}")
    return lines


def _called(hit: Hit) -> str:
    title = hit.payload.title if hit.payload.media_type != "code" else ""
    if title and hit.payload.key:
        return quoted(title)
    return quoted(f"{title} ({hit.payload.name})" if title else hit.payload.name)


def _quotes(text: str) -> str:
    return f"“{quoted(_short(text, 300))}”"


def _short(text: str, size: int) -> str:
    if len(text) <= size:
        return text
    blank = text.rfind(" ", size // 2, size)
    return text[: blank if blank > 0 else size].rstrip() + "…"


def _spelled(text: str) -> dict[str, tuple[str, int]]:
    """Content words of a text: by stem, the first spelling and how often it comes."""
    said = [word for word in words(text) if word not in STOP_WORDS and len(word) > 2 and not word.isdigit()]
    found: dict[str, tuple[str, int]] = {}
    for word, stem in zip(said, stems(said), strict=True):
        spelling, count = found.get(stem, (word, 0))
        found[stem] = (spelling, count + 1)
    return found
