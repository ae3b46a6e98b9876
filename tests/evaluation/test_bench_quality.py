"""The quality bench runs judged sets and holds the targets against them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench import quality
from rag.evaluation.data.judgments import write_dataset
from tests.evaluation.build import topics
from tests.fakes import FakeEmbedder

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for name, task in (("one", "FAQ matching (a -> b)"), ("two", "document QA / evidence retrieval (a -> b)")):
        folder = write_dataset(topics(name), tmp_path / "sets" / name)
        (folder / "SOURCE.md").write_text(f"# {name}\n\nTask: {task}\n")
    return tmp_path / "sets"


def run(data: Path, *more: str) -> tuple[int, Path]:
    out = data.parent / "out"
    arguments: Sequence[str] = ["--data", str(data), "--cache", str(data.parent / "cache"), "--out", str(out), *more]
    return quality.main(arguments, FakeEmbedder(dimension=32)), out


def test_tables_and_targets_are_printed_and_kept(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = run(data, "--evidence", str(data.parent / "evidence.md"))
    printed = capsys.readouterr().out
    lines = printed.strip().splitlines()
    assert [line.split("  ")[0] for line in lines[-4:]] == [name for name, _ in quality.TARGETS]
    ratios = json.loads((out / "targets.json").read_text())
    assert code == (0 if all(ratios[name] >= target for name, target in quality.TARGETS) else 3)
    assert sorted(path.name for path in out.iterdir()) == ["one.json", "targets.json", "two.json"]
    page = (data.parent / "evidence.md").read_text()
    assert "## Lift over naive" in page
    for name in ("one", "two"):
        assert f"(images/signals-{name}.svg)" in page
        assert len(ElementTree.parse(data.parent / "images" / f"signals-{name}.svg").findall(f"{SVG}rect")) == 1 + 9
    assert "one" in printed
    assert "passage/passage" in printed


def test_quick_leaves_large_sets_and_side_systems_out(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(data, "--quick", "--sets", "one")
    printed = capsys.readouterr().out
    assert "1 sets in" in printed
    assert "passage/passage" not in printed
    monkeypatch.setattr(quality, "QUICK_DOCUMENTS", 5)
    with pytest.raises(SystemExit, match="no set"):
        run(data, "--quick")


@pytest.mark.parametrize(
    ("kind", "task"),
    [
        ("FAQ matching (x)", "faq"),
        ("similar documents (x)", "similar"),
        ("code search (x)", "code"),
        ("Document QA", "qa"),
    ],
)
def test_a_set_says_its_task(tmp_path: Path, kind: str, task: str) -> None:
    (tmp_path / "SOURCE.md").write_text(f"# x\n\nTask: {kind}\n")
    assert quality.task_of(tmp_path) == task


def test_a_set_without_a_task_is_refused_unless_it_is_given(data: Path) -> None:
    (data / "one" / "SOURCE.md").write_text("# one\n")
    with pytest.raises(SystemExit, match="--tasks one=TASK"):
        run(data, "--sets", "one")
    assert run(data, "--sets", "one", "--tasks", "one=code")[0] in (0, 3)


def test_wrong_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="found no set in"):
        quality.main(["--data", str(tmp_path)])
