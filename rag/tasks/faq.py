"""FAQ matching: a question finds the entries that ask for the same thing."""

from __future__ import annotations

from collections.abc import Sequence

from rag.answering.citations import quoted
from rag.answering.evidence import gather_evidence
from rag.answering.quoting import excerpt
from rag.chunking import by_entry
from rag.tasks.corpus import CorpusJudgments, Passage, Record, normalise
from rag.tasks.spec import Mix, PromptMode, Signal, TaskSpec
from rag.types import Chunking, Hit, Likeness

ENOUGH_ENTRY = 0.15
"""Least weight of the question's words that the closest entry must have, question and answer together: people ask for
one thing in many words.

Measured with dense hits on two FAQs: 6 to 10% of their own questions are refused, and 59 to 98% of those of other sets.
"""
_NEAR_ENTRIES = 3
_LEAST_GROUPS = 5
"""With fewer groups of wordings, an FAQ's questions are matched with answers instead."""


def quote_entry(question: str, hits: Sequence[Hit], likeness: Likeness | None) -> list[str]:
    """Quote the closest entry with its stored answer, and name the near ones."""
    del likeness
    near = hits[1 : 1 + _NEAR_ENTRIES]
    if not hits or gather_evidence(question, [hits[0], *near]).coverage[hits[0].rank] < ENOUGH_ENTRY:
        return []
    first = hits[0]
    answer = [quoted(line) for line in first.payload.chunk.answer.splitlines() if line.strip()]
    if answer:
        answer[-1] += f" [{first.rank}]"
    others = [f"- {excerpt(hit.payload.chunk.text)} [{hit.rank}]" for hit in near]
    entry = f"{excerpt(first.payload.chunk.text)} [{first.rank}]"
    return [entry, *answer, *(["", "Near entries:", *others] if others else [])]


def judge_entries(passages: Sequence[Passage]) -> CorpusJudgments:
    """Ask with one wording for the entries of the same answer; without such groups, with each entry for its answer."""
    answered = [passage for passage in passages if passage.answer.strip()]
    by_answer: dict[str, list[Passage]] = {}
    for passage in answered:
        by_answer.setdefault(normalise(passage.answer), []).append(passage)
    groups = [group for group in by_answer.values() if len({normalise(passage.text) for passage in group}) > 1]
    if len(groups) >= _LEAST_GROUPS:
        return _judge_wordings(passages, groups)
    return CorpusJudgments(
        {passage.id: Record(passage.id, "", passage.answer) for passage in answered},
        {f"f-{passage.id}": passage.text for passage in answered},
        {(f"f-{passage.id}", passage.id): 1 for passage in answered},
        "each question is an entry's own, to be matched with its answer.",
    )


def _judge_wordings(passages: Sequence[Passage], groups: Sequence[Sequence[Passage]]) -> CorpusJudgments:
    held_out = {group[0].id for group in groups}
    return CorpusJudgments(
        {passage.id: Record(passage.id, "", passage.text) for passage in passages if passage.id not in held_out},
        {f"f-{group[0].id}": group[0].text for group in groups},
        {(f"f-{group[0].id}", passage.id): 1 for group in groups for passage in group[1:]},
        "each question is one wording, and those with the same answer are relevant.",
    )


TASK = TaskSpec(
    name="faq",
    title="FAQ matching",
    query_is="a question",
    document_is="the question of an FAQ entry",
    gives="the stored answer of the closest entry, and near ones",
    examples=("What can I do when an alarm comes every night?",),
    instruction="Given a question, retrieve questions that ask for the same thing",
    prompts=PromptMode.QUERY_PASSAGE,
    chunking=Chunking("faq-entry", tokens=512, overlap=0, cut=by_entry),
    mix=Mix(dense_weight=0.9, spread=1.0, centred=True),
    signals=(Signal(0.7, second=True),),
    wording="You answer a question from stored FAQ entries: give the answer of the entry that asks the same thing, and "
    "name a near entry only when it helps.",
    quote=quote_entry,
    judge=judge_entries,
    needs="that needs entries with answers.",
    sample=("support/faq.csv",),
    open_sources=1,
    order=2,
)
