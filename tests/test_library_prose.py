"""The sample library's prose: judgments are enough, point at words that are there, and do not give them away."""

import json
import re
from functools import cache
from pathlib import Path

import pypdfium2
import pytest
from docx import Document
from docx.table import Table
from lxml import html

LIBRARY = Path(__file__).parent.parent / "examples" / "library"
AT_LEAST = {"qa": 150, "unanswerable": 60, "summary": 60}
KEYS = ["id", "question", "relevant", "answer", "language"]
PROSE = ("manual", "handbook", "policies", "releases", "pages")


def judgments(task):
    lines = (LIBRARY / "judgments" / f"{task}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def of_pdf(path):
    with pypdfium2.PdfDocument(path) as document:
        return "\n".join(page.get_textpage().get_text_range() for page in document)


def of_docx(path):
    lines = []
    for block in Document(str(path)).iter_inner_content():
        if isinstance(block, Table):
            lines += [" | ".join(cell.text for cell in row.cells) for row in block.rows]
        else:
            lines.append(block.text)
    return "\n".join(lines)


def of_html(path):
    body = html.fromstring(path.read_bytes()).find("body")
    return "\n".join(
        " | ".join(cell.text_content() for cell in block) if block.tag == "tr" else block.text_content()
        for block in body.iter("h1", "h2", "p", "li", "tr")
    )


READERS = {".pdf": of_pdf, ".docx": of_docx, ".html": of_html, ".md": lambda path: path.read_text(encoding="utf-8")}


@cache
def text_of(file):
    path = LIBRARY / file
    return " ".join(READERS[path.suffix](path).split())


def runs(text, length=4):
    words = re.findall(r"\w+", text.casefold())
    return {tuple(words[i : i + length]) for i in range(len(words) - length + 1)}


def passages(task):
    return [
        (row["id"], row["question"], part["file"], part["passage"])
        for row in judgments(task)
        for part in row["relevant"]
    ]


def language_of(file):
    return file.split("/")[1] if file.startswith("pages/") else "en"


@pytest.mark.parametrize("task", AT_LEAST)
def test_enough_judgments_with_ids_of_their_own_and_languages(task):
    rows = judgments(task)
    assert len(rows) >= AT_LEAST[task]
    assert [row["id"] for row in rows] == [f"{task}-{number:03}" for number in range(1, len(rows) + 1)]
    assert len({row["question"].casefold() for row in rows}) == len(rows)
    assert {row["language"] for row in rows} == {"en", "de", "es"}


@pytest.mark.parametrize("task", ["qa", "summary"])
def test_a_judgment_has_its_keys_in_order_and_something_relevant(task):
    for row in judgments(task):
        assert list(row) == KEYS
        assert row["relevant"], row["id"]
        assert bool(row["answer"]) is (task == "qa"), row["id"]


def test_a_question_that_nothing_answers_names_nothing():
    assert all(list(row) == ["id", "question", "language"] for row in judgments("unanswerable"))


def test_enough_questions_in_german_in_spanish_and_across_languages():
    languages = [row["language"] for row in judgments("qa")]
    assert languages.count("de") >= 10
    assert languages.count("es") >= 10
    across = [
        row for row in judgments("qa") if row["language"] not in {language_of(part["file"]) for part in row["relevant"]}
    ]
    assert len(across) >= 8


@pytest.mark.parametrize("task", ["qa", "summary"])
def test_every_passage_stands_in_its_file(task):
    missing = [(name, file, passage) for name, _, file, passage in passages(task) if passage not in text_of(file)]
    assert missing == []


def test_a_passage_of_qa_is_long_enough_to_tell_and_short_enough_to_find():
    assert all(8 <= len(passage.split()) <= 40 for _, _, _, passage in passages("qa"))


@pytest.mark.parametrize("task", ["qa", "summary"])
def test_no_question_shares_four_words_in_a_row_with_what_answers_it(task):
    shared = [(name, runs(question) & runs(passage)) for name, question, _, passage in passages(task)]
    assert [(name, words) for name, words in shared if words] == []


def test_every_document_is_asked_about():
    files = {
        path.relative_to(LIBRARY).as_posix() for top in PROSE for path in (LIBRARY / top).rglob("*") if path.is_file()
    }
    assert files == {file for _, _, file, _ in passages("summary")}
    assert files == {file for _, _, file, _ in passages("qa")}
