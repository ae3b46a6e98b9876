"""Judgments from the structure of a corpus, one way for each kind of document.

| from | question | relevant | taken out of the corpus |
| --- | --- | --- | --- |
| headings | a heading | the chunks of its section | the heading |
| faq | one wording of an entry | the entries with the same answer | that wording |
| faq without such groups | a question | its answer | the questions |
| halves | the first half of a document | its second half | the first half |
| docstrings | the first sentence of a docstring | its code | the docstring |
| titles | the title of a document | its summary | the title |

Every function takes all chunks of an index; no rows in its result means that the corpus has nothing of that kind.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from rag.evaluation.data.corpus import (
    CorpusJudgments,
    Passage,
    Record,
    by_document,
    count_words,
    first_words,
    normalise,
    without_lines,
)
from rag.evaluation.data.docstrings import split_docstring

MIN_BODY_WORDS = 12
"""A shorter section answers no heading."""
MIN_GROUPS = 5
"""With fewer groups of wordings, an FAQ's questions are matched with answers instead."""
MIN_HALF_WORDS = 40
MAX_QUESTION_WORDS = 200

NEEDS_HEADINGS = "that needs headings with text under them."
NEEDS_FAQ = "that needs entries with answers."
NEEDS_HALVES = f"that needs documents of at least {2 * MIN_HALF_WORDS} words."
NEEDS_DOCSTRINGS = "that needs functions with docstrings or comments above them."
NEEDS_TITLES = "that needs documents with titles."


def judgments_from_headings(passages: Sequence[Passage]) -> CorpusJudgments:
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
        body = [passage for passage in section if count_words(texts[passage.id]) >= MIN_BODY_WORDS]
        if headings and body and count_words(headings[-1]) >= 2 and uses[normalise(headings[-1])] == 1:
            question = f"h-{body[0].id}"
            questions[question] = headings[-1]
            rows |= {(question, passage.id): 1 for passage in body}
    records = {key: Record(key, "", text) for key, text in texts.items() if text}
    return CorpusJudgments(
        records, questions, rows, "each question is a heading, and the text under it is relevant."
    )


def judgments_from_faq(passages: Sequence[Passage]) -> CorpusJudgments:
    """Ask with one wording for the entries of the same answer; without such groups, with each entry for its answer."""
    answered = [passage for passage in passages if passage.answer.strip()]
    by_answer: dict[str, list[Passage]] = {}
    for passage in answered:
        by_answer.setdefault(normalise(passage.answer), []).append(passage)
    groups = [group for group in by_answer.values() if len({normalise(passage.text) for passage in group}) > 1]
    if len(groups) >= MIN_GROUPS:
        return _from_wordings(passages, groups)
    return CorpusJudgments(
        {passage.id: Record(passage.id, "", passage.answer) for passage in answered},
        {f"f-{passage.id}": passage.text for passage in answered},
        {(f"f-{passage.id}", passage.id): 1 for passage in answered},
        "each question is an entry's own, to be matched with its answer.",
    )


def _from_wordings(passages: Sequence[Passage], groups: Sequence[Sequence[Passage]]) -> CorpusJudgments:
    held_out = {group[0].id for group in groups}
    return CorpusJudgments(
        {passage.id: Record(passage.id, "", passage.text) for passage in passages if passage.id not in held_out},
        {f"f-{group[0].id}": group[0].text for group in groups},
        {(f"f-{group[0].id}", passage.id): 1 for group in groups for passage in group[1:]},
        "each question is one wording, and those with the same answer are relevant.",
    )


def judgments_from_docstrings(passages: Sequence[Passage]) -> CorpusJudgments:
    """Ask with each docstring for the code that it was taken out of."""
    records, questions, rows = {}, {}, {}
    for passage in passages:
        description, code = split_docstring(passage.text)
        records[passage.id] = Record(passage.id, "", code or passage.text)
        if count_words(description) >= 3 and count_words(code) >= 8:
            questions[f"c-{passage.id}"] = first_words(description, MAX_QUESTION_WORDS)
            rows[f"c-{passage.id}", passage.id] = 1
    return CorpusJudgments(
        records, questions, rows, "each question is a docstring, and the code it was taken out of is relevant."
    )


def judgments_from_halves(passages: Sequence[Passage]) -> CorpusJudgments:
    """Ask with the first half of each document for its second half."""
    records, questions, rows = {}, {}, {}
    for group in by_document(passages):
        document, text = group[0].document, "\n\n".join(passage.text for passage in group)
        halves = _halves(text)
        records[document] = Record(document, "", halves[1] if halves else text)
        if halves:
            questions[f"s-{document}"] = first_words(halves[0], MAX_QUESTION_WORDS)
            rows[f"s-{document}", document] = 1
    return CorpusJudgments(
        records, questions, rows, "each question is half of a document, and the other half is relevant."
    )


def judgments_from_titles(passages: Sequence[Passage]) -> CorpusJudgments:
    """Ask with the title of each document for its summary."""
    records, questions, rows = {}, {}, {}
    for passage in passages:
        body = without_lines(passage.summary or passage.text, (passage.title, *passage.headings))
        titles = (title for title in (passage.title, *passage.headings[:1]) if count_words(title) >= 2)
        if (title := next(titles, None)) is not None:
            # A summary may begin with the title on the line of its first sentence.
            body = body.removeprefix(title).strip()
            questions[f"t-{passage.id}"] = title
            rows[f"t-{passage.id}", passage.id] = 1
        records[passage.id] = Record(passage.id, "", body or passage.text)
    return CorpusJudgments(
        records, questions, rows, "each question is a title, and the summary under it is relevant."
    )


def _halves(text: str) -> tuple[str, str] | None:
    """Two parts of about equal length, cut at the end of a paragraph or a sentence near the middle."""
    ends = [match.end() for match in re.finditer(r"\n\s*\n|[.!?]\s", text)]
    if not ends:
        return None
    cut = min(ends, key=lambda end: abs(end - len(text) / 2))
    first, second = text[:cut].strip(), text[cut:].strip()
    return (first, second) if min(count_words(first), count_words(second)) >= MIN_HALF_WORDS else None
