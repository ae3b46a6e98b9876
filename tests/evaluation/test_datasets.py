"""Judged data are read as they are, or refused with the line and what was expected."""

from __future__ import annotations

import json
import random
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest

from rag.errors import DatasetError
from rag.evaluation.data import datasets, sources
from rag.evaluation.data.datasets import Dataset, load_dataset
from rag.evaluation.data.parsing import parse_judgments

CORPUS = [
    {"_id": "d1", "title": "Cats", "text": "Cats purr."},
    {"_id": "d2", "title": "", "text": "Dogs bark."},
    {"_id": "d3", "text": "Birds sing."},
]
QUERIES = [
    {"_id": "q1", "text": "who purrs?"},
    {"_id": "q2", "text": "who barks?"},
    {"_id": "q3", "text": "who swims?"},
]
HEADER = "query-id\tcorpus-id\tscore\n"
QRELS = HEADER + "q1\td1\t2\nq1\td2\t0\nq2\td2\t1\n"
SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def lines(rows: list[dict[str, object]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def write(
    folder: Path, corpus: str = lines(CORPUS), queries: str = lines(QUERIES), qrels: str = QRELS, split: str = "test"
) -> Path:
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    (folder / "corpus.jsonl").write_text(corpus, encoding="utf-8")
    (folder / "queries.jsonl").write_text(queries, encoding="utf-8")
    (folder / "qrels" / f"{split}.tsv").write_text(qrels, encoding="utf-8")
    return folder


def zipped(folder: Path, target: Path, prefix: str = "") -> Path:
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, prefix + str(path.relative_to(folder)))
    return target


def test_a_folder_is_read(tmp_path: Path) -> None:
    dataset = load_dataset(write(tmp_path / "pets"))
    assert dataset.name == "pets"
    assert [document.id for document in dataset.documents] == ["d1", "d2", "d3"]
    assert [question.id for question in dataset.questions] == ["q1", "q2"]
    assert dataset.judged == {"q1": {"d1": 2, "d2": 0}, "q2": {"d2": 1}}
    assert any("1 of 3 questions" in note for note in dataset.notes)


@pytest.mark.parametrize("prefix", ["", "pets/", "deep/er/"])
def test_a_zip_is_read_without_unpacking(tmp_path: Path, prefix: str) -> None:
    folder = write(tmp_path / "pets")
    before = load_dataset(folder)
    after = load_dataset(zipped(folder, tmp_path / "pets.zip", prefix))
    assert (after.documents, after.questions, after.judged) == (before.documents, before.questions, before.judged)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pets", "pets.zip"]


@pytest.mark.parametrize(
    "qrels",
    [
        "q1\td1\t2\nq1\td2\t0\nq2\td2\t1\n",
        "q1 0 d1 2\nq1 0 d2 0\nq2 0 d2 1\n",
        "q1\t0\td1\t2.0\nq1\t0\td2\t-1\n\nq2\t0\td2\t1\n",
    ],
    ids=["no header", "TREC", "TREC with tabs, decimals and a spam mark"],
)
def test_other_spellings_of_judgments(tmp_path: Path, qrels: str) -> None:
    assert load_dataset(write(tmp_path, qrels=qrels)).judged == {"q1": {"d1": 2, "d2": 0}, "q2": {"d2": 1}}


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    write(tmp_path, corpus="\ufeff" + lines(CORPUS).replace("\n", "\r\n"), qrels=QRELS.replace("\n", "\r\n"))
    assert load_dataset(tmp_path).judged["q1"] == {"d1": 2, "d2": 0}


def test_the_split_is_test_then_the_only_one_then_dev(tmp_path: Path) -> None:
    write(tmp_path, split="train")
    assert load_dataset(tmp_path).split == "train"
    write(tmp_path, split="dev")
    assert load_dataset(tmp_path).split == "dev"
    write(tmp_path)
    assert load_dataset(tmp_path).split == "test"
    assert load_dataset(tmp_path, "train").split == "train"
    with pytest.raises(DatasetError, match="no judgments named 'trial'; found dev, test, train"):
        load_dataset(tmp_path, "trial")


def test_several_files_of_other_names_have_to_be_named(tmp_path: Path) -> None:
    write(tmp_path, split="a")
    write(tmp_path, split="b")
    with pytest.raises(DatasetError, match=r"found a, b; expected test\.tsv"):
        load_dataset(tmp_path)


def test_a_question_that_is_a_document_does_not_find_itself(tmp_path: Path) -> None:
    queries = [{"_id": "d1", "text": "Cats. Cats purr."}, {"_id": "d2", "text": "where is the moon"}]
    dataset = load_dataset(write(tmp_path, queries=lines(queries), qrels="d1\td1\t1\nd1\td2\t1\nd2\td2\t1\n"))
    assert dataset.self_matches == {"d1"}
    assert dataset.judged == {"d1": {"d2": 1}, "d2": {"d2": 1}}
    assert any("1 questions are documents themselves" in note for note in dataset.notes)


def many(rows: int, wrong: int) -> str:
    queries = [f"q{number}\td1\t1\n" for number in range(rows - wrong)]
    return HEADER + "".join(queries) + "".join(f"lost{number}\td1\t1\n" for number in range(wrong))


def test_a_few_ids_that_do_not_join_are_counted_and_named(tmp_path: Path) -> None:
    queries = lines([{"_id": f"q{number}", "text": "who?"} for number in range(300)])
    dataset = load_dataset(write(tmp_path, queries=queries, qrels=many(300, 3)))
    assert any("3 of 300 judgments" in note and "'lost0', 'lost1', 'lost2'" in note for note in dataset.notes)
    with pytest.raises(DatasetError, match=r"4 of 300 judgments name an id .* Expected at most 1%"):
        load_dataset(write(tmp_path, queries=queries, qrels=many(300, 4)))


@pytest.mark.parametrize(
    ("part", "text", "expected"),
    [
        (
            "corpus",
            '{"_id": "d1", "text": "x"}\n{"_id": "d2", "text": "x"\n',
            r"corpus\.jsonl, line 2: found .* expected one JSON",
        ),
        ("corpus", '{"_id": "d1", "text": "x"}\n[1]\n', r"line 2: found a JSON list, expected an object"),
        ("corpus", '{"text": "x"}\n', r"line 1: found `_id` None, expected a non-empty string"),
        ("corpus", '{"_id": "d1"}\n', r"line 1: found 'text' None, expected a string"),
        ("corpus", '{"_id": "d1", "text": 3}\n', r"line 1: found 'text' 3, expected a string"),
        ("corpus", '{"_id": "d1", "text": "x"}\n' * 2, r"line 2: found the id 'd1' a second time"),
        ("corpus", "\n", "found no document"),
        ("corpus", '{"_id": ' + "1" * 5000 + "}\n", "line 1: found .* expected one JSON object"),
        ("corpus", "[" * 100_000 + "\n", "line 1: found .* expected one JSON object"),
        ("queries", '{"_id": "q1", "text": " "}\n', "line 1: found an empty question"),
        (
            "qrels",
            "q1\td1\tone\nq1\td1\ttwo\n",
            r"qrels/test\.tsv, line 2: found 'q1\\td1\\ttwo', expected a question id",
        ),
        ("qrels", HEADER + "q1 d1\n", r"line 2: found 'q1 d1', expected"),
        ("qrels", "q1\td1\t1\nq1\td1\t2\n", r"line 2: found grade 2 .* expected 1"),
        ("qrels", "q1\td1\t0\n", "no question with a relevant document"),
        ("qrels", HEADER, "found 0 judgments"),
    ],
)
def test_malformed_data_name_the_line_and_what_was_expected(
    tmp_path: Path, part: str, text: str, expected: str
) -> None:
    with pytest.raises(DatasetError, match=expected):
        load_dataset(write(tmp_path, **{part: text}))


def test_bytes_that_are_not_utf8_name_the_line(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "queries.jsonl").write_bytes(b'{"_id": "q1", "text": "a"}\n{"_id": "q2", "text": "caf\xe9"}\n')
    with pytest.raises(DatasetError, match=r"queries\.jsonl, line 2: found bytes that are not UTF-8"):
        load_dataset(tmp_path)


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    (write(tmp_path) / name).unlink()
    with pytest.raises(DatasetError, match=name.split("/")[0]):
        load_dataset(tmp_path)
    with pytest.raises(DatasetError, match=name.split("/")[0]):
        load_dataset(zipped(tmp_path, tmp_path / "x.zip"))


def test_what_is_no_dataset_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="nothing there"):
        load_dataset(tmp_path / "absent")
    (tmp_path / "plain.txt").write_text("hello")
    with pytest.raises(DatasetError, match="no zip"):
        load_dataset(tmp_path / "plain.txt")


@pytest.mark.parametrize(
    "name", ["../corpus.jsonl", "/corpus.jsonl", "a/../../corpus.jsonl", "..\\corpus.jsonl", "C:/corpus.jsonl"]
)
def test_a_zip_with_unsafe_names_is_refused(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr(name, lines(CORPUS))
    with pytest.raises(DatasetError, match="unsafe name"):
        load_dataset(tmp_path / "bad.zip")


def test_a_zip_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = zipped(write(tmp_path / "pets"), tmp_path / "pets.zip")
    monkeypatch.setattr(sources, "MAX_BYTES", 60)
    for source in (target, tmp_path / "pets"):
        with pytest.raises(DatasetError, match=r"corpus\.jsonl, line 2: .* over the limit"):
            load_dataset(source)


def bomb(path: Path, name: str, line: bytes, count: int) -> Path:
    """A zip file of one member that is one line many times."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(name, "w") as stream:
        for _ in range(count // 1000):
            stream.write(line * 1000)
    return path


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b'{"_id": "1", "text": "' + b"x" * 1000 + b'"}\n', "more than 16 MB of text in all"),
        (b" " * 1000, "more than 8 MB on a line"),
        (b"\n", "more than 10,000 lines in all"),
    ],
)
def test_a_small_zip_that_unpacks_to_much_is_refused(
    line: bytes, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "MAX_LINES", 10_000)
    monkeypatch.setattr(datasets, "_documents", lambda source: dict(source.lines("corpus.jsonl")))
    if b"_id" in line:
        monkeypatch.setattr(sources, "MAX_LINES", 10**6)
    target = bomb(tmp_path / "bomb.zip", "corpus.jsonl", line, 40_000)
    with pytest.raises(DatasetError, match=words):
        load_dataset(target)


def test_the_limits_hold_for_all_files_of_a_dataset_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path / "pets")
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    monkeypatch.setattr(sources, "MAX_BYTES", size)
    load_dataset(folder)
    monkeypatch.setattr(sources, "MAX_BYTES", size - 1)
    with pytest.raises(DatasetError, match=r"test\.tsv, line .* over the limit"):
        load_dataset(folder)


def test_a_zip_of_a_million_names_is_refused_before_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "_MAX_READ", 1 << 16)
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for number in range(2000):
            archive.writestr(f"{number:0100}", "")
    with pytest.raises(DatasetError, match="its directory takes more than"):
        load_dataset(tmp_path / "many.zip")


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    target = zipped(write(tmp_path / "pets"), tmp_path / "pets.zip")
    with zipfile.ZipFile(target, "a") as archive:
        link = zipfile.ZipInfo("qrels/dev.tsv")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(DatasetError, match=r"found the link 'qrels/dev\.tsv'"):
        load_dataset(target)


@pytest.mark.parametrize("kind", [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("seed", range(5))
def test_a_damaged_zip_of_any_kind_is_refused(kind: int, seed: int, tmp_path: Path) -> None:
    folder = write(tmp_path / "pets", corpus=lines(CORPUS) + " " * 5000)
    with zipfile.ZipFile(tmp_path / "bad.zip", "w", kind) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))
    content = bytearray((tmp_path / "bad.zip").read_bytes())
    choose = random.Random(seed)
    for _ in range(20):
        content[choose.randrange(len(content))] = choose.randrange(256)
    (tmp_path / "bad.zip").write_bytes(content)
    with suppress(DatasetError):  # or it is read, as not every byte counts
        load_dataset(tmp_path / "bad.zip")


def test_a_damaged_zip_is_refused(tmp_path: Path) -> None:
    target = zipped(write(tmp_path / "pets", corpus=lines(CORPUS * 1) + " " * 5000), tmp_path / "pets.zip")
    content = bytearray(target.read_bytes())
    content[60:80] = b"\xff" * 20
    target.write_bytes(bytes(content))
    with pytest.raises(DatasetError):
        load_dataset(target)


def test_only_keeps_the_questions_asked_for(tmp_path: Path) -> None:
    dataset = load_dataset(write(tmp_path)).only(["q2"])
    assert [question.id for question in dataset.questions] == ["q2"]
    assert dataset.judged == {"q2": {"d2": 1}}
    assert len(dataset.documents) == 3


def test_judgments_alone_can_be_read() -> None:
    assert parse_judgments(enumerate(QRELS.splitlines(), 1), "mine.tsv")["q1", "d1"] == 2


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared datasets are not here")
@pytest.mark.parametrize(
    ("name", "documents", "questions", "selves"),
    [
        ("banking77", 770, 770, 0),
        ("emanual_tv", 259, 647, 0),
        ("cacm_cocite", 1587, 594, 594),
        ("gitbugs_hadoop", 2503, 129, 129),
        ("scifact", 5183, 300, 0),
    ],
)
def test_shared_sets_are_read_whole(name: str, documents: int, questions: int, selves: int) -> None:
    dataset: Dataset = load_dataset(SHARED / name)
    assert (len(dataset.documents), len(dataset.questions), len(dataset.self_matches)) == (documents, questions, selves)
