"""Document Q&A: a question finds the passages that answer it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rag.answering.quoting import quote_sentences
from rag.chunking import by_structure
from rag.tasks.corpus import CorpusJudgments, Passage, Record, count_words, normalise, without_lines
from rag.tasks.spec import Mix, PromptMode, Signal, TaskSpec
from rag.types import Chunking

_LEAST_BODY_WORDS = 12
"""A shorter section answers no heading."""


def judge_headings(passages: Sequence[Passage]) -> CorpusJudgments:
    """Ask with each heading for the text under it."""
    texts = {passage.id: without_lines(passage.text, (*passage.headings, passage.title)) for passage in passages}
    sections: dict[tuple[str, tuple[str, ...]], list[Passage]] = {}
    for passage in passages:
        sections.setdefault((passage.document, passage.headings), []).append(passage)
    # A heading that several sections share ("Overview") does not say which of them is meant.
    uses = Counter(normalise(headings[-1]) for _, headings in sections if headings)
    questions: dict[str, str] = {}
    rows: dict[tuple[str, str], int] = {}
    for (_, headings), section in sections.items():
        body = [passage for passage in section if count_words(texts[passage.id]) >= _LEAST_BODY_WORDS]
        if headings and body and count_words(headings[-1]) >= 2 and uses[normalise(headings[-1])] == 1:
            question = f"h-{body[0].id}"
            questions[question] = headings[-1]
            rows |= {(question, passage.id): 1 for passage in body}
    records = {key: Record(key, "", text) for key, text in texts.items() if text}
    return CorpusJudgments(records, questions, rows, "each question is a heading, and the text under it is relevant.")


TASK = TaskSpec(
    name="qa",
    title="Document Q&A",
    query_is="a question",
    document_is="a passage of a document",
    gives="an answer with citations",
    examples=("How do I pair a Leaf?", "What does the light ALM mean?"),
    instruction="Given a question, retrieve passages that answer the question",
    prompts=PromptMode.QUERY_PASSAGE,
    chunking=Chunking("structure", tokens=256, overlap=32, cut=by_structure),
    mix=Mix(dense_weight=0.45),
    signals=(Signal(0.5, second=True),),
    wording="You answer a question from the sources below.",
    quote=quote_sentences,
    judge=judge_headings,
    needs="that needs headings with text under them.",
    sample=("manual/*.pdf", "handbook/*.docx", "policies/*.md", "releases/*", "pages/**/*.md", "tables/*.csv"),
    order=1,
)
