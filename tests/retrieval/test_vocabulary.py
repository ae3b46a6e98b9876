"""Questions as people type them, read by the terms of an index."""

import threading
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.retrieval.analyser import analyse, question_terms, stem_words
from rag.retrieval.vocabularies import Vocabularies
from rag.retrieval.vocabulary import Vocabulary
from rag.types import Filter
from tests.fakes import FakeEmbedder
from tests.fakes_index import filled_index

TEXTS = (
    "Methylprednisolone is given with ciprofloxacin.",
    "Box plots show the spread. Draw box plots in colour.",
    "Feedforward layers and a non response.",
    "A wi-fi channel with error E07 on port RS-485.",
    "The class ParserCore calls load_file in version 4.2.1.",
    "Connect the speakers to the receiver. The receiver is on.",
    "The battery lasts two years with 0-10 V and OK-4400.",
)


def vocabulary(*texts: str) -> Vocabulary:
    return Vocabulary(" ".join(analyse(text, "prose")) for text in texts or TEXTS)


@pytest.mark.parametrize(
    ("question", "terms"),
    [
        ("methylprednisolole", ["methylprednisolon"]),
        ("ciprofaxin", ["ciprofloxacin"]),
        ("recievers", ["receiv"]),
        ("speakres", ["speaker"]),
        ("batery", ["batteri"]),
        ("conecting", ["connect"]),
    ],
)
def test_a_slip_is_read_as_the_nearest_term(question, terms):
    wording = vocabulary().read(question, "prose")
    assert list(wording.searched) == list(wording.terms) == terms
    assert wording.matched == 1.0


@pytest.mark.parametrize("word", ["tvs", "e08", "rs-486", "4.2.2", "lost", "ok4401", "xyzzyqw"])
def test_short_words_codes_common_words_and_strangers_stay(word):
    assert list(vocabulary().read(word, "prose").searched) == analyse(word, "prose")


def test_what_is_known_stays_as_it_is():
    texts = ("a receiver", "a deceiver", "a deceiver")
    assert vocabulary(*texts).read("receiver", "prose").searched == ("receiv",)


def test_the_nearest_come_first_and_then_the_most_frequent_and_no_more_than_three():
    known = vocabulary("blorna", "blorna", "blornb", "blornb", "blornb", "blornc", "blornd", "blornzzz")
    assert known.read("blornx", "prose").searched == ("blornb", "blorna", "blornc")
    assert known.read("blornx", "prose").terms == ("blornb",)


@pytest.mark.parametrize(
    ("question", "more"),
    [
        ("a boxplot", {"box", "plot"}),
        ("feed forward", {"feedforward"}),
        ("feed-forward", {"feedforward"}),
        ("nonresponse", {"non", "respons"}),
        ("wifi", {"wi", "fi"}),
        ("OK4400", {"ok", "4400"}),
        ("RS485", {"rs", "485"}),
        ("10V", {"10", "v"}),
        ("parser core", {"parsercor"}),
        ("parser_core", {"parsercor"}),
        ("loadFile", {"load", "file"}),
    ],
)
def test_words_are_found_together_and_apart(question, more):
    wording = vocabulary().read(question, "prose")
    assert more <= set(wording.searched)
    assert wording.matched == 1.0


def test_a_word_that_few_passages_break_is_not_taken_apart():
    texts = ["infection"] * 30 + ["infec tion"]
    assert vocabulary(*texts).read("infection", "prose").searched == ("infect",)
    assert set(vocabulary(*["website"] * 3, "web site").read("website", "prose").searched) == {"websit", "web", "site"}


def test_neighbours_in_different_passages_are_no_word():
    assert vocabulary("box", "plot").read("boxplot", "prose").searched == ("boxplot",)


def test_the_matched_part_is_that_of_the_weight():
    known = vocabulary()
    assert known.read("battery", "prose").matched == 1.0
    assert known.read("zxqj", "prose").matched == 0.0
    assert 0.3 < known.read("battery zxqjk", "prose").matched < 0.5
    assert known.read("what is it", "prose").matched == 1.0


def test_an_empty_vocabulary_and_a_long_text_change_nothing():
    assert Vocabulary([]).read("batery", "prose").searched == ("bateri",)
    assert Vocabulary([]).read("batery", "prose").matched == 1.0
    text = "batery " * 65
    assert set(vocabulary().read(text, "prose").searched) == {"bateri"}


def test_names_in_code_are_corrected_too():
    known = Vocabulary([" ".join(analyse("def parse_header(line)", "code"))])
    assert known.read("parse the headr", "code").searched == ("pars", "header")


WORDS = st.lists(st.text("abcdé .-_1", min_size=1, max_size=12), max_size=6)


@given(WORDS, WORDS)
def test_frequencies_are_those_of_a_plain_count(texts, asked):
    passages = [" ".join(analyse(text, "prose")) for text in texts]
    known = Vocabulary(passages)
    for term in {term for passage in passages for term in passage.split()}:
        assert known.frequency(term) == sum(term in passage.split() for passage in passages)
    question = " ".join(asked)
    wording = known.read(question, "prose")
    assert 0.0 <= wording.matched <= 1.0 + 1e-9
    if all(term in known for term in analyse(question, "prose")):
        terms = question_terms(analyse(question, "prose"), "prose")
        assert wording.searched[: len(terms)] == terms


def test_a_vocabulary_is_read_in_the_background_and_again_when_points_came(monkeypatch):
    monkeypatch.setattr("rag.retrieval.vocabularies._CHECKED_SECONDS", 0.0)
    monkeypatch.setattr("rag.retrieval.vocabularies._SHARE", 0)
    index = filled_index(FakeEmbedder(), {"a": "red lamp"})
    held, real = threading.Event(), index.count
    index.count = lambda: held.wait(5) and real()
    read = Vocabularies()
    assert read.of(index, "default") is None
    held.set()
    read.wait()
    first = read.of(index, "default")
    assert "lamp" in first
    read.wait()
    assert read.of(index, "default") is first
    read.wait()
    for batch in list(index.scroll(Filter("default"))):
        index.delete_versions([point.payload.version for point in batch])
    read.of(index, "default")
    read.wait()
    assert "lamp" not in read.of(index, "default")
    read.close()


def test_an_index_that_was_closed_has_no_vocabulary():
    index = filled_index(FakeEmbedder(), {"a": "red lamp"})
    index.close()
    read = Vocabularies()
    assert read.of(index, "default") is None
    read.wait()
    assert read.of(index, "default") is None
    read.close()
    assert read.of(index, "default") is None


def test_few_words_that_say_no_language_are_read_in_those_of_the_index():
    known = Vocabulary([" ".join(analyse("Die Kündigung der Verträge ist möglich.", "prose", "de"))])
    for question in ("Kündigungen", "kündigung die vertrag"):
        wording = known.read(question, "prose")
        assert wording.matched == 1.0
        assert all(term in known for term in wording.searched)


@pytest.mark.parametrize("text", ["b" * 200_000, "ä" * 50_000 + " " + "ö" * 50_000, "x" * 50_000 + "-" + "y" * 50_000])
def test_a_word_without_end_is_left_as_it_is(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No work grows with the square of its letters: what is stemmed and compared is bounded."""
    longest = 0

    def counting(words: Sequence[str], language: str = "en") -> list[str]:
        nonlocal longest
        longest = max([longest, *map(len, words)])
        return stem_words(words, language)

    vocabulary = Vocabulary(["warranti lamp box plot", "lamp tea"])
    monkeypatch.setattr("rag.retrieval.vocabulary.stem_words", counting)
    assert vocabulary.read(text, "prose").matched == 0.0
    assert longest <= 64
