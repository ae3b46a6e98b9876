"""Questions made of passages."""

from rag.evaluation.data.made import made_questions
from rag.tasks.corpus import Passage

LONG = "The battery of the device lasts for about ten hours of use. It can be charged while the device is in use."


def passages(count, text=LONG, answer=""):
    return [Passage(str(n), f"d{n}", "a.txt", n, f"{text} Number {n} says so too, and more of it.", answer=answer)
            for n in range(count)]  # fmt: skip


def test_a_question_is_a_part_of_one_sentence() -> None:
    for question in made_questions([Passage("1", "d", "a.txt", 0, LONG)] * 9):
        assert 4 <= len(question.split()) <= 9
        assert any(is_part(question.split(), sentence.split()) for sentence in LONG.split(". ")), question


def is_part(words, of) -> bool:
    remaining = iter(word.strip(".") for word in of)
    return all(word.strip(".") in remaining for word in words)


def test_the_same_seed_gives_the_same_questions_and_another_one_others() -> None:
    assert made_questions(passages(30)) == made_questions(passages(30))
    assert made_questions(passages(30)) != made_questions(passages(30), seed=1)


def test_there_are_at_most_as_many_as_asked_for_and_none_twice() -> None:
    questions = made_questions(passages(100), count=7)
    assert len(questions) <= 7
    assert len(set(questions)) == len(questions)


def test_an_entry_is_asked_by_its_question_however_short() -> None:
    entry = Passage("1", "d", "faq.csv", 0, "Where is it?", answer="In the long answer that is not asked about here.")
    (question,) = made_questions([entry])
    assert len(question.split()) == 2
    assert set(question.split()) < {"Where", "is", "it?"}


def test_passages_without_a_sentence_are_passed_over() -> None:
    assert made_questions([Passage("1", "d", "a.txt", 0, "Too short.")]) == []
