"""Thumbs and files become judgments, with what they cannot say stated."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rag.catalog import Catalog, Feedback
from rag.errors import DatasetError
from rag.evaluation.data.datasets import load_dataset
from rag.evaluation.data.judgments import from_feedback, from_file, rank_bias, write_dataset
from rag.tasks.corpus import Passage
from tests.evaluation.build import topics

PASSAGES = [
    Passage("p1", "doc-a", "a.md", 0, "Cats purr.", headings=("Pets",)),
    Passage("p2", "doc-a", "a.md", 1, "Dogs bark."),
    Passage("p3", "doc-b", "rows.csv", 0, "Birds sing.", key="r1"),
    Passage("p4", "doc-c", "rows.csv", 0, "Fish swim.", key="r2"),
]
UP = Feedback("qa", "Who purrs?", True, "citation", ("p1",), ("doc-a",), ("Cats purr.",), 2, "task-aware", "hybrid")
DOWN = replace(UP, helpful=False, points=("p2",), texts=("Dogs bark.",), rank=1)
ANSWER = Feedback(
    "qa", "Who makes noise?", True, "answer", ("p1", "p2"), ("doc-a", "doc-a"), ("", ""), 1, "task-aware", "hybrid"
)


def judged(*thumbs: Feedback) -> dict[str, dict[str, int]]:
    dataset = from_feedback(thumbs, PASSAGES, "qa")
    texts = {question.id: question.text for question in dataset.questions}
    return {texts[question]: dict(grades) for question, grades in dataset.judged.items()}


def test_thumbs_become_grades() -> None:
    assert judged(UP, DOWN, ANSWER) == {"Who purrs?": {"p1": 1, "p2": 0}, "Who makes noise?": {"p1": 1, "p2": 1}}


def test_the_last_thumb_wins_and_spelling_of_spaces_and_case_does_not_matter() -> None:
    assert judged(DOWN, replace(DOWN, question="who  PURRS?", helpful=True)) == {"who  PURRS?": {"p2": 1}}
    assert judged(UP, ANSWER, replace(UP, helpful=False)) == {"Who makes noise?": {"p1": 1, "p2": 1}}


def test_a_thumb_down_on_an_answer_blames_no_source() -> None:
    assert judged(UP, replace(ANSWER, helpful=False)) == {"Who purrs?": {"p1": 1}}


def test_a_source_is_found_again_after_a_reindex() -> None:
    dataset = from_feedback([replace(UP, points=("old",))], PASSAGES, "qa")
    assert list(dataset.judged.values()) == [{"p1": 1}]
    lossy = from_feedback([UP, replace(DOWN, points=("old",), texts=("changed",))], PASSAGES, "qa")
    assert any("1 thumbs are about sources that are no longer" in note for note in lossy.notes)


def test_the_rank_bias_is_stated() -> None:
    dataset = from_feedback([UP, DOWN], PASSAGES, "qa")
    assert dataset.origin == "feedback"
    assert "ranks 1 to 2" in dataset.notes[0]
    assert "2 task-aware hybrid" in dataset.notes[0]
    assert "Only what was shown could be judged" in rank_bias([UP])


@pytest.mark.parametrize("thumbs", [[], [DOWN], [replace(UP, task="faq")], [replace(ANSWER, helpful=False)]])
def test_without_a_thumb_up_there_is_nothing_to_judge_by(thumbs: list[Feedback]) -> None:
    with pytest.raises(DatasetError, match="expected at least one thumb up"):
        from_feedback(thumbs, PASSAGES, "qa")


def test_thumbs_are_kept_by_workspace_and_task(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    try:
        first, second = catalog.workspace("mine").feedback, catalog.workspace("other").feedback
        stored = first.add(UP)
        first.add(replace(UP, task="faq"))
        assert first.list("qa") == [stored]
        assert stored.id
        assert stored.created > 0
        assert replace(stored, id="", created=0.0) == UP
        assert len(first.list()) == 2
        assert second.list() == []
        second.delete([stored.id])
        assert first.list("qa") == [stored]
        first.delete([stored.id])
        assert first.list("qa") == []
    finally:
        catalog.close()


def test_a_file_of_judgments_names_documents_as_people_do(tmp_path: Path) -> None:
    lines = "question\tdocument\tgrade\nWho purrs?\ta.md\t2\nWho sings?\tr1\t1\nWho swims?\trows.csv/r2\t1\n"
    (tmp_path / "mine.tsv").write_text(lines)
    dataset = from_file(tmp_path / "mine.tsv", PASSAGES, "qa")
    texts = {question.id: question.text for question in dataset.questions}
    assert {texts[q]: dict(grades) for q, grades in dataset.judged.items()} == {
        "Who purrs?": {"doc-a": 2}, "Who sings?": {"doc-b": 1}, "Who swims?": {"doc-c": 1},
    }  # fmt: skip
    assert {record.id: record.text for record in dataset.documents}["doc-a"] == "Cats purr.\n\nDogs bark."
    (tmp_path / "mine.tsv").write_text(lines + "Who hops?\tnowhere.md\t1\n")
    with pytest.raises(DatasetError, match=r"1 of 4 judgments .* 'nowhere.md'"):
        from_file(tmp_path / "mine.tsv", PASSAGES, "qa")
    (tmp_path / "mine.tsv").write_text(lines + "no tabs here\n")
    with pytest.raises(DatasetError, match=r"mine\.tsv, line 5"):
        from_file(tmp_path / "mine.tsv", PASSAGES, "qa")
    with pytest.raises(DatasetError, match="no such file"):
        from_file(tmp_path / "absent.tsv", PASSAGES, "qa")


def test_a_name_that_means_two_documents_means_none(tmp_path: Path) -> None:
    (tmp_path / "mine.tsv").write_text("Who sings?\trows.csv\t1\n")
    with pytest.raises(DatasetError, match=r"'rows\.csv'"):
        from_file(tmp_path / "mine.tsv", PASSAGES, "qa")


def test_judgments_can_be_written_out_and_read_back(tmp_path: Path) -> None:
    dataset = from_feedback([UP, ANSWER], PASSAGES, "qa")
    back = load_dataset(write_dataset(dataset, tmp_path / "out"))
    assert (back.documents, back.questions, back.judged) == (dataset.documents, dataset.questions, dataset.judged)
    assert "Only what was shown could be judged" in (tmp_path / "out" / "SOURCE.md").read_text()
    whole = topics()
    assert load_dataset(write_dataset(whole, tmp_path / "topics")).judged == whole.judged
