"""Shares that an index calibrated, as a file beside the profiles and as a part of the recipe in force."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from rag.errors import SettingsError
from rag.models import MINILM
from rag.recipes import Recipes, calibrated, resolve
from rag.settings import Settings, load_settings
from rag.tasks import get_task
from rag.tasks.calibrated import (
    ASKED,
    JUDGED,
    Calibration,
    calibration_path,
    load_calibration,
    save_calibration,
)
from rag.tasks.profiles import Profile, remove_profile, save_profile
from tests.fakes import FakeEmbedder

PRIOR = get_task("qa").mix.dense_weight


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data_dir=tmp_path, second_model=MINILM, calibrate=True)


@pytest.fixture
def calibration(settings: Settings) -> Calibration:
    models = resolve(settings, get_task("qa")).models
    return Calibration("qa", "qa-1", models, PRIOR, 0.4, questions=40, gain=0.004, chunks=80)


def test_what_is_saved_is_read(settings: Settings, calibration: Calibration) -> None:
    assert load_calibration(settings.data_dir, "qa") is None
    assert save_calibration(settings.data_dir, calibration) == calibration_path(settings.data_dir, "qa")
    assert load_calibration(settings.data_dir, "qa") == calibration


@pytest.mark.parametrize(
    "changes",
    [
        {"task": "faq"},
        {"dense_weight": 1.2},
        {"second_share": 0.0},
        {"second_share": 1.0},
        {"grounds": "guessed"},
        {"surprise": 1},
    ],
)
def test_a_damaged_file_says_what_to_do(settings: Settings, calibration: Calibration, changes: dict) -> None:
    path = save_calibration(settings.data_dir, calibration)
    path.write_text(json.dumps(asdict(calibration) | changes))
    with pytest.raises(SettingsError, match="Remove it; the next ingest makes it anew"):
        load_calibration(settings.data_dir, "qa")
    path.write_text("{")
    with pytest.raises(SettingsError, match="cannot be read"):
        load_calibration(settings.data_dir, "qa")


def test_it_is_in_force_as_soon_as_it_is_written_and_a_profile_goes_before_it(
    settings: Settings, calibration: Calibration
) -> None:
    recipes = Recipes(settings)
    assert recipes.of("qa").task.mix.dense_weight == PRIOR
    save_calibration(settings.data_dir, calibration)
    assert recipes.of("qa").calibration == calibration
    assert recipes.of("qa").task.mix.dense_weight == 0.4
    assert recipes.of("qa") is recipes.of("qa")
    assert recipes.shipped("qa").task.mix.dense_weight == PRIOR
    save_profile(settings.data_dir, Profile("qa", "none", 0.7, 128))
    assert recipes.of("qa").task.mix.dense_weight == 0.7
    assert recipes.of("qa").calibration is None
    remove_profile(settings.data_dir, "qa")
    save_calibration(settings.data_dir, replace(calibration, off=True))
    assert recipes.of("qa").task.mix.dense_weight == PRIOR


@pytest.mark.parametrize("changes", [{"prior": 0.99}, {"models": ("another",)}])
def test_what_was_chosen_for_other_constants_or_models_does_not_apply(
    settings: Settings, calibration: Calibration, changes: dict
) -> None:
    save_calibration(settings.data_dir, replace(calibration, **changes))
    assert Recipes(settings).of("qa").calibration is None


def test_with_the_setting_off_only_what_a_person_asked_for_is_in_force(
    settings: Settings, calibration: Calibration
) -> None:
    off = Recipes(settings.model_copy(update={"calibrate": False}))
    save_calibration(settings.data_dir, calibration)
    assert off.of("qa").calibration is None
    save_calibration(settings.data_dir, replace(calibration, by_hand=True))
    assert off.of("qa").task.mix.dense_weight == 0.4


@pytest.mark.parametrize("task", ["qa", "faq", "code", "similar", "summary"])
def test_other_shares_are_the_same_vectors(settings: Settings, task: str) -> None:
    recipe = resolve(settings, get_task(task))
    changed = calibrated(recipe, Calibration(task, "i", recipe.models, 0.5, 0.3, second_share=0.25))
    assert sum(signal.share for signal in changed.signals) == pytest.approx(1.0)
    assert changed.signals[-1].share == pytest.approx(0.25)
    fake, others = FakeEmbedder(), {signal.model.id: FakeEmbedder() for signal in recipe.signals[1:]}
    assert changed.identity(fake, others) == recipe.identity(fake, others)
    again = resolve(settings, changed.task)
    assert [signal.share for signal in again.signals] == pytest.approx([signal.share for signal in changed.signals])


def test_words_say_what_changed_by_what_and_what_to_expect(calibration: Calibration) -> None:
    asked = replace(calibration, grounds=ASKED, gain=-0.0004, questions=1200)
    assert asked.describe() == (
        "40.0% dense in place of 45%, by 1,200 questions that were asked "
        "(expected -0.000 nDCG@10, on judged sets left out of the fit)"
    )
    judged = replace(calibration, grounds=JUDGED, second_share=0.6)
    assert "60% of it by the second model, by 40 judged questions" in judged.describe()
    assert "the half that had no part in choosing" in judged.describe()
    assert "45% dense as shipped" in replace(calibration, dense_weight=PRIOR).describe()
