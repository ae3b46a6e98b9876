from __future__ import annotations

import ast
import csv
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

LIBRARY = Path(__file__).resolve().parents[1] / "examples" / "library"
TASKS = ["faq", "code", "similar"]
JS_FUNCTION = re.compile(r"\bfunction\s+\w+\s*\(")


def squeeze(text: str) -> str:
    return " ".join(text.split())


@cache
def table(name: str) -> list[list[str]]:
    with (LIBRARY / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream))


@cache
def pieces(name: str) -> list[str]:
    """What a passage must stand in: a cell of a table, or a whole text."""
    if name.endswith(".csv"):
        return [squeeze(cell) for row in table(name) for cell in row]
    return [squeeze((LIBRARY / name).read_text(encoding="utf-8"))]


@cache
def judgments(task: str) -> list[dict]:
    lines = (LIBRARY / "judgments" / f"{task}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def runs_of_four(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.casefold())
    return set(zip(words, words[1:], words[2:], words[3:], strict=False))


def relevant() -> Iterator[tuple[str, str, dict]]:
    for task in TASKS:
        for judgment in judgments(task):
            for passage in judgment["relevant"]:
                yield task, judgment["question"], passage


def test_the_faq_has_80_different_entries() -> None:
    header, *entries = table("support/faq.csv")
    assert header == ["question", "answer"]
    assert len(entries) == len({question for question, _ in entries}) == 80
    assert all(answer.strip() for _, answer in entries)


@pytest.mark.parametrize("name", ["prices", "spare-parts", "accessories"])
def test_a_table_has_25_to_40_rows_of_one_width_and_no_part_number_twice(name: str) -> None:
    header, *rows = table(f"tables/{name}.csv")
    assert 25 <= len(rows) <= 40
    assert {len(row) for row in rows} == {len(header)}
    assert len({row[0] for row in rows}) == len(rows)


def test_one_part_number_has_one_price_in_all_tables() -> None:
    prices: dict[str, set[str]] = {}
    for name in ("prices", "spare-parts", "accessories"):
        header, *rows = table(f"tables/{name}.csv")
        for row in rows:
            prices.setdefault(row[0], set()).add(row[header.index("price EUR net")])
    assert {part: found for part, found in prices.items() if len(found) > 1} == {}


def test_the_faq_names_only_parts_that_the_tables_have() -> None:
    known = {row[0] for name in ("prices", "spare-parts", "accessories") for row in table(f"tables/{name}.csv")}
    texts = [answer for _, answer in table("support/faq.csv")]
    texts += [path.read_text(encoding="utf-8") for path in (LIBRARY / "incidents").glob("*.md")]
    assert set(re.findall(r"OK-\d{4}", " ".join(texts))) <= known


def test_the_code_has_40_to_60_functions_in_two_languages_and_compiles() -> None:
    python = javascript = 0
    for path in (LIBRARY / "code").rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        compile(source, str(path), "exec")
        python += sum(isinstance(node, ast.FunctionDef) for node in ast.walk(ast.parse(source)))
    for path in (LIBRARY / "code").rglob("*.js"):
        javascript += len(JS_FUNCTION.findall(path.read_text(encoding="utf-8")))
    assert min(python, javascript) >= 20
    assert 40 <= python + javascript <= 60


def test_there_are_30_incidents_of_readable_length() -> None:
    reports = sorted((LIBRARY / "incidents").glob("*.md"))
    assert len(reports) == 30
    for report in reports:
        text = report.read_text(encoding="utf-8")
        assert text.startswith("# "), report.name
        assert 120 <= len(text.split()) <= 230, report.name


@pytest.mark.parametrize("task", TASKS)
def test_a_task_has_60_judgments_with_ids_and_questions_of_their_own(task: str) -> None:
    rows = judgments(task)
    assert len(rows) >= 60
    assert len({row["id"] for row in rows}) == len({row["question"].casefold() for row in rows}) == len(rows)
    for row in rows:
        assert list(row) == ["id", "question", "relevant", "answer", "language"], row["id"]
        assert row["id"].startswith(f"{task}-"), row["id"]
        assert row["relevant"], row["id"]


def test_every_passage_stands_verbatim_in_its_file() -> None:
    lost = [p for _, _, p in relevant() if not any(squeeze(p["passage"]) in piece for piece in pieces(p["file"]))]
    assert lost == []


def test_a_passage_is_found_once_in_its_file() -> None:
    """A passage that stands twice does not say which one is meant."""
    texts = {p["file"]: " \n ".join(pieces(p["file"])) for _, _, p in relevant()}
    assert [p for _, _, p in relevant() if texts[p["file"]].count(squeeze(p["passage"])) != 1] == []


def test_no_question_repeats_four_words_in_a_row_of_its_passage() -> None:
    assert [
        (question, shared)
        for _, question, passage in relevant()
        if (shared := runs_of_four(question) & runs_of_four(passage["passage"]))
    ] == []


def test_the_words_of_an_answer_stand_in_a_relevant_file() -> None:
    for task in TASKS:
        for row in judgments(task):
            text = " ".join(piece for p in row["relevant"] for piece in pieces(p["file"])).casefold()
            assert [word for word in row["answer"] if word.casefold() not in text] == [], row["id"]


def test_every_entry_and_every_incident_is_asked_for() -> None:
    asked = {(task, p["file"], p["passage"]) for task, _, p in relevant()}
    questions = {question for question, _ in table("support/faq.csv")[1:]}
    assert {passage for task, _, passage in asked if task == "faq"} == questions
    incidents = {f"incidents/{path.name}" for path in (LIBRARY / "incidents").glob("*.md")}
    assert {file for task, file, _ in asked if task == "similar"} == incidents


def test_every_function_is_asked_for_but_one_inside_another() -> None:
    asked = {name for row in judgments("code") for name in row["answer"]}
    files = [path for ending in ("py", "js") for path in (LIBRARY / "code").rglob(f"*.{ending}")]
    sources = [path.read_text(encoding="utf-8") for path in files]
    assert set(re.findall(r"\b(?:def|function)\s+(\w+)\s*\(", "\n".join(sources))) - asked == {"connect"}
