"""FAQ entries: the question is embedded, the answer is stored beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rag.chunking.blocks import is_row
from rag.chunking.structure import pack_paragraphs
from rag.chunking.tokens import Tokens
from rag.text import Offsets, trim
from rag.types import Document, Segment, Span

_ASKS = re.compile(
    r"(?:how|what|why|when|where|who|whom|whose|which|can|could|may|do|does|did|is|are|am|was|were|will|would|should|has|have)\b",
    re.IGNORECASE,
)
_QUESTION_MARKS = "?？؟\u037e"
_MARK = r"^[ \t>*_#-]*(?:{})[ \t]?\d*[ \t]*[:.)][*_]*[ \t]+(?=\S)"
_Q_LINE = re.compile(_MARK.format("Q|Question|Frage|Pregunta"), re.MULTILINE | re.IGNORECASE)
_A_LINE = re.compile(_MARK.format("A|Answer|Antwort|Respuesta|Réponse"), re.MULTILINE | re.IGNORECASE)


def entries_of(document: Document, blocks: Sequence[Segment], tokens: Tokens) -> Iterator[Span]:
    """Yield one span an entry.

    The first of these that applies: `question` and `answer` segments; a document that is one row, whose whole text is
    the question; lines that begin with `Q:` and `A:`; headings that ask, with their section as the answer; else
    paragraphs without an answer.
    """
    if any(block.kind == "question" for block in blocks):
        yield from _from_segments(blocks, tokens)
    elif is_row(document):
        start, end = trim(document.text, 0, len(document.text))
        yield _entry(tokens, start, end)
    elif entries := _from_marks(document.text):
        for question, answer in entries:
            yield _entry(tokens, *question, document.text[slice(*answer)])
    else:
        yield from _from_headings(blocks, tokens)


def _entry(tokens: Tokens, start: int, end: int, answer: str = "", headings: tuple[str, ...] = ()) -> Span:
    return Span(start, end, headings, answer=answer, inputs=tokens.windows(start, end))


def _from_segments(blocks: Sequence[Segment], tokens: Tokens) -> Iterator[Span]:
    questions = [i for i, block in enumerate(blocks) if block.kind == "question"]
    for i, after in zip(questions, [*questions[1:], len(blocks)], strict=True):
        answers = [block for block in blocks[i + 1 : after] if block.kind == "answer"]
        answer = tokens.text[answers[0].start : answers[-1].end] if answers else ""
        yield _entry(tokens, blocks[i].start, blocks[i].end, answer, blocks[i].headings)


def _from_marks(text: str) -> list[tuple[Offsets, Offsets]]:
    """Return question and answer of each `Q:` line that an `A:` line follows before the next `Q:`."""
    marks = list(_Q_LINE.finditer(text))
    pairs = []
    ends = [match.start() for match in marks[1:]] + [len(text)]
    for mark, after in zip(marks, ends, strict=False):
        answer = _A_LINE.search(text, mark.end(), after)
        if answer is None:
            continue
        question = trim(text, mark.end(), answer.start())
        if question[0] < question[1]:
            pairs.append((question, trim(text, answer.end(), after)))
    return pairs


def _is_question(text: str) -> bool:
    """True when a heading ends in a question mark or begins with a question word."""
    return text.rstrip("*_ ").endswith(tuple(_QUESTION_MARKS)) or bool(_ASKS.match(text.lstrip("#*_ 0123456789.)")))


def _from_headings(blocks: Sequence[Segment], tokens: Tokens) -> Iterator[Span]:
    """Take headings that ask as questions; text before, between and after the entries is cut into paragraphs."""
    text = tokens.text
    heads = [i for i, block in enumerate(blocks) if block.kind == "heading"]
    followed = [i for i in heads if i + 1 < len(blocks) and blocks[i + 1].kind != "heading"]
    asking = {i for i in followed if _is_question(text[blocks[i].start : blocks[i].end])}
    # An FAQ has entries that are no questions ("Refunds"): when most headings ask, their siblings are entries too.
    if asking and 2 * len(asking) >= len(followed):
        depths = {len(blocks[i].headings) for i in asking}
        asking |= {i for i in followed if len(blocks[i].headings) in depths}
    i = 0
    while i < len(blocks):
        after = i + 1
        if i in asking:
            while after < len(blocks) and not _ends(blocks, i, after, asking):
                after += 1
            answer = text[blocks[i + 1].start : blocks[after - 1].end]
            yield _entry(tokens, blocks[i].start, blocks[i].end, answer, blocks[i].headings)
        else:
            while after < len(blocks) and after not in asking:
                after += 1
            yield from pack_paragraphs(blocks[i:after], tokens)
        i = after


def _ends(blocks: Sequence[Segment], head: int, i: int, asking: set[int]) -> bool:
    """True when block `i` ends the answer below heading `head`: the next question, or a heading of its level."""
    block = blocks[i]
    return block.kind == "heading" and (i in asking or len(block.headings) <= len(blocks[head].headings))
