"""Judgments for people who have none, made from the corpus itself and labelled as synthetic.

| task | question | relevant | taken out of the corpus |
| --- | --- | --- | --- |
| qa | a heading | the chunks of its section | the heading |
| faq | one wording of an entry | the entries with the same answer | that wording |
| faq without such groups | a question | its answer | the questions |
| similar | the first half of a document | its second half | the first half |
| code | the first sentence of a docstring | its code | the docstring |
| summary | the title of a document | its summary | the title |

They compare systems on a corpus; they are no measure of how good a system is for people.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rag.errors import DatasetError
from rag.evaluation.data.datasets import Dataset, Record, assemble
from rag.evaluation.data.docstrings import split_docstring
from rag.evaluation.data.passages import Passage, by_document

MOST = 400
"""Most questions; more are sampled, always the same ones."""
SEED = 13
_WORD = re.compile(r"\w+")
_LEAST_BODY = 12
_LEAST_GROUPS = 5
_LEAST_HALF = 40
_LONGEST_QUESTION = 200
"""In words."""


@dataclass(frozen=True, slots=True)
class _Made:
    """Documents to find, questions, which answers which, and how they were made."""

    records: dict[str, Record]
    questions: dict[str, str]
    rows: dict[tuple[str, str], int]
    how: str


def synthetic(passages: Sequence[Passage], task: str, name: str = "", most: int = MOST) -> Dataset:
    """Judgments made from the corpus itself.

    Args:
        passages: All chunks of the task's index.
        task: Name of the task; decides how questions are made.
        name: Name of the dataset.
        most: Most questions.

    Raises:
        DatasetError: The corpus has nothing that questions can be made from; what it would need.
    """
    made = _MAKERS.get(task, _from_headings)(passages)
    if not made.rows:
        needs = _NEEDS.get(task, _NEEDS["qa"])
        raise DatasetError(
            f"No questions can be made from the {len(passages)} chunks of task {task!r}: {needs} "
            "Add such documents, or bring judgments of your own."
        )
    kept = sorted(made.questions)
    random.Random(SEED).shuffle(kept)  # noqa: S311 - a sample, not a secret
    chosen = set(kept[:most])
    questions = {key: text for key, text in made.questions.items() if key in chosen}
    rows = {pair: grade for pair, grade in made.rows.items() if pair[0] in chosen}
    note = f"Synthetic judgments: {made.how} They compare systems; they do not say how good one is for people."
    return assemble(
        name or f"{task} index", made.records, questions, rows, split="synthetic", origin="synthetic", notes=[note]
    )


def _from_headings(passages: Sequence[Passage]) -> _Made:
    sections: dict[tuple[str, tuple[str, ...]], list[Passage]] = {}
    for passage in passages:
        sections.setdefault((passage.document, passage.headings), []).append(passage)
    texts = {one.id: _without_lines(one.text, (*one.headings, one.title)) for one in passages}
    seen: dict[str, int] = {}
    for _, headings in sections:
        if headings:
            seen[_key(headings[-1])] = seen.get(_key(headings[-1]), 0) + 1
    questions: dict[str, str] = {}
    rows: dict[tuple[str, str], int] = {}
    for (_, headings), group in sections.items():
        good = [one for one in group if len(_words(texts[one.id])) >= _LEAST_BODY]
        if headings and good and len(_words(headings[-1])) >= 2 and seen[_key(headings[-1])] == 1:
            question = f"h-{good[0].id}"
            questions[question] = headings[-1]
            rows |= {(question, one.id): 1 for one in good}
    records = {key: Record(key, "", text) for key, text in texts.items() if text}
    return _Made(records, questions, rows, "each question is a heading, and the text under it is relevant.")


def _from_faq(passages: Sequence[Passage]) -> _Made:
    answered = [one for one in passages if one.answer.strip()]
    groups: dict[str, list[Passage]] = {}
    for one in answered:
        groups.setdefault(_key(one.answer), []).append(one)
    several = [group for group in groups.values() if len({_key(one.text) for one in group}) > 1]
    if len(several) >= _LEAST_GROUPS:
        asked = {group[0].id for group in several}
        records = {one.id: Record(one.id, "", one.text) for one in passages if one.id not in asked}
        questions = {f"f-{group[0].id}": group[0].text for group in several}
        rows = {(f"f-{group[0].id}", one.id): 1 for group in several for one in group[1:]}
        return _Made(
            records, questions, rows, "each question is one wording, and those with the same answer are relevant."
        )
    records = {one.id: Record(one.id, "", one.answer) for one in answered}
    questions = {f"f-{one.id}": one.text for one in answered}
    rows = {(f"f-{one.id}", one.id): 1 for one in answered}
    return _Made(records, questions, rows, "each question is an entry's own, to be matched with its answer.")


def _from_code(passages: Sequence[Passage]) -> _Made:
    records, questions, rows = {}, {}, {}
    for one in passages:
        said, code = split_docstring(one.text)
        records[one.id] = Record(one.id, "", code or one.text)
        if len(_words(said)) >= 3 and len(_words(code)) >= 8:
            questions[f"c-{one.id}"] = " ".join(said.split()[:_LONGEST_QUESTION])
            rows[f"c-{one.id}", one.id] = 1
    return _Made(
        records, questions, rows, "each question is a docstring, and the code it was taken out of is relevant."
    )


def _from_halves(passages: Sequence[Passage]) -> _Made:
    records, questions, rows = {}, {}, {}
    for group in by_document(passages):
        document, text = group[0].document, "\n\n".join(one.text for one in group)
        halves = _halves(text)
        records[document] = Record(document, "", halves[1] if halves else text)
        if halves:
            questions[f"s-{document}"] = " ".join(halves[0].split()[:_LONGEST_QUESTION])
            rows[f"s-{document}", document] = 1
    return _Made(records, questions, rows, "each question is half of a document, and the other half is relevant.")


def _from_titles(passages: Sequence[Passage]) -> _Made:
    records, questions, rows = {}, {}, {}
    for one in passages:
        titles = [title for title in (one.title, *one.headings[:1]) if len(_words(title)) >= 2]
        body = _without_lines(one.summary or one.text, (one.title, *one.headings))
        for title in titles[:1]:
            body = body.removeprefix(title).strip()
            questions[f"t-{one.id}"] = title
            rows[f"t-{one.id}", one.id] = 1
        records[one.id] = Record(one.id, "", body or one.text)
    return _Made(records, questions, rows, "each question is a title, and the summary under it is relevant.")


_MAKERS: dict[str, Callable[[Sequence[Passage]], _Made]] = {
    "faq": _from_faq,
    "code": _from_code,
    "similar": _from_halves,
    "summary": _from_titles,
}
_NEEDS = {
    "qa": "that needs headings with text under them.",
    "faq": "that needs entries with answers.",
    "code": "that needs functions with docstrings or comments above them.",
    "similar": f"that needs documents of at least {2 * _LEAST_HALF} words.",
    "summary": "that needs documents with titles.",
}


def _halves(text: str) -> tuple[str, str] | None:
    """Two parts of about equal length, cut at the end of a paragraph or a sentence near the middle."""
    ends = [match.end() for match in re.finditer(r"\n\s*\n|[.!?]\s", text)]
    if not ends:
        return None
    cut = min(ends, key=lambda end: abs(end - len(text) / 2))
    first, second = text[:cut].strip(), text[cut:].strip()
    return (first, second) if min(len(_words(first)), len(_words(second))) >= _LEAST_HALF else None


def _without_lines(text: str, lines: Sequence[str]) -> str:
    """The text without the lines that say no more than one of `lines`, such as a heading."""
    gone = {_key(line) for line in lines if line.strip()}
    return "\n".join(line for line in text.splitlines() if _key(line) not in gone or not line.strip()).strip()


def _key(text: str) -> str:
    return " ".join(_words(text)).lower()


def _words(text: str) -> list[str]:
    return _WORD.findall(text)
