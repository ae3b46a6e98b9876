"""Topic search: a topic finds the documents that are about it, by their summaries."""

from __future__ import annotations

from collections.abc import Sequence

from rag.answering.citations import quoted
from rag.answering.evidence import gather_evidence
from rag.answering.quoting import EXCERPT, source_name
from rag.chunking import by_summary
from rag.tasks.corpus import CorpusJudgments, Passage, Record, count_words, without_lines
from rag.tasks.spec import Mix, PromptMode, Signal, TaskSpec
from rag.text import sentences, shorten
from rag.types import Chunking, Hit, Likeness

_ENOUGH_TOPIC = 0.3
"""Least weight of the topic's words that some summary must have."""
_READ_CHARACTERS = 50_000
_QUOTED_SENTENCES = 2


def quote_summaries(question: str, hits: Sequence[Hit], likeness: Likeness | None) -> list[str]:
    """List the documents that cover at least half as much of the topic as the best one, with their first sentences."""
    del likeness
    evidence = gather_evidence(question, hits)
    if evidence.best < _ENOUGH_TOPIC:
        return []
    lines = []
    for hit in hits:
        if evidence.coverage[hit.rank] < evidence.best / 2:
            continue
        summary = hit.payload.chunk.summary or hit.payload.chunk.text[:_READ_CHARACTERS]
        opening = " ".join(summary[start:end] for start, end in sentences(summary)[:_QUOTED_SENTENCES])
        lines.append(f"- {source_name(hit)} [{hit.rank}]: {quoted(shorten(opening, EXCERPT))}")
    return lines


def judge_titles(passages: Sequence[Passage]) -> CorpusJudgments:
    """Ask with the title of each document for its summary."""
    records, questions, rows = {}, {}, {}
    for passage in passages:
        body = without_lines(passage.summary or passage.text, (passage.title, *passage.headings))
        titles = (title for title in (passage.title, *passage.headings[:1]) if count_words(title) >= 2)
        if (title := next(titles, None)) is not None:
            body = body.removeprefix(title).strip()  # a summary may begin with the title on the line of its text
            questions[f"t-{passage.id}"] = title
            rows[f"t-{passage.id}", passage.id] = 1
        records[passage.id] = Record(passage.id, "", body or passage.text)
    return CorpusJudgments(records, questions, rows, "each question is a title, and the summary under it is relevant.")


TASK = TaskSpec(
    name="summary",
    title="Topic search",
    query_is="a topic",
    document_is="the summary of a document",
    gives="which documents are about it",
    examples=("being on call at night",),
    instruction="Given a topic, retrieve summaries of documents about the topic",
    prompts=PromptMode.QUERY_PASSAGE,
    chunking=Chunking("summary", tokens=512, overlap=0, cut=by_summary),
    mix=Mix(dense_weight=0.5),
    signals=(Signal(0.5, second=True),),
    wording="You are given a topic and summaries of documents. Say which documents are about the topic and, in one "
    "sentence each, what they say about it.",
    quote=quote_summaries,
    judge=judge_titles,
    needs="that needs documents with titles.",
    sample=("handbook/*.docx", "policies/*.md", "releases/*"),
    order=5,
)
