"""An index calibrates itself: when, by what, with what effect, and how it is taken back."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest
from typer.testing import CliRunner

from rag.cli import Shell, app
from rag.errors import CancelledError, DatasetError
from rag.evaluation import calibrating
from rag.evaluation.calibrating import Calibrator
from rag.evaluation.run import calibrate
from rag.models import MINILM
from rag.retrieval.shares import Coefficients
from rag.services import Rag
from rag.settings import load_settings
from rag.tasks import get_task
from rag.tasks.calibrated import ASKED, JUDGED, MADE, calibration_path, load_calibration, save_calibration
from rag.tasks.profiles import Profile, save_profile
from tests.fakes import FakeEmbedder

PARTS = ("battery", "screen", "remote", "speaker", "antenna", "power cord", "stand", "camera")
VERBS = ("clean", "replace", "charge", "connect", "test", "store", "repair", "switch", "pack")
PRIOR = get_task("faq").mix.dense_weight
UP = Coefficients(0.1, 0.0, 0.0, 0.0, gain=0.01)


def entries(start: int = 0, count: int = 72) -> bytes:
    """An FAQ as CSV."""
    rows = [f"How do I {verb} the {part} of my television at home?,Open the menu and choose {part} number {number}."
            for number, (verb, part) in enumerate((verb, part) for verb in VERBS for part in PARTS)]  # fmt: skip
    return "\n".join(["question,answer", *rows[start : start + count]]).encode()


def opened(folder: Path, **settings: object) -> Rag:
    """Both models are fakes."""
    rag = Rag(
        load_settings(data_dir=folder, workers=1, second_model=MINILM, **settings), embedder=FakeEmbedder(dimension=384)
    )
    rag._parts.__dict__["others"] = {MINILM: FakeEmbedder(dimension=384)}
    rag._parts.__dict__["calibrator"] = Calibrator(rag._parts, rest=0.01)
    return rag


@pytest.fixture(autouse=True)
def fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fit that moves every share by +0.05 for made questions and by -0.05 for asked ones."""
    monkeypatch.setattr(calibrate, "_COEFFICIENTS", {MADE: UP, ASKED: replace(UP, constant=-0.1)})


@pytest.fixture(scope="module")
def ingested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of 72 entries that did not calibrate itself."""
    folder = tmp_path_factory.mktemp("ingested") / "data"
    rag = opened(folder, calibrate=False)
    rag.ingest_uploads([("faq.csv", entries())], "faq")
    rag.close()
    return folder


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Rag]:
    rag = opened(tmp_path / "data", calibrate=True)
    yield rag
    rag.close()


@pytest.fixture
def rag(tmp_path: Path, ingested: Path) -> Iterator[Rag]:
    """The library of `ingested`."""
    shutil.copytree(ingested, tmp_path / "data")
    rag = opened(tmp_path / "data", calibrate=True)
    yield rag
    rag.close()


def settled(rag: Rag) -> Rag:
    """Wait until nothing is left to calibrate."""
    thread = rag._parts.calibrator._thread
    if thread is not None:
        thread.join(30)
    return rag


def share(rag: Rag) -> float:
    return rag._parts.recipes.of("faq").task.mix.dense_weight


def ask(rag: Rag, count: int) -> None:
    """Keep answered questions in a conversation."""
    from rag.catalog import StoredTurn

    conversation = rag.new_conversation()
    for number in range(count):
        text = f"How do I {VERBS[number % 9]} the {PARTS[number % 8]} at home, number {number}?"
        details = {"task": "faq", "question": text}
        rag._parts.workspace.messages.add(
            conversation, [StoredTurn("user", text), StoredTurn("assistant", "x", details)]
        )


def test_an_ingest_calibrates_in_the_background_and_a_restart_keeps_it(empty: Rag, tmp_path: Path) -> None:
    rag = empty
    rag.ingest_uploads([("faq.csv", entries())], "faq")
    settled(rag)
    assert share(rag) == pytest.approx(PRIOR + 0.05)
    stored = load_calibration(rag.settings.data_dir, "faq")
    assert stored is not None
    assert (stored.grounds, stored.questions, stored.chunks, stored.gain) == (MADE, 40, 72, 0.01)
    assert rag.search("How do I clean the battery?").hits is not None
    rag.close()
    again = opened(tmp_path / "data", calibrate=True)
    assert share(again) == pytest.approx(PRIOR + 0.05)
    again.close()


def test_the_index_stays_as_it_is(rag: Rag) -> None:
    rag._parts.calibrator.consider("faq")
    settled(rag)
    parts = rag._parts
    shipped, calibrated = parts.recipes.shipped("faq"), parts.recipes.of("faq")
    assert shipped != calibrated
    assert parts.indexes.identity(shipped) == parts.indexes.identity(calibrated)
    assert not rag.status().problems


def test_a_small_library_and_one_that_grew_little_are_left_alone(empty: Rag) -> None:
    rag = empty
    rag.ingest_uploads([("one.csv", entries(0, 30))], "faq")
    assert load_calibration(settled(rag).settings.data_dir, "faq") is None
    rag.ingest_uploads([("two.csv", entries(30, 30))], "faq")
    first = load_calibration(settled(rag).settings.data_dir, "faq")
    assert first is not None
    assert first.chunks == 60
    rag.ingest_uploads([("three.csv", entries(60, 11))], "faq")
    assert load_calibration(settled(rag).settings.data_dir, "faq") == first
    rag.ingest_uploads([("four.csv", entries(71, 1))], "faq")
    grown = load_calibration(settled(rag).settings.data_dir, "faq")
    assert grown is not None
    assert grown.chunks == 72


def test_questions_that_were_asked_go_before_made_ones_and_are_not_logged(
    rag: Rag, caplog: pytest.LogCaptureFixture
) -> None:
    rag._parts.calibrator.consider("faq")
    settled(rag)
    ask(rag, 30)
    with caplog.at_level(logging.DEBUG):
        calibration = rag.calibrate("faq")
    assert (calibration.grounds, calibration.questions) == (ASKED, 30)
    assert share(rag) == pytest.approx(PRIOR - 0.05)
    assert "at home, number" not in caplog.text


def test_too_few_asked_questions_are_no_grounds(rag: Rag) -> None:
    ask(rag, 24)
    assert rag.calibrate("faq").grounds == MADE


def test_nothing_is_remembered_of_what_nobody_asked(rag: Rag) -> None:
    rag.calibrate("faq")
    index = rag._parts.indexes.open("faq")
    assert rag._parts.memory(index.name, "task-aware").asked == 0


def test_taken_back_it_stays_off_for_this_index_and_not_for_another_one(empty: Rag, tmp_path: Path) -> None:
    rag = empty
    rag.ingest_uploads([("one.csv", entries(0, 60))], "faq")
    settled(rag)
    assert rag.take_back_calibration("faq")
    assert share(rag) == PRIOR
    assert not rag.take_back_calibration("faq")
    rag.ingest_uploads([("two.csv", entries(60, 12))], "faq")
    assert share(settled(rag)) == PRIOR
    rag.close()
    again = opened(tmp_path / "data", calibrate=True)
    again.ingest_uploads([("three.csv", entries(0, 72))], "faq")
    assert share(settled(again)) == PRIOR
    note = load_calibration(again.settings.data_dir, "faq")
    assert note is not None
    save_calibration(again.settings.data_dir, replace(note, index="faq-of-another-recipe"))
    assert again._parts.calibrator.consider("faq")
    assert share(settled(again)) == pytest.approx(PRIOR + 0.05)
    again.close()


def test_the_setting_turns_it_off_and_leaves_the_file(rag: Rag, tmp_path: Path) -> None:
    rag._parts.calibrator.consider("faq")
    settled(rag).close()
    off = opened(tmp_path / "data", calibrate=False)
    assert share(off) == PRIOR
    assert calibration_path(off.settings.data_dir, "faq").exists()
    off.close()


def test_by_default_no_index_calibrates_itself_and_a_person_still_can(tmp_path: Path) -> None:
    rag = opened(tmp_path / "data")
    rag.ingest_uploads([("faq.csv", entries())], "faq")
    assert load_calibration(settled(rag).settings.data_dir, "faq") is None
    assert rag.calibrate("faq").by_hand
    assert share(rag) == pytest.approx(PRIOR + 0.05)
    assert rag.take_back_calibration("faq")
    assert share(rag) == PRIOR
    rag.close()


def test_a_tuned_profile_wins(rag: Rag) -> None:
    rag._parts.calibrator.consider("faq")
    settled(rag)
    save_profile(rag.settings.data_dir, Profile("faq", "query/passage", 0.3, 512))
    assert share(rag) == 0.3
    assert not rag._parts.calibrator.consider("faq")
    with pytest.raises(DatasetError, match="tuned profile"):
        rag.calibrate("faq")


def test_shares_of_other_models_do_not_apply(rag: Rag, tmp_path: Path) -> None:
    rag._parts.calibrator.consider("faq")
    settled(rag).close()
    alone = Rag(load_settings(data_dir=tmp_path / "data", second_model=""), embedder=FakeEmbedder(dimension=384))
    assert alone._parts.recipes.of("faq").task.mix.dense_weight == PRIOR
    alone.close()


def test_without_a_second_model_it_says_what_is_missing(tmp_path: Path) -> None:
    rag = Rag(load_settings(data_dir=tmp_path / "data", workers=1), embedder=FakeEmbedder(dimension=384))
    with pytest.raises(DatasetError, match="no documents yet"):
        rag.calibrate("faq")
    rag.ingest_uploads([("faq.csv", entries())], "faq")
    with pytest.raises(DatasetError, match="no second model"):
        rag.calibrate("faq")
    rag.close()


def thumbs(rag: Rag, count: int) -> None:
    for number in range(count):
        retrieved = rag.search(replace_task(f"{VERBS[number % 9]} {PARTS[number % 8]}"))
        rag.evaluations.judge_source(retrieved, retrieved.hits[0], helpful=True)


def replace_task(question: str):
    from rag.retrieval.request import Request

    return Request(question, "faq")


def test_judgments_choose_only_what_holds_on_the_other_half(rag: Rag, monkeypatch: pytest.MonkeyPatch) -> None:
    rag._parts.calibrator.consider("faq")
    settled(rag)
    thumbs(rag, 30)
    # What was shown first was judged best: nothing beats the shares that showed it.
    assert rag.calibrate("faq").grounds == MADE
    chosen = calibrate.Shares(0.7, JUDGED, 30, 0.05, 0.6)
    monkeypatch.setattr(calibrating, "shares_by_judgments", lambda *args: chosen)
    calibration = rag.calibrate("faq")
    assert (calibration.grounds, calibration.dense_weight, calibration.second_share) == (JUDGED, 0.7, 0.6)
    recipe = rag._parts.recipes.of("faq")
    assert [signal.share for signal in recipe.signals] == pytest.approx([0.4, 0.6])
    assert recipe.task.signals[0].share == pytest.approx(0.6)
    assert not rag.status().problems


def test_uploaded_judgments_go_before_thumbs(rag: Rag, tmp_path: Path) -> None:
    rows = [f"{VERBS[n % 9]} {PARTS[n % 8]} please\tfaq.csv/{n}\t1\n" for n in range(3)]
    (tmp_path / "few.tsv").write_text("".join(rows))
    with pytest.raises(DatasetError):
        rag.calibrate("faq", tmp_path / "missing.tsv")


def test_closing_gives_up_what_is_under_way(rag: Rag) -> None:
    rag._parts.calibrator.consider("faq")
    settled(rag)
    calibrator = Calibrator(rag._parts, rest=0.01)
    calibrator.close()
    with pytest.raises(CancelledError):
        calibrator.calibrate("faq")
    assert not calibrator.consider("faq")


def test_it_waits_while_an_ingest_is_under_way(rag: Rag) -> None:
    rag._parts.calibrator.consider("faq")
    settled(rag)
    calibration_path(rag.settings.data_dir, "faq").unlink()
    with rag._parts.catalog.writer.hold():
        assert rag._parts.calibrator.consider("faq")
        Event().wait(0.2)
        assert load_calibration(rag.settings.data_dir, "faq") is None
    settled(rag)
    assert load_calibration(rag.settings.data_dir, "faq") is not None


def test_status_and_command_line_say_what_changed_and_take_it_back(rag: Rag, tmp_path: Path) -> None:
    rag._parts.calibrator.consider("faq")
    ((task, words),) = settled(rag).status().calibrated
    assert task == "faq"
    assert "95.0% dense in place of 90%, by 40 questions made of its passages (expected +0.010" in words
    rag.close()

    def run(*arguments: str):
        return CliRunner().invoke(app, arguments, obj=Shell(lambda: opened(tmp_path / "data", calibrate=True)))

    assert "calibrated faq: 95.0% dense" in run("status").output
    assert "ranks by its own shares" in run("calibrate", "--task", "faq", "--off").output
    assert "calibrated faq" not in run("status").output
    assert "95.0% dense in place of 90%" in run("calibrate", "--task", "faq").output
    assert run("calibrate", "--task", "faq", "--json").exit_code == 0
