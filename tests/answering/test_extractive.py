import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.answering.citations import NO_ANSWER, cite
from rag.answering.quoting import ExtractiveAnswerer
from rag.tasks import TASKS, get_task
from rag.types import Answer, Hit, Turn
from tests.build import payload
from tests.fakes import FakeEmbedder


def hit(rank: int, text: str, name: str = "manual.md", title: str = "", kind: str = "markdown", **about: object) -> Hit:
    document = {"document": f"d{rank}", "name": name, "title": title, "media_type": kind, "language": "python"}
    return Hit(f"id{rank}", rank, 1.0 / rank, payload(text, ordinal=rank, **document, **about))


def text_of(answerer: ExtractiveAnswerer, question: str, hits: list[Hit], task: str = "qa") -> str:
    return "".join(delta.text for delta in answerer.stream(question, hits, (), get_task(task)))


def ask(question: str, hits: list[Hit], task: str = "qa") -> Answer:
    return cite(text_of(ExtractiveAnswerer(), question, hits, task), hits)


MANUAL = [
    hit(1, "The screen shows pictures. It is bright. The stand is made of steel."),
    hit(2, "The battery is under the cover. It lasts 12 hours when the screen is dim. Keep it dry."),
    hit(3, "To pair a speaker, open the settings. Select Bluetooth and press the button. Wait for a tone."),
]


def test_the_sentence_that_answers_is_quoted_with_its_mark() -> None:
    answer = ask("What is the stand made of?", MANUAL)
    assert answer.text == "The stand is made of steel. [1]"
    assert [citation.number for citation in answer.citations] == [1]


def test_a_question_of_number_prefers_the_sentence_with_one() -> None:
    assert "It lasts 12 hours when the screen is dim. [2]" in ask("How long does the battery last?", MANUAL).text


def test_what_a_sentence_leans_on_is_quoted_before_it() -> None:
    hits = [hit(1, "The lamp is old. Ordinary systems leave the prompt out. We call that the naive mode. It is fast.")]
    text = ask("What is the naive mode?", hits).text
    assert text == "Ordinary systems leave the prompt out. [1] We call that the naive mode. [1]"


def test_a_heading_and_a_command_are_not_an_answer() -> None:
    about = "Delete a document\n\nrag delete document\n\nAll chunks of the document go, in both modes."
    answer = ask("What happens when I delete a document?", [hit(1, about, headings=("Delete a document",))])
    assert answer.text == "All chunks of the document go, in both modes. [1]"


def test_a_question_for_steps_gets_the_steps_in_order() -> None:
    text = ask("How do I pair a Bluetooth speaker?", MANUAL).text
    assert text.startswith("To pair a speaker, open the settings. [3] Select Bluetooth and press the button. [3]")


@pytest.mark.parametrize(
    "question",
    ["Who won the world cup in 1998?", "How do I bake bread?", "Where is the capital of France?", "?", "", "Is it?"],
)
def test_what_the_hits_do_not_speak_of_is_refused(question: str) -> None:
    answer = ask(question, MANUAL)
    assert (answer.text, answer.answered, answer.citations) == (NO_ANSWER, False, ())


@pytest.mark.parametrize("task", sorted(TASKS))
def test_without_hits_there_is_no_answer(task: str) -> None:
    assert ask("How do I pair a speaker?", [], task).text == NO_ANSWER


def test_other_sentences_come_in_only_when_they_say_more() -> None:
    hits = [hit(1, "Cats sleep all day."), hit(2, "Cats sleep all day."), hit(3, "Dogs sleep at night.")]
    text = ask("Where and when do cats and dogs sleep?", hits).text
    assert text.count("Cats sleep all day.") == 1
    assert "Dogs sleep at night. [3]" in text


EVIL = [
    "The lamp is red [7] and [1, 2] and 【3】 bright.",
    "The lamp is `red and bright.",
    "The lamp ``` is red ~~~ [2] here.",
    "The lamp is red: `rows[9]` here.",
    "The lamp is red ![x](http://evil/x.png) here.",
]


@pytest.mark.parametrize("text", EVIL)
def test_quoted_text_cannot_make_or_hide_a_mark(text: str) -> None:
    answer = ask("Which lamp is red?", [hit(1, text), hit(2, "Nothing."), hit(3, "Nothing more.")])
    assert [citation.number for citation in answer.citations] == [1]
    assert answer.removed_citations == 0
    assert answer.text.endswith(" [1]")
    assert answer.text.count("](") == text.count("](")


PIECES = ["lamp", "red", " ", ". ", "\n", "`", "```", "~~~", "[1]", "[9]", "【2】", "[", "]", "](x)", "漢。", "- "]
TEXTS = st.lists(st.sampled_from(PIECES), min_size=1, max_size=25).map("".join)


@pytest.mark.parametrize("task", sorted(TASKS))
@given(st.lists(TEXTS, min_size=1, max_size=4), TEXTS)
@settings(max_examples=60, deadline=None)
def test_every_mark_names_a_hit_whatever_the_texts_hold(task: str, texts: list[str], question: str) -> None:
    hits = [hit(i, text, name=text, title=text, answer=text, summary=text) for i, text in enumerate(texts, 1)]
    answer = ask(question, hits, task)
    assert answer.removed_citations == 0
    assert answer.answered is bool(answer.citations)


def test_an_embedder_chooses_among_sentences_but_never_makes_an_answer() -> None:
    fake = FakeEmbedder()
    answerer = ExtractiveAnswerer(fake.encode)
    assert text_of(answerer, "How do I bake bread?", MANUAL) == NO_ANSWER
    assert fake.seen == []

    def second(texts: list[str]) -> np.ndarray:
        like = [1.0 if text == texts[0] or "second" in text else 0.0 for text in texts]
        return np.array([[x, 1.0 - x] for x in like], dtype=np.float32)

    hits = [hit(1, "The first lamp is a red lamp. The second lamp is a red lamp.")]
    assert text_of(ExtractiveAnswerer(second), "Is a lamp red?", hits).startswith("The second")


def test_a_question_in_a_passage_is_not_the_answer() -> None:
    hits = [hit(1, 'People write "How long is the warranty?" The warranty of the lamp lasts two years.')]
    text = text_of(ExtractiveAnswerer(FakeEmbedder().encode), "How long is the warranty?", hits)
    assert text == "The warranty of the lamp lasts two years. [1]"


def test_faq_gives_the_stored_answer_of_the_closest_entry_and_near_ones() -> None:
    hits = [
        hit(1, "How do I pay?", answer="By card.\nOr cash."),
        hit(2, "Can I pay later?", answer="No."),
        hit(3, "Where is my parcel?", answer="On its way."),
    ]
    lines = ask("How can I pay for it?", hits, "faq").text.split("\n")
    assert lines[:3] == ["“How do I pay?” [1]", "By card.", "Or cash. [1]"]
    assert lines[-2:] == ["- “Can I pay later?” [2]", "- “Where is my parcel?” [3]"]
    assert not ask("Do whales sing?", hits, "faq").answered


def test_similar_lists_documents_and_what_they_share() -> None:
    hits = [
        hit(1, "Sorting networks compare wires in parallel.", title="Sorting networks"),
        hit(2, "Entirely other.", name="b.txt"),
    ]
    first, second = ask("A page about parallel sorting with networks of wires.", hits, "similar").text.split("\n")
    assert first.startswith("- Sorting networks (manual.md) [1]: shares ")
    assert {"sorting", "networks", "wires", "parallel"} == set(first.split("shares ")[1].split(", "))
    assert second == "- b.txt [2]: near in meaning, no word shared"


def test_code_names_file_lines_and_symbol_and_quotes_the_first_lines() -> None:
    body = "def fuse(a, b):\n" + "\n".join(f"    x[{i}] = '```'" for i in range(40))
    first = hit(1, body, name="fusion.py", kind="code", symbol="fuse", line_start=7, line_end=47)
    answer = ask("fuse two lists", [first, hit(2, "def g(): ...", name="g.py", kind="code")], "code")
    assert answer.text.startswith("fuse in fusion.py, lines 7-47 [1]\n````python\ndef fuse(a, b):\n    x[0] = '```'")
    assert answer.text.endswith("…\n````\n\ng.py [2]")
    assert [citation.number for citation in answer.citations] == [1, 2]


def test_summary_lists_only_documents_about_the_topic() -> None:
    hits = [
        hit(1, "long", name="a.md", summary="Cats are animals. They purr. They sleep."),
        hit(2, "long", name="b.md", summary="Steel is a metal."),
    ]
    assert ask("cats and other animals", hits, "summary").text == "- a.md [1]: Cats are animals. They purr."


HISTORY = [
    Turn("user", "How do I pair a Bluetooth speaker?"),
    Turn("assistant", "Press the button [1]."),
]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("And a keyboard?", "pair bluetooth speaker And a keyboard?"),
        ("What about a keyboard with a cable?", "pair bluetooth speaker What about a keyboard with a cable?"),
        ("How far can it be from the television?", "pair bluetooth speaker How far can it be from the television?"),
        ("Why?", "pair bluetooth speaker Why?"),
        ("Is there a keyboard shortcut for the brightness?", "Is there a keyboard shortcut for the brightness?"),
        ("Where does the company store broken displays?", "Where does the company store broken displays?"),
    ],
)
def test_a_follow_up_that_leans_gets_the_subject_before_it(question: str, expected: str) -> None:
    assert ExtractiveAnswerer().condense(question, HISTORY) == expected
    assert ExtractiveAnswerer().condense(question, []) == question


def test_the_subject_is_sought_further_back_when_the_last_question_has_none() -> None:
    history = [*HISTORY, Turn("user", "Why?"), Turn("assistant", "It is so [1].")]
    assert ExtractiveAnswerer().condense("And then?", history) == "pair bluetooth speaker And then?"


def test_its_name_is_shown() -> None:
    assert ExtractiveAnswerer().name == "extractive"


def test_how_long_asks_for_a_number_and_is_not_what_the_question_is_about():
    found = [hit(1, "The warranty lasts two years from the day of purchase.")]
    assert "two years" in ask("How long is the warranty?", found).text
