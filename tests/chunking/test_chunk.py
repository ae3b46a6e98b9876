import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from textwrap import dedent

import pytest

from rag.chunking import TokenOffsets, Tokens, by_structure, by_summary, chunk, chunking_id
from rag.errors import SettingsError
from rag.tasks import TASKS
from rag.types import Chunk, Chunking, Document, Segment, Span


def offsets(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(r"\w+|[^\w\s]", text)]


def cut(document: Document, task: str, size: int = 40, overlap: int = 0, count: TokenOffsets = offsets) -> list[Chunk]:
    chunking = replace(TASKS[task].chunking, tokens=size, overlap=overlap)
    return list(chunk(document, chunking, count, 512))


def assemble(*parts: tuple[str, str, tuple[str, ...]], media_type: str = "markdown", key: str = "") -> Document:
    """A document out of (kind, text, headings), with blank lines between."""
    text, segments = "", []
    for i, (kind, part, headings) in enumerate(parts):
        text += "\n\n" if text else ""
        segments.append(Segment(len(text), len(text) + len(part), kind, headings, page=i + 1))
        text += part
    return Document("guide.md", text, media_type, key=key, segments=tuple(segments))


def sentences(n: int, subject: str = "cat") -> str:
    return " ".join(f"Here the {subject} number {i} sleeps." for i in range(n))


def test_small_neighbours_of_a_section_are_merged_and_sections_are_not() -> None:
    document = assemble(
        ("heading", "Start", ()),
        ("text", "One thing.", ("Start",)),
        ("text", "Another thing.", ("Start",)),
        ("heading", "End", ()),
        ("text", "Last thing.", ("End",)),
    )
    first, second = cut(document, "qa")
    assert first.text == "Start\n\nOne thing.\n\nAnother thing."
    assert (first.headings, first.page_start, first.page_end) == (("Start",), 1, 3)
    assert second.text == "End\n\nLast thing."
    assert second.headings == ("End",)


def test_a_heading_is_never_alone_before_a_long_text() -> None:
    document = assemble(("heading", "A rather long heading over it", ()), ("text", sentences(40), ("H",)))
    chunks = cut(document, "qa")
    assert len(chunks) > 5
    assert chunks[0].text.startswith("A rather long heading over it\n\nHere the cat number 0 sleeps.")
    assert all(part.text.endswith("sleeps.") and part.headings == ("H",) for part in chunks)


def test_a_heading_in_the_middle_moves_on_with_its_text() -> None:
    document = assemble(
        ("text", sentences(4), ()), ("question", "And what now?", ()), ("answer", sentences(4, "dog"), ())
    )
    first, second = cut(document, "qa", size=38)
    assert first.text == sentences(4)
    assert second.text.startswith("And what now?\n\nHere the dog")


def test_long_sections_overlap_by_whole_sentences() -> None:
    chunks = cut(assemble(("text", sentences(30), ())), "qa", overlap=15)
    for before, after in pairwise(chunks):
        shared = before.text[after.start - before.start :]
        assert after.text.startswith(shared)
        assert re.fullmatch(r"Here the cat number \d+ sleeps\.( Here the cat number \d+ sleeps\.)?", shared)


def test_a_sentence_over_the_limit_is_cut_between_words_and_a_word_over_it_between_tokens() -> None:
    words = " ".join(f"word{i}" for i in range(200))
    assert all(re.fullmatch(r"word\d+( word\d+)*", part.text) for part in cut(assemble(("text", words, ())), "qa"))
    pieces = cut(assemble(("text", "y" * 1000, ())), "qa", count=lambda t: [(i, i + 2) for i in range(0, len(t), 2)])
    assert "".join(part.text for part in pieces) == "y" * 1000


def test_rows_of_a_table_are_not_cut_inside() -> None:
    rows = [f"| row {i} | some value {i} | another value {i} |" for i in range(30)]
    chunks = cut(assemble(("table", "\n".join(rows), ())), "qa")
    assert len(chunks) > 3
    assert [line for part in chunks for line in part.text.split("\n")] == rows


@pytest.mark.parametrize("task", [name for name, spec in TASKS.items() if spec.chunking.cut is not by_summary])
def test_a_row_that_fits_is_one_chunk(task: str) -> None:
    document = assemble(("text", "First.", ()), ("text", "Second.", ("Title",)), media_type="table", key="s1")
    (part,) = cut(document, task)
    assert part.text == document.text
    assert part.inputs == (document.text,)


@pytest.mark.parametrize("task", [name for name, spec in TASKS.items() if spec.chunking.cut is not by_summary])
def test_the_title_of_a_row_is_embedded_with_every_part_and_shown_with_none(task: str) -> None:
    document = replace(Document("a.jsonl", sentences(30), "table", key="s1"), title="Where cats sleep")
    chunks = cut(document, task)
    assert chunks[0].text.startswith("Here the cat")
    for text in (text for part in chunks for text in part.inputs):
        assert text.startswith("Where cats sleep\n")
        assert len(offsets(text)) <= 38


def test_a_class_that_fits_is_one_chunk_with_its_methods() -> None:
    text = "class A:\n    x = 1\n\n    def f(self, one, two): ...\n\n\ndef g(): ..."
    document = code_document(text, ("A", "class A", "1"), ("A.f", "    def f", "..."), ("g", "def g", "..."))
    assert [(part.symbol, part.line_end) for part in cut(document, "code")] == [("A", 4), ("g", 7)]
    small = [part.symbol for part in cut(document, "code", size=20)]
    assert small == ["A", "A.f", "g"]


def test_question_and_answer_segments_are_entries() -> None:
    document = assemble(
        ("question", "How do I start it?", ("Help",)),
        ("answer", "Press the button.", ()),
        ("answer", "Then wait.", ()),
        ("question", "Why is it slow?", ()),
    )
    first, second = cut(document, "faq")
    assert (first.text, first.answer) == ("How do I start it?", "Press the button.\n\nThen wait.")
    assert (first.headings, first.page_start) == (("Help",), 1)
    assert (second.text, second.answer) == ("Why is it slow?", "")


MARKS = [("Q:", "A:"), ("**Q:**", "**A:**"), ("Question 3.", "Answer 3."), ("Frage:", "Antwort:")]


@pytest.mark.parametrize(("q", "a"), MARKS)
def test_marked_lines_are_entries(q: str, a: str) -> None:
    text = f"Some words.\n\n{q} How long does it\ntake?\n{a} A minute.\nOr two.\n\n{q} Why?\n{a} Because."
    first, second = cut(Document("faq.txt", text, "text"), "faq")
    assert (first.text, first.answer) == ("How long does it\ntake?", "A minute.\nOr two.")
    assert (second.text, second.answer) == ("Why?", "Because.")


def test_headings_that_ask_have_their_section_as_the_answer() -> None:
    document = assemble(
        ("heading", "FAQ", ()),
        ("heading", "How do I pay?", ("FAQ",)),
        ("text", "By card.", ("FAQ", "How do I pay?")),
        ("heading", "Cards", ("FAQ", "How do I pay?")),
        ("text", "All of them.", ("FAQ", "How do I pay?", "Cards")),
        ("heading", "Returns", ("FAQ",)),
        ("text", "Within a month.", ("FAQ", "Returns")),
        ("heading", "Where is my parcel?", ("FAQ",)),
        ("text", "On its way.", ("FAQ", "Where is my parcel?")),
    )
    entries = {part.text: part.answer for part in cut(document, "faq") if part.answer}
    assert entries == {
        "How do I pay?": "By card.\n\nCards\n\nAll of them.",
        "Returns": "Within a month.",
        "Where is my parcel?": "On its way.",
    }


def test_a_single_heading_that_asks_among_others_is_the_only_entry() -> None:
    parts = [("heading", name, ()) if i % 2 == 0 else ("text", f"About {name}.", (name,))
             for name in ("Set-up", "Usage", "Licence", "Why is it fast?") for i in range(2)]  # fmt: skip
    chunks = cut(assemble(*parts), "faq")
    entries = [(part.text, part.answer) for part in chunks if part.answer]
    assert entries == [("Why is it fast?", "About Why is it fast?.")]
    assert chunks[0].text == "Set-up\n\nAbout Set-up."


def test_a_document_without_questions_is_cut_into_paragraphs() -> None:
    chunks = cut(Document("a.txt", "First part.\n\nSecond part.", "text"), "faq")
    assert [(part.text, part.answer) for part in chunks] == [("First part.", ""), ("Second part.", "")]


def test_a_whole_document_is_pooled_over_windows_that_cover_it() -> None:
    document = Document("a.txt", sentences(40), "text")
    (part,) = cut(document, "similar")
    assert part.text == document.text
    assert " ".join(part.inputs) == document.text
    lengths = [len(offsets(text)) for text in part.inputs]
    assert max(lengths) <= 38
    assert min(lengths) > 20


def test_a_huge_document_is_sampled_evenly() -> None:
    document = Document("a.txt", sentences(20_000), "text")
    (part,) = cut(document, "similar")
    assert len(part.inputs) == 16
    numbers = [int(re.findall(r"\d+", text)[0]) for text in part.inputs]
    assert numbers[0] == 0
    assert numbers[-1] > 19_900
    assert all(600 < after - before < 2000 for before, after in pairwise(numbers))


CODE = dedent('''\
    """Module."""

    import os
    import sys


    def small(a):
        return a


    def other(b):
        return b


    class Thing:
        """A thing."""

        size = 3

        def first(self, value):
            if value:
                return self.size + value
            return None

        @property
        def second(self):
            total = 0
            for i in range(10):
                total += i * self.size
            return total

        def third(self):
            return [self.first(i) for i in range(100) if i % 2 == 0]
    ''')


def code_document(text: str, *symbols: tuple[str, str, str]) -> Document:
    segments = []
    for symbol, begin, end in symbols:
        start = text.index(begin)
        segments.append(Segment(start, text.index(end, start) + len(end), "code", symbol=symbol))
    return Document("a.py", text, "code", segments=tuple(segments), language="python")


def code_chunks(size: int) -> list[Chunk]:
    document = code_document(
        CODE,
        ("", '"""Module."""', '"""'),
        ("", "import os", "sys"),
        ("small", "def small", "return a"),
        ("other", "def other", "return b"),
        ("Thing", "class Thing", "% 2 == 0]"),
    )
    return cut(document, "code", size=size)


def test_functions_stand_alone_and_module_level_statements_are_merged() -> None:
    chunks = code_chunks(200)
    assert [(part.symbol, part.line_start, part.line_end) for part in chunks] == [
        ("", 1, 4), ("small", 7, 8), ("other", 11, 12), ("Thing", 15, 33)
    ]  # fmt: skip
    lines = CODE.split("\n")
    for part in chunks:
        assert part.line_start is not None
        assert "\n".join(lines[part.line_start - 1 : part.line_end]) == part.text


def test_a_class_over_the_limit_is_cut_into_its_methods() -> None:
    parts = [part for part in code_chunks(60) if part.symbol.startswith("Thing")]
    assert [part.symbol for part in parts] == ["Thing", "Thing.first", "Thing.second", "Thing.third"]
    assert parts[2].text.startswith("    @property\n    def second(self):")
    assert (parts[2].line_start, parts[2].line_end) == (25, 30)


def test_a_long_function_is_cut_between_statements() -> None:
    body = "".join(f"    for i in range({n}):\n        total += i\n" for n in range(20))
    chunks = cut(Document("a.py", f"def f(total):\n{body}    return total\n", "code"), "code", size=50)
    assert len(chunks) > 2
    assert all(re.match(r"def|    for|    return", part.text) for part in chunks)


def test_code_in_prose_is_a_chunk_of_its_own() -> None:
    document = assemble(("text", "Run this:", ()), ("code", "make\nmake install", ()), ("text", "Then rest.", ()))
    assert [part.text for part in cut(document, "code")] == ["Run this:", "make\nmake install", "Then rest."]


def test_a_heading_right_above_code_stays_with_it() -> None:
    document = assemble(("text", "Before.", ()), ("heading", "Run", ()), ("code", "make\nmake install", ("Run",)))
    before, code = cut(document, "code")
    assert (before.text, code.text, code.headings) == ("Before.", "Run\n\nmake\nmake install", ("Run",))


def test_line_ranges_come_from_the_segments() -> None:
    text = "# Title\n\none\ntwo\nthree"
    segments = (Segment(0, 7, "heading", line_start=11, line_end=11), Segment(9, 22, line_start=13, line_end=15))
    (part,) = cut(Document("a.md", text, "markdown", segments=segments), "qa")
    assert (part.line_start, part.line_end) == (11, 15)


def test_a_summary_chunk_embeds_title_and_summary() -> None:
    document = Document("a.txt", sentences(300), "text", title="Sleeping cats")
    (part,) = cut(document, "summary")
    assert part.text == document.text
    assert 0 < len(part.summary) <= 1200
    assert part.inputs[0].startswith("Sleeping cats\nHere the cat")
    assert len(offsets(part.inputs[0])) <= 38


@pytest.mark.parametrize("text", ["", " \n\t ", "\u3000\n"])
@pytest.mark.parametrize("task", sorted(TASKS))
def test_white_space_gives_no_chunk(task: str, text: str) -> None:
    assert cut(Document("a.txt", text, "text"), task) == []


def test_a_prompt_that_leaves_no_room_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"prompt of 500 tokens leaves 10 of 512.*Use a shorter prompt"):
        list(chunk(Document("a", "b", "text"), TASKS["faq"].chunking, offsets, 512, prompt_tokens=500))


def test_the_id_names_everything_that_changes_the_cuts() -> None:
    ids = {name: chunking_id(task.chunking) for name, task in TASKS.items()}
    assert ids["qa"] == "structure-256-32-v1"
    chunking = Chunking("structure", 256, 32, by_structure)
    changed = {chunking_id(replace(chunking, **{field: 64})) for field in ("tokens", "overlap")}
    assert len({chunking_id(chunking), chunking_id(replace(chunking, name="other")), *changed}) == 4


def test_a_task_can_bring_a_strategy_of_its_own() -> None:
    def by_line(document: Document, _tokens: Tokens, _overlap: int) -> Iterator[Span]:
        for match in re.finditer(r"[^\n]*", document.text):
            yield Span(*match.span(), headings=("Line",))

    chunks = list(chunk(Document("a.txt", " one\n\n  two ", "text"), Chunking("line", 64, 0, by_line), offsets, 512))
    assert [(each.ordinal, each.text, each.headings) for each in chunks] == [
        (0, "one", ("Line",)),
        (1, "two", ("Line",)),
    ]
