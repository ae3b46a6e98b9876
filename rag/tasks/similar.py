"""Similar documents: a document or a paragraph finds documents about the same subject."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.answering.quoting import source_name
from rag.chunking import by_document
from rag.tasks.corpus import (
    CorpusJudgments,
    Passage,
    Record,
    count_words,
    first_words,
    passages_by_document,
)
from rag.tasks.spec import Mix, PromptMode, Signal, TaskSpec
from rag.text import STOP_WORDS, stems, words
from rag.types import Chunking, Hit, Likeness

_READ_CHARACTERS = 50_000
_SHARED_WORDS = 6
_LEAST_HALF_WORDS = 40
_LONGEST_QUESTION_WORDS = 200


def quote_shared_words(question: str, hits: Sequence[Hit], likeness: Likeness | None) -> list[str]:
    """List the documents with the words that each shares with the question."""
    del likeness
    own = _spellings(question)
    lines = []
    for hit in hits:
        theirs = _spellings(f"{hit.payload.title} {hit.payload.chunk.text[:_READ_CHARACTERS]}")
        # Words that the document repeats and long words say more about its subject.
        shared = sorted(own.keys() & theirs.keys(), key=lambda stem: (-min(theirs[stem][1], 3), -len(stem), stem))
        spelled = ", ".join(theirs[stem][0] for stem in shared[:_SHARED_WORDS])
        why = f"shares {spelled}" if spelled else "near in meaning, no word shared"
        lines.append(f"- {source_name(hit)} [{hit.rank}]: {why}")
    return lines


def _spellings(text: str) -> dict[str, tuple[str, int]]:
    """Content words of a text: by stem, the first spelling and the number of occurrences."""
    content = [word for word in words(text) if word not in STOP_WORDS and len(word) > 2 and not word.isdigit()]
    spellings: dict[str, tuple[str, int]] = {}
    for word, stem in zip(content, stems(content), strict=True):
        spelling, count = spellings.get(stem, (word, 0))
        spellings[stem] = (spelling, count + 1)
    return spellings


def judge_halves(passages: Sequence[Passage]) -> CorpusJudgments:
    """Ask with the first half of each document for its second half."""
    records, questions, rows = {}, {}, {}
    for group in passages_by_document(passages):
        document, text = group[0].document, "\n\n".join(passage.text for passage in group)
        halves = _halves(text)
        records[document] = Record(document, "", halves[1] if halves else text)
        if halves:
            questions[f"s-{document}"] = first_words(halves[0], _LONGEST_QUESTION_WORDS)
            rows[f"s-{document}", document] = 1
    return CorpusJudgments(
        records, questions, rows, "each question is half of a document, and the other half is relevant."
    )


def _halves(text: str) -> tuple[str, str] | None:
    """Two parts of about equal length, cut at the end of a paragraph or a sentence near the middle."""
    ends = [match.end() for match in re.finditer(r"\n\s*\n|[.!?]\s", text)]
    if not ends:
        return None
    cut = min(ends, key=lambda end: abs(end - len(text) / 2))
    first, second = text[:cut].strip(), text[cut:].strip()
    return (first, second) if min(count_words(first), count_words(second)) >= _LEAST_HALF_WORDS else None


TASK = TaskSpec(
    name="similar",
    title="Similar documents",
    query_is="a document or a paragraph",
    document_is="a whole document",
    gives="documents like this one, with why",
    examples=("Whenever the irrigation pump runs, the temperature readings of one zone jump by several degrees.",),
    instruction="Given a document, retrieve documents about the same subject",
    prompts=PromptMode.NONE,
    chunking=Chunking("whole", tokens=512, overlap=0, cut=by_document),
    mix=Mix(dense_weight=0.6, spread=0.75),
    signals=(Signal(0.5, second=True),),
    wording="You are given a document and the sources nearest to it. Say of each source that is about the same "
    "subject, in one sentence, what it shares with the document.",
    quote=quote_shared_words,
    judge=judge_halves,
    needs=f"that needs documents of at least {2 * _LEAST_HALF_WORDS} words.",
    sample=("incidents/*.md",),
    order=3,
)
