"""The sample library's judgments, joined with the chunks of an index by the words they name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rag.errors import DatasetError
from rag.evaluation.data.sample import from_sample, holding, sample_questions
from rag.ingest.sample import sample_items
from rag.services import Rag
from rag.settings import load_settings
from rag.tasks.corpus import Passage
from tests.fakes import FakeEmbedder

TEXTS = (
    "Goods may go back\nwithin   thirty days.",
    "The label is in the box. Repairs are paid for by",
    "us while the warranty lasts.",
)
PASSAGES = [Passage(f"p{number}", "doc", "returns.md", number, text) for number, text in enumerate(TEXTS)]
SQUEEZED = {passage.id: " ".join(passage.text.split()) for passage in PASSAGES}


def write(library: Path, *relevant: list[tuple[str, str]]) -> Path:
    rows = [
        {
            "id": f"qa-{number}",
            "question": f"Question {number}?",
            "relevant": [{"file": file, "passage": words} for file, words in parts],
            "answer": [],
            "language": "en",
        }
        for number, parts in enumerate(relevant)
    ]
    (library / "judgments").mkdir()
    (library / "judgments" / "qa.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return library


@pytest.mark.parametrize(
    ("words", "held"),
    [
        ("go back within thirty days", ["p0"]),
        ("Repairs are paid for by us while", ["p1"]),
        ("paid for by us while the warranty lasts", ["p2"]),
        ("for by us while", []),
        ("Repairs are never paid for by us", []),
        ("The label", ["p1"]),
    ],
)
def test_the_passage_with_the_words_or_with_most_of_them_is_relevant(words: str, held: list[str]) -> None:
    assert holding(words, PASSAGES, SQUEEZED) == held


def test_words_that_two_overlapping_passages_hold_make_both_relevant() -> None:
    twice = [PASSAGES[0], Passage("p9", "doc", "returns.md", 9, "within thirty days. The label")]
    texts = {passage.id: " ".join(passage.text.split()) for passage in twice}
    assert holding("within thirty days.", twice, texts) == ["p0", "p9"]


def test_a_question_without_its_passages_is_left_out_with_a_note(tmp_path: Path) -> None:
    library = write(
        tmp_path,
        [("returns.md", "within thirty days"), ("other.md", "within thirty days")],
        [("other.md", "within thirty days")],
        [("returns.md", "words that are gone")],
    )
    dataset = from_sample(PASSAGES, "qa", library)
    assert dataset.origin == "sample"
    assert dict(dataset.judged) == {"qa-0": {"p0": 1}}
    assert dataset.notes[-1].startswith("2 of 3 questions are about passages that are not in the index")


def test_an_index_without_any_of_it_says_what_to_load(tmp_path: Path) -> None:
    library = write(tmp_path, [("other.md", "nothing of this")])
    with pytest.raises(DatasetError, match="ingest --sample"):
        from_sample(PASSAGES, "qa", library)


def test_a_checkout_without_the_library_has_no_questions(tmp_path: Path) -> None:
    assert sample_questions("qa", tmp_path) == []


def test_the_sample_judges_in_the_place_of_synthetic_questions_when_it_is_loaded(tmp_path: Path) -> None:
    rag = Rag(load_settings(data_dir=tmp_path / "data", workers=1), embedder=FakeEmbedder(dimension=384))
    evaluations = rag.evaluations
    faq = b"question,answer\nHow do I clean it?,With water.\nHow long is the warranty?,Two years.\n"
    rag.ingest_uploads([("support/faq.csv", faq)], "faq")
    assert evaluations.judged("faq").sample == 0
    assert evaluations.from_index("faq").origin == "synthetic"
    rag.ingest_items(sample_items()["faq"], "faq")
    judged = evaluations.judged("faq").sample
    dataset = evaluations.from_index("faq")
    assert dataset.origin == "sample"
    assert len(dataset.questions) == judged == len(sample_questions("faq"))
    assert evaluations.from_index("faq", "synthetic").origin == "synthetic"
    result, folder = evaluations.run(dataset, "faq", ["bm25"])
    assert result.origin == "sample"
    assert "Judgments of the sample library" in (folder / "report.md").read_text()
    rag.close()
