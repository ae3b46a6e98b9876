"""CSV, TSV, JSONL and JSON in their three shapes."""

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.errors import EmptyFileError, UnreadableFileError
from rag.loaders import load, rows
from rag.loaders.readers import table
from tests.loaders.check import check, loaded, parts


def jsonl(*objects: object) -> str:
    return "\n".join(json.dumps(item, ensure_ascii=False) for item in objects)


def as_csv(header: list[str], *lines: list[str], delimiter: str = ",") -> str:
    stream = io.StringIO()
    csv.writer(stream, delimiter=delimiter, lineterminator="\n").writerows([header, *lines])
    return stream.getvalue()


# -- documents with ids


@pytest.mark.parametrize("form", ["jsonl", "json", "csv", "tsv"])
def test_rows_with_ids_are_documents(form: str, tmp_path: Path) -> None:
    items = [
        {"_id": "d1", "title": "One", "text": "First text.\n\nMore."},
        {"_id": "d2", "title": "Only a title", "text": ""},
        {"_id": "d3", "title": "", "text": ""},
        {"_id": "d4", "title": "", "text": "Last, 日本."},
    ]
    lines = [list(item.values()) for item in items]
    content = {
        "jsonl": jsonl(*items),
        "json": json.dumps(items),
        "csv": as_csv(list(items[0]), *lines),
        "tsv": as_csv(list(items[0]), *lines, delimiter="\t"),
    }[form]
    documents = loaded(tmp_path / f"corpus.{form}", content)
    assert [(d.key, d.title, d.text) for d in documents] == [
        ("d1", "One", "First text.\n\nMore."),
        ("d2", "Only a title", "Only a title"),
        ("d4", "", "Last, 日本."),
    ]
    assert parts(documents[0]) == ["First text.", "More."]
    assert {d.media_type for d in documents} == {"table"}


@pytest.mark.parametrize(
    ("second", "words"),
    [
        ({"_id": "d2"}, "Line 2: found _id, expected `_id` and `text`"),
        ({"text": "x"}, "Line 2: found text"),
        ({"_id": "", "text": "x"}, "Line 2: found an empty `_id`"),
        ([1], r"Line 2: found '\[1\]', expected a JSON object"),
        ("words", "Line 2: found .*expected a JSON object"),
    ],
)
def test_a_row_unlike_the_first_names_its_line(second: object, words: str, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match=words):
        loaded(tmp_path / "a.jsonl", jsonl({"_id": "d1", "text": "words"}, second))


@pytest.mark.parametrize("line", ['{"_id": "a", "text": "cut', "{'_id': 1}", "words", "[" * 100_000])
def test_a_line_that_is_no_json_names_its_line(line: str, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match=r"Line 3: found .*expected one JSON object on the line"):
        loaded(tmp_path / "a.jsonl", '{"a": 1}\n\n' + line + "\n")


def test_an_endless_line_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.loaders.json_lines._MAX_LINE", 1000)
    with pytest.raises(UnreadableFileError, match="Line 1: found more than 1,000 characters"):
        loaded(tmp_path / "a.jsonl", json.dumps({"text": "x" * 2000}))


def test_a_table_of_too_many_columns_is_refused(tmp_path: Path) -> None:
    header = ",".join(f"c{number}" for number in range(150_000))
    with pytest.raises(UnreadableFileError, match="Line 1: found 150,000 values, expected at most 20,000"):
        loaded(tmp_path / "a.csv", f"{header}\n{header}\n")


def test_names_of_columns_are_made_distinct_in_one_pass() -> None:
    names = table._distinct(["same"] * 20_000)  # quadratic, it would take a minute
    assert len(set(names)) == len(names) == 20_000
    assert names[:2] == ["same", "same 2"]
    assert table._distinct(["a 2", "a", "a", ""]) == ["a 2", "a", "a 3", "column 4"]
    assert len(set(table._distinct(["a 2 2", "a 2", "a 2", "a 2"]))) == 4


def test_an_endless_line_of_a_table_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "_MAX_LINE", 1000)
    with pytest.raises(UnreadableFileError, match="Line 3: found more than 1,000 characters"):
        loaded(tmp_path / "a.csv", "a,b\n1,2\n" + "x" * 2000 + ",3\n")


def test_an_id_is_kept_with_every_passage_and_therefore_short(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="Line 1: found an `_id` of 2,000 characters, expected at most 1,000"):
        loaded(tmp_path / "a.jsonl", jsonl({"_id": "x" * 2000, "text": "words"}))


def test_very_many_short_rows_become_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "PART_ROWS", 10)
    documents = loaded(tmp_path / "a.csv", as_csv(["name", "price"], *([["Cable", "3"]] * 25)))
    assert [(d.key, len(d.segments)) for d in documents] == [("part-1", 10), ("part-2", 10), ("part-3", 5)]


# -- faq


FAQ_LINES = (["1", "3", "Press reset.", "How to reset"], ["2", "4", "No, never.", "A key?"])


@pytest.mark.parametrize(
    "columns",
    [
        ("question", "answer"),
        ("Question", "Answer"),
        ("Q", "A"),
        ("question_text", "answer text"),
        ("Frage", "Antwort"),
    ],
)
def test_an_faq_by_the_names_of_its_columns(columns: tuple[str, str], tmp_path: Path) -> None:
    question, answer = columns
    content = as_csv(["question_id", "answer_count", answer, question], *FAQ_LINES)
    (document,) = loaded(tmp_path / "faq.csv", content)
    assert [s.kind for s in document.segments] == ["question", "answer"] * 2
    assert parts(document, "question") == ["How to reset", "A key?"]
    assert parts(document, "answer") == ["Press reset.", "No, never."]
    assert [s.line_start for s in document.segments] == [2, 2, 3, 3]


@pytest.mark.parametrize("header", [True, False])
def test_an_faq_by_its_content(header: bool, tmp_path: Path) -> None:
    lines = [["How do I start?", "Press the button."], ["Is it free?", "Yes."], ["Why me?", "Because."]]
    content = as_csv(["left", "right"], *lines) if header else as_csv(lines[0], *lines[1:])
    (document,) = loaded(tmp_path / "a.csv", content)
    assert parts(document, "question") == [question for question, _ in lines]
    assert parts(document, "answer") == [answer for _, answer in lines]


def test_an_faq_in_jsonl_with_topics_and_many_answers(tmp_path: Path) -> None:
    content = jsonl(
        {"category": "Billing", "question": "What does it cost?", "answers": ["Nothing.", "Really."]},
        {"category": "Use", "question": "No answer yet?", "answers": []},
        {"category": "Use", "question": "", "answers": ["An answer alone."]},
    )
    (document,) = loaded(tmp_path / "faq.jsonl", content)
    assert [(s.kind, s.headings) for s in document.segments] == [
        ("question", ("Billing",)),
        ("answer", ("Billing",)),
        ("question", ("Use",)),
        ("text", ("Use",)),
    ]
    assert parts(document, "answer") == ["Nothing.\nReally."]


# -- plain rows


def test_plain_rows_are_columns_and_values(tmp_path: Path) -> None:
    content = as_csv(["name", "price", "note"], ["Cable", "3.50", 'long, "quoted"\nnote'], ["Plug", "1", ""])
    (document,) = loaded(tmp_path / "a.csv", content)
    assert parts(document, "row") == ['name: Cable\nprice: 3.50\nnote: long, "quoted"\nnote', "name: Plug\nprice: 1"]
    assert [s.line_start for s in document.segments] == [2, 4]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_delimiter_and_encoding_are_found(delimiter: str, codec: str, tmp_path: Path) -> None:
    content = as_csv(["Stadt", "Größe"], *([["Köln", "groß, sehr; schön"]] * 5), delimiter=delimiter)
    (document,) = loaded(tmp_path / "a.csv", content.encode(codec))
    assert parts(document)[0] == "Stadt: Köln\nGröße: groß, sehr; schön"


def test_a_table_without_names_gets_numbers_and_a_caption_is_kept(tmp_path: Path) -> None:
    (document,) = loaded(tmp_path / "a.csv", "1,2\n3,4\n")
    assert parts(document) == ["column 1: 1\ncolumn 2: 2", "column 1: 3\ncolumn 2: 4"]
    (document,) = loaded(tmp_path / "b.csv", "Sales,,\nTeam,Location,Cups\nBlues,STL,1\n")
    assert document.title == "Sales"
    assert parts(document) == ["Team: Blues\nLocation: STL\nCups: 1"]
    assert document.segments[0].headings == ("Sales",)


def test_nested_values_and_missing_ones(tmp_path: Path) -> None:
    content = jsonl({"a": {"b": [1]}, "c": None, "d": True}, {"e": "x", "f": [{"g": 1}]})
    (document,) = loaded(tmp_path / "a.jsonl", content)
    assert parts(document) == ['a: {"b": [1]}\nd: true', 'e: x\nf: [{"g": 1}]']


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a,b\n1,2\n1,2,3\n", "Line 3: found 3 values, expected 2"),
        ('a,b\n1,"open\n2,3\n', "Line 2: found a malformed row"),
        ('a,b\n1,"x" y\n', "Line 2: found a malformed row"),
    ],
)
def test_a_malformed_row_names_its_line(content: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match=words):
        loaded(tmp_path / "a.csv", content)


def test_short_rows_and_empty_surplus_are_fine(tmp_path: Path) -> None:
    (document,) = loaded(tmp_path / "a.csv", "a,b\n1\n\n1,2,,\n")
    assert parts(document) == ["a: 1", "a: 1\nb: 2"]


def test_many_rows_are_split_into_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "PART_CHARS", 500)
    documents = loaded(tmp_path / "a.csv", as_csv(["n", "w"], *[[str(n), "word"] for n in range(200)]))
    assert [document.key for document in documents] == [f"part-{n}" for n in range(1, len(documents) + 1)]
    assert sum(len(document.segments) for document in documents) == 200


def test_other_json_is_text(tmp_path: Path) -> None:
    for content in ('{"a": {"b": 1}}', "[1, 2]", '"words"'):
        (document,) = loaded(tmp_path / "a.json", content)
        assert (document.media_type, document.text) == ("text", content)


def test_json_with_one_object_a_line_is_rows(tmp_path: Path) -> None:
    (document,) = loaded(tmp_path / "a.json", '{"a": 1}\n{"a": 2}\n')
    assert parts(document) == ["a: 1", "a: 2"]


def test_bad_json_has_line_and_column(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="Line 2, column 6"):
        loaded(tmp_path / "a.json", '{"a": 1,\n "b" 2}')
    with pytest.raises(UnreadableFileError, match="Row 2: found text, expected"):
        loaded(tmp_path / "b.json", '[{"_id": "a", "text": "b"}, {"text": "c"}]')


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.json", "a.tsv"])
@pytest.mark.parametrize("content", [" \n\n", "\ufeff\n"])
def test_nothing_but_space_is_empty(name: str, content: str, tmp_path: Path) -> None:
    with pytest.raises(EmptyFileError):
        loaded(tmp_path / name, content)


CELL = st.text(max_size=20)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.dictionaries(st.text(min_size=1, max_size=8), CELL | st.none() | st.integers(), max_size=4)))
def test_any_objects_give_documents_that_hold(tmp_path: Path, items: list[dict[str, object]]) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(jsonl(*items))
    try:
        for document in load(path, "a.jsonl"):
            check(document)
    except UnreadableFileError as error:
        assert str(error)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(CELL, min_size=2, max_size=3), min_size=1), st.sampled_from(",;\t|"))
def test_any_cells_give_documents_that_hold(tmp_path: Path, lines: list[list[str]], delimiter: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(as_csv(*lines, delimiter=delimiter).encode("utf-8", "replace"))
    try:
        for document in load(path, "a.csv"):
            check(document)
    except UnreadableFileError as error:
        assert str(error)
