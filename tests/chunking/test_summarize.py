import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.chunking.summarize import summarize
from rag.types import Document, Segment

THINGS = ("spoons", "clouds", "stairs", "coats", "keys")
FILLER = [f"Nobody ever counted the {word} twice on a rainy afternoon." for word in THINGS]
LEAD = "Bees make honey from the nectar of flowers."
MIDDLE = "A bee visits hundreds of flowers to make one drop of honey."


def text_of(*sentences: str) -> str:
    return " ".join(sentences)


def test_central_sentences_are_chosen_in_their_order() -> None:
    about = ["The honey of bees keeps for years.", "Flowers give bees their nectar."] * 2
    text = text_of(LEAD, *FILLER, about[0], MIDDLE, *FILLER, about[1])
    summary = summarize(Document("a", text, "text"), 220)
    assert LEAD in summary
    assert MIDDLE in summary
    assert summary.index(LEAD) < summary.index(MIDDLE)
    assert len(summary) <= 220


def test_what_is_said_is_not_said_again() -> None:
    text = text_of(*[LEAD] * 20, "Wasps build nests of paper under the roofs of old houses.")
    summary = summarize(Document("a", text, "text"), 200)
    assert "Wasps" in summary


def test_a_short_text_is_its_own_summary() -> None:
    assert summarize(Document("a", "  One\n thing. ", "text"), 100) == "One thing."


def test_headings_and_symbols_are_the_outline() -> None:
    body = " ".join(FILLER * 8)
    text = "Setting up\n\n" + body
    document = Document("a", text, "markdown", segments=(Segment(0, 10, "heading"), Segment(12, len(text))))
    assert summarize(document, 300).startswith("Setting up\nNobody")
    code = Document("a", body, "code", segments=(Segment(0, len(body), "code", symbol="first"),))
    assert summarize(code, 300).startswith("first\n")


def test_code_is_summed_up_by_its_comments() -> None:
    body = "\n".join(f"    total_{i} = compute_{i}(values) + {i}" for i in range(60))
    head = '"""Adds up the bills."""\n\nimport os\n\ndef f(values):\n    # Every bill is read once.\n'
    text = f"{head}{body}\n/* Old ones are kept. */\n"
    assert summarize(Document("a", text, "code"), 200) == (
        "Adds up the bills. Every bill is read once. Old ones are kept."
    )


@pytest.mark.parametrize(
    "text",
    ["蜜蜂从花中采集花蜜。" * 200, "Пчёлы делают мёд из нектара цветов. " * 100, "x" * 999, "?! " * 3000, "1 2. " * 90],
)
def test_any_language_gives_something(text: str) -> None:
    summary = summarize(Document("a", text, "text"), 200)
    assert 0 < len(summary) <= 200


@given(st.text(st.sampled_from("ab c. \n!。é"), max_size=600), st.integers(20, 200))
@settings(max_examples=150, deadline=None)
def test_the_budget_is_kept_and_a_text_gives_a_summary(text: str, budget: int) -> None:
    document = Document("a", text, "text", segments=(Segment(0, len(text) // 3, "heading"),))
    summary = summarize(document, budget)
    assert len(summary) <= budget
    assert bool(summary.strip()) == bool(text.strip())
