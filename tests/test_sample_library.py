"""The sample library: it holds together, and its judgments point at words that are there and do not give them away."""

import ast
import csv
import json
import re
from functools import cache
from pathlib import Path

import pypdfium2
import pytest
from docx import Document
from docx.table import Table
from lxml import html

LIBRARY = Path(__file__).resolve().parents[1] / "examples" / "library"
JUDGED = {"qa": 150, "faq": 60, "similar": 60, "code": 60, "summary": 60}
"""Least judged questions of each task."""
KEYS = ["id", "question", "relevant", "answer", "language"]
PROSE = ("manual", "handbook", "policies", "releases", "pages")
TABLES = ("prices", "spare-parts", "accessories")
JS_FUNCTION = re.compile(r"\bfunction\s+\w+\s*\(")


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


def of_csv(path):
    """An FAQ as its cells, another table as the lines `column: value` that passages of it have."""
    header, *rows = rows_of(path.relative_to(LIBRARY).as_posix())
    if header == ["question", "answer"]:
        return "\n".join(cell for row in rows for cell in row)
    return "\n".join(f"{column}: {cell}" for row in rows for column, cell in zip(header, row, strict=True) if cell)


READERS = {".pdf": of_pdf, ".docx": of_docx, ".html": of_html, ".csv": of_csv}


@cache
def rows_of(file):
    with (LIBRARY / file).open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream))


@cache
def text_of(file):
    path = LIBRARY / file
    read = READERS.get(path.suffix)
    return squeezed(read(path) if read else path.read_text(encoding="utf-8"))


@cache
def judgments(task):
    lines = (LIBRARY / "judgments" / f"{task}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def passages(task):
    return [
        (row["id"], row["question"], part["file"], part["passage"])
        for row in judgments(task)
        for part in row["relevant"]
    ]


def squeezed(text):
    return " ".join(text.split())


def runs(text, length=4):
    words = re.findall(r"\w+", text.casefold())
    return {tuple(words[i : i + length]) for i in range(len(words) - length + 1)}


def language_of(file):
    return file.split("/")[1] if file.startswith("pages/") else "en"


def files(*tops):
    paths = [path for top in tops for path in (LIBRARY / top).rglob("*")]
    return {path.relative_to(LIBRARY).as_posix() for path in paths if path.is_file()}


# -- judgments ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("task", [*JUDGED, "unanswerable"])
def test_enough_judgments_with_ids_and_questions_of_their_own(task):
    rows = judgments(task)
    assert len(rows) >= JUDGED.get(task, 60)
    assert [row["id"] for row in rows] == [f"{task}-{number:03}" for number in range(1, len(rows) + 1)]
    assert len({row["question"].casefold() for row in rows}) == len(rows)


@pytest.mark.parametrize("task", JUDGED)
def test_a_judgment_has_its_keys_in_order_and_something_relevant(task):
    for row in judgments(task):
        assert list(row) == KEYS
        assert row["relevant"], row["id"]
        assert row["answer"] or task != "qa", row["id"]


def test_a_question_that_nothing_answers_names_nothing():
    assert all(list(row) == ["id", "question", "language"] for row in judgments("unanswerable"))


@pytest.mark.parametrize("task", ["qa", "summary", "unanswerable"])
def test_questions_come_in_all_three_languages(task):
    assert {row["language"] for row in judgments(task)} == {"en", "de", "es"}


def test_enough_questions_in_german_in_spanish_and_across_languages():
    languages = [row["language"] for row in judgments("qa")]
    assert languages.count("de") >= 10
    assert languages.count("es") >= 10
    across = [
        row for row in judgments("qa") if row["language"] not in {language_of(part["file"]) for part in row["relevant"]}
    ]
    assert len(across) >= 8


@pytest.mark.parametrize("task", JUDGED)
def test_every_passage_stands_in_its_file(task):
    assert [part for part in passages(task) if squeezed(part[3]) not in text_of(part[2])] == []


@pytest.mark.parametrize("task", ["faq", "similar", "code"])
def test_a_passage_is_found_once_in_its_file(task):
    """A passage that stands twice does not say which one is meant."""
    assert [part for part in passages(task) if text_of(part[2]).count(squeezed(part[3])) != 1] == []


@pytest.mark.parametrize("task", JUDGED)
def test_no_question_shares_four_words_in_a_row_with_what_answers_it(task):
    shared = [(name, runs(question) & runs(passage)) for name, question, _, passage in passages(task)]
    assert [(name, words) for name, words in shared if words] == []


@pytest.mark.parametrize("task", ["faq", "similar", "code"])
def test_the_words_of_an_answer_stand_in_a_relevant_file(task):
    for row in judgments(task):
        text = " ".join(text_of(part["file"]) for part in row["relevant"]).casefold()
        assert [word for word in row["answer"] if word.casefold() not in text] == [], row["id"]


def test_a_passage_of_qa_is_long_enough_to_tell_and_short_enough_to_find():
    assert [part for part in passages("qa") if not 8 <= len(part[3].split()) <= 40] == []


def test_15_to_25_questions_of_qa_are_about_tables_all_of_them():
    asked = [file for _, _, file, _ in passages("qa") if file.startswith("tables/")]
    assert 15 <= len(asked) <= 25
    assert set(asked) == files("tables")


# -- everything is asked for -------------------------------------------------------------------------------------------


def test_every_document_is_asked_about():
    assert {file for _, _, file, _ in passages("summary")} == files(*PROSE)
    assert {file for _, _, file, _ in passages("qa")} == files(*PROSE, "tables")
    assert {file for _, _, file, _ in passages("similar")} == files("incidents")


def test_every_entry_is_asked_for():
    entries = {question for question, _ in rows_of("support/faq.csv")[1:]}
    assert {passage for _, _, _, passage in passages("faq")} == entries


def test_every_function_is_asked_for_but_one_inside_another():
    asked = {name for row in judgments("code") for name in row["answer"]}
    source = "\n".join((LIBRARY / file).read_text(encoding="utf-8") for file in files("code"))
    assert set(re.findall(r"\b(?:def|function)\s+(\w+)\s*\(", source)) - asked == {"connect"}


# -- documents ---------------------------------------------------------------------------------------------------------


def test_the_faq_has_80_different_entries():
    header, *entries = rows_of("support/faq.csv")
    assert header == ["question", "answer"]
    assert len(entries) == len({question for question, _ in entries}) == 80
    assert all(answer.strip() for _, answer in entries)


@pytest.mark.parametrize("name", TABLES)
def test_a_table_has_25_to_40_rows_of_one_width_and_no_part_number_twice(name):
    header, *rows = rows_of(f"tables/{name}.csv")
    assert 25 <= len(rows) <= 40
    assert {len(row) for row in rows} == {len(header)}
    assert len({row[0] for row in rows}) == len(rows)


def test_one_part_number_has_one_price_in_all_tables():
    prices = {}
    for name in TABLES:
        header, *rows = rows_of(f"tables/{name}.csv")
        for row in rows:
            prices.setdefault(row[0], set()).add(row[header.index("price EUR net")])
    assert {part: different for part, different in prices.items() if len(different) > 1} == {}


def test_only_parts_that_the_tables_have_are_named():
    known = {row[0] for name in TABLES for row in rows_of(f"tables/{name}.csv")}
    texts = [answer for _, answer in rows_of("support/faq.csv")] + [text_of(file) for file in files("incidents")]
    assert set(re.findall(r"OK-\d{4}", " ".join(texts))) <= known


def test_the_code_has_40_to_60_functions_in_two_languages_and_compiles():
    python = javascript = 0
    for path in (LIBRARY / "code").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        python += sum(isinstance(node, ast.FunctionDef) for node in ast.walk(tree))
    for path in (LIBRARY / "code").rglob("*.js"):
        javascript += len(JS_FUNCTION.findall(path.read_text(encoding="utf-8")))
    assert min(python, javascript) >= 20
    assert 40 <= python + javascript <= 60


def test_there_are_30_incidents_of_readable_length():
    assert len(files("incidents")) == 30
    for file in files("incidents"):
        text = (LIBRARY / file).read_text(encoding="utf-8")
        assert text.startswith("# "), file
        assert 120 <= len(text.split()) <= 230, file
