"""Evaluation through the facade and the command line, on a library of real files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from rag.cli import Shell, app
from rag.errors import DatasetError, UnknownNameError
from rag.evaluation.data.datasets import load_dataset
from rag.evaluation.data.judgments import write_dataset
from rag.services import Rag
from rag.settings import load_settings
from rag.tasks.profiles import Profile, save_profile
from rag.types import Answer, Citation
from tests.evaluation.build import topics
from tests.fakes import FakeEmbedder

Command = Callable[[Sequence[str]], Result]
SECTIONS = ("Pairing the remote", "Charging the battery", "Updating the software", "Cleaning the screen")


@pytest.fixture
def rag(tmp_path: Path) -> Iterator[Rag]:
    rag = Rag(load_settings(data_dir=tmp_path / "data", workers=1), embedder=FakeEmbedder(dimension=384))
    yield rag
    rag.close()


@pytest.fixture
def library(rag: Rag, tmp_path: Path) -> Rag:
    body = " ".join(f"Step {number} of {{0}} is to hold the button until the lamp is green." for number in range(3))
    text = "# Manual\n\n" + "\n\n".join(f"## {title}\n\n{body.format(title.lower())}" for title in SECTIONS)
    (tmp_path / "manual.md").write_text(text)
    rag.ingest([tmp_path / "manual.md"], "qa")
    return rag


def test_a_library_is_evaluated_with_synthetic_judgments(library: Rag) -> None:
    dataset = library.evaluations.from_index("qa")
    assert {question.text for question in dataset.questions} == set(SECTIONS)
    result, folder = library.evaluations.run(dataset, "qa", ["bm25", "default"])
    assert result.origin == "synthetic"
    assert (folder / "report.md").is_file()
    assert [past for _, past in library.evaluations.history()] == [result]


def test_thumbs_given_in_the_chat_are_judgments(library: Rag) -> None:
    retrieved = library.search("how do I pair the remote")
    evaluations = library.evaluations
    assert evaluations.judged("qa").thumbs == 0
    thumb = evaluations.judge_source(retrieved, retrieved.hits[0], helpful=True)
    assert thumb.recipe
    assert (thumb.rank, thumb.mode, thumb.strategy) == (1, "task-aware", "hybrid")
    evaluations.judge_answer(retrieved, Answer("x [2]", (Citation(2, retrieved.hits[1]),)), helpful=True)
    assert evaluations.judged("qa").thumbs == 2
    assert evaluations.judged("qa").chunks == len(SECTIONS)
    dataset = evaluations.from_index("qa", "feedback")
    assert list(dataset.judged.values()) == [{retrieved.hits[0].id: 1, retrieved.hits[1].id: 1}]
    evaluations.take_back(thumb)
    assert evaluations.judged("qa").thumbs == 1


def test_feedback_is_exported_as_qrels(library: Rag, tmp_path: Path) -> None:
    retrieved = library.search("how do I pair the remote")
    library.evaluations.judge_source(retrieved, retrieved.hits[0], helpful=True)
    folder = library.evaluations.export("qa", "feedback", tmp_path / "out")
    assert len(load_dataset(folder).questions) == 1
    assert "Only what was shown" in (folder / "SOURCE.md").read_text()


def test_an_absent_index_says_what_to_do(rag: Rag) -> None:
    with pytest.raises(DatasetError, match="python -m rag ingest"):
        rag.evaluations.from_index("qa")
    with pytest.raises(UnknownNameError):
        rag.evaluations.from_index("qaa")
    assert rag.evaluations.judged("qa").chunks == 0


def test_a_profile_can_be_seen_and_forgotten(rag: Rag) -> None:
    assert rag.evaluations.profile("qa") is None
    profile = Profile("qa", "none", 0.5, 64)
    save_profile(rag.settings.data_dir, profile)
    assert rag.evaluations.profile("qa") == profile
    assert rag.status().tuned == (("qa", "prompts none, 0.5 dense, chunks of 64 tokens (not measured)"),)
    assert rag.evaluations.forget_profile("qa")
    assert rag.evaluations.profile("qa") is None


@pytest.fixture
def cli(rag: Rag) -> Command:
    return lambda arguments: CliRunner().invoke(app, arguments, obj=Shell(make_rag=lambda: rag))


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return str(write_dataset(topics(), tmp_path / "topics"))


def test_evaluate_prints_tables_and_writes_the_report(cli: Command, folder: str, tmp_path: Path) -> None:
    outcome = cli(["evaluate", "--dataset", folder, "--task", "qa", "--out", str(tmp_path / "report")])
    assert outcome.exit_code == 0, outcome.output
    for word in ("Prompts alone", "Whole pipeline", "naive", "passage/passage", "bm25", "hybrid", "default", "MAP@100"):
        assert word in outcome.output
    assert (tmp_path / "report" / "means.svg").is_file()


def test_evaluate_gives_json(cli: Command, folder: str) -> None:
    outcome = cli(["evaluate", "--dataset", folder, "--task", "qa", "--systems", "bm25", "--json"])
    assert outcome.exit_code == 0, outcome.output
    assert [system["name"] for system in json.loads(outcome.stdout)["result"]["systems"]] == ["naive", "bm25"]


@pytest.mark.parametrize(
    "arguments", [[], ["--task", "qa"], ["--dataset", "FOLDER"], ["--dataset", "FOLDER", "--index", "qa"]]
)
def test_evaluate_wants_a_dataset_with_its_task_or_an_index(cli: Command, folder: str, arguments: list[str]) -> None:
    outcome = cli(["evaluate", *(folder if word == "FOLDER" else word for word in arguments)])
    assert outcome.exit_code == 2


def test_tune_says_what_it_found(cli: Command, folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.evaluation.run.tuner.WEIGHTS", (0.0, 1.0))
    outcome = cli(["tune", "--dataset", folder, "--task", "code"])
    assert outcome.exit_code in (0, 1), outcome.output
    assert "it would have claimed" in outcome.output


def test_judgments_are_written(cli: Command, library: Rag, tmp_path: Path) -> None:
    out = tmp_path / "made"
    outcome = cli(["judgments", "--index", "qa", "--judgments", "synthetic", "--out", str(out)])
    assert outcome.exit_code == 0, outcome.output
    assert len(load_dataset(out).questions) == len(SECTIONS)
