"""Questions made from a corpus cannot be found by what they were made of."""

from __future__ import annotations

import pytest

from rag.errors import DatasetError
from rag.evaluation.data.datasets import Dataset
from rag.evaluation.data.synthetic import synthetic
from rag.settings import Settings
from rag.tasks import TASKS, get_task
from rag.tasks.code import split_docstring
from rag.tasks.corpus import Passage
from tests.evaluation.build import evaluated
from tests.fakes import FakeEmbedder

BODY = "Hold the button for three seconds until the small lamp turns green and the sound is heard twice."


def judge(passages: list[Passage], task: str, **more: int) -> Dataset:
    return synthetic(passages, get_task(task), **more)


def passage(key: str, text: str, document: str = "d", **more: object) -> Passage:
    return Passage(key, document, f"{document}.md", 0, text, **more)  # type: ignore[arg-type]


def test_headings_ask_for_their_sections() -> None:
    headed = [
        passage("p1", f"Pairing the remote\n\n{BODY}", headings=("Guide", "Pairing the remote"), title="Guide"),
        passage("p2", f"More. {BODY}", headings=("Guide", "Pairing the remote")),
        passage("p3", f"Resetting the lamp\n\n{BODY}", headings=("Guide", "Resetting the lamp")),
        passage("p4", "Too short.", headings=("Guide", "Nothing here")),
        passage("p5", BODY, headings=()),
        passage("p6", BODY, document="e", headings=("Other notes",)),
        passage("p7", BODY, document="f", headings=("Other notes",)),
    ]
    dataset = judge(headed, "qa")
    grades = {question.text: dataset.judged[question.id] for question in dataset.questions}
    assert grades == {"Pairing the remote": {"p1": 1, "p2": 1}, "Resetting the lamp": {"p3": 1}}
    assert dataset.origin == "synthetic"
    assert "Synthetic judgments" in dataset.notes[0]
    for record in dataset.documents:
        assert record.title == ""
        assert "Pairing the remote" not in record.text
        assert "Resetting the lamp" not in record.text


def test_faq_groups_hold_one_wording_out() -> None:
    entries = [
        passage(f"p{group}{wording}", f"wording {wording} of question {group}?", answer=f"Answer {group}.")
        for group in range(6)
        for wording in range(3)
    ]
    dataset = judge(entries, "faq")
    assert len(dataset.questions) == 6
    assert len(dataset.documents) == 12
    for question in dataset.questions:
        assert question.text not in [record.text for record in dataset.documents]
        assert len(dataset.judged[question.id]) == 2


def test_faq_without_groups_asks_for_answers() -> None:
    entries = [passage(f"p{n}", f"How do I do thing {n}?", answer=f"Do it {n} times.") for n in range(4)]
    dataset = judge(entries, "faq")
    assert {record.text for record in dataset.documents} == {f"Do it {n} times." for n in range(4)}
    assert dataset.judged["f-p2"] == {"p2": 1}


CODE = '''def fuse(dense, sparse, weight):
    """Mix two ranked lists by a weight. The rest is detail.

    Args:
        weight: Share.
    """
    return [weight * a + (1 - weight) * b for a, b in zip(dense, sparse)]
'''


def test_docstrings_ask_for_their_code() -> None:
    dataset = judge([passage("p1", CODE), passage("p2", "x = 1\ny = 2\n")], "code")
    assert [(question.text, dataset.judged[question.id]) for question in dataset.questions] == [
        ("Mix two ranked lists by a weight.", {"p1": 1})
    ]
    text = next(record.text for record in dataset.documents if record.id == "p1")
    assert "Mix two" not in text
    assert "zip(dense, sparse)" in text
    assert len(dataset.documents) == 2


@pytest.mark.parametrize(
    ("code", "description", "rest"),
    [
        (CODE, "Mix two ranked lists by a weight.", "return [weight"),
        ("    async def f(self):\n        '''Read one page.'''\n        await g()\n", "Read one page.", "await g()"),
        ("/**\n * Adds two.\n * @param a first\n */\nint add(int a, int b) { return a + b; }", "Adds two.", "int add"),
        ("// Opens the file\n// for reading.\nfunc Open() {}", "Opens the file for reading.", "func Open"),
        ("# copies files\ncp -r a b", "copies files", "cp -r a b"),
        ("def f():\n    sql = '''select one row'''\n    return sql", "", ""),
        ("#!/bin/sh\nls", "", ""),
        ("#include <a.h>\nint x;", "", ""),
        ("def broken(:\n    '''Never parsed.'''", "", ""),
        ("", "", ""),
    ],
)  # fmt: skip
def test_descriptions_are_taken_out_of_code(code: str, description: str, rest: str) -> None:
    sentence, remainder = split_docstring(code)
    assert sentence == description
    assert rest in remainder
    assert not description or description not in remainder


@pytest.mark.slow
def test_halves_of_documents_find_each_other(settings: Settings) -> None:
    texts = {
        name: ". ".join(f"The {name} number {n} has its own colour, weight and {name} price" for n in range(20)) + "."
        for name in ("apple", "boat", "chair", "drum")
    }
    dataset = judge([passage(f"p-{name}", text, document=name) for name, text in texts.items()], "similar")
    assert len(dataset.questions) == 4
    for question in dataset.questions:
        half = next(record for record in dataset.documents if {record.id: 1} == dataset.judged[question.id])
        assert question.text[:60] not in half.text
        assert texts[half.id].startswith(question.text[:60])
    result = evaluated(dataset, settings, FakeEmbedder(dimension=256), "bm25", task="similar")
    assert result.origin == "synthetic"
    assert result.system("bm25").means["nDCG@10"] == pytest.approx(1.0)


def test_titles_ask_for_summaries() -> None:
    dataset = judge([passage("p1", BODY, title="Lamps and sounds", summary=f"Lamps and sounds\n{BODY}")], "summary")
    assert dataset.questions[0].text == "Lamps and sounds"
    assert dataset.documents[0].text == BODY


@pytest.mark.parametrize("task", TASKS)
def test_a_corpus_without_structure_says_what_it_would_need(task: str) -> None:
    with pytest.raises(DatasetError, match=r"No questions can be made from the 1 chunks .* needs"):
        judge([passage("p1", "word")], task)


def test_large_corpora_are_sampled_the_same_way_each_time() -> None:
    entries = [passage(f"p{n}", f"How do I do thing {n}?", answer=f"Do it {n} times.") for n in range(50)]
    some = judge(entries, "faq", limit=10)
    assert len(some.questions) == 10
    assert len(some.documents) == 50
    assert {q.id for q in some.questions} == {q.id for q in judge(entries[::-1], "faq", limit=10).questions}
