"""Tuning chooses on one half, confirms on the other, and says what it would have claimed without a split."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import CancelledError, DatasetError, SettingsError
from rag.evaluation.data.datasets import Dataset
from rag.evaluation.run import tuner
from rag.evaluation.run.context import EvaluationContext, evaluation_meter
from rag.evaluation.run.tuner import WEIGHTS, TuneResult, tune_task
from rag.evaluation.stats.tuning import best, choose, split
from rag.recipes import Recipes
from rag.settings import Settings
from rag.tasks import TASKS, PromptMode, get_task
from rag.tasks.profiles import (
    Profile,
    apply_profile,
    load_profile,
    profile_path,
    remove_profile,
    save_profile,
)
from tests.evaluation.build import FAST, evaluated, settings_in
from tests.fakes import FakeEmbedder

FEW = (0.0, 0.7, 1.0)
PROFILE = Profile("qa", "query/query", 0.6, 128, "m", "d", 0.01, "2026-01-01T00:00:00+00:00")


def tuned(dataset: Dataset, settings: Settings, embedder: FakeEmbedder, task: str, *chunk_tokens: int) -> TuneResult:
    context = EvaluationContext(settings, embedder, resamples=FAST)
    return tune_task(context, dataset, get_task(task), chunk_tokens)


@given(st.lists(st.text(min_size=1), min_size=2, max_size=60, unique=True))
def test_the_halves_are_disjoint_whole_and_independent_of_order(ids: list[str]) -> None:
    development, held_out = split(ids)
    assert sorted(development + held_out) == list(range(len(ids)))
    assert len(held_out) - len(development) in (0, 1)
    backwards, _ = split(ids[::-1])
    assert {ids[number] for number in development} == {ids[::-1][number] for number in backwards}


def test_a_better_candidate_is_chosen_and_equal_ones_stay_shipped() -> None:
    rng = np.random.default_rng(1)
    base = rng.random(100)
    scores = np.stack([base, base + 0.1, base - 0.1])
    assert best(scores, 0) == 1
    assert best(np.stack([base, base]), 0) == 0
    assert best(np.stack([base, base]), 1) == 1
    assert best(np.stack([base, base + rng.normal(0, 1, 100) * 0.1]), 0) == 0


def test_noise_alone_claims_much_in_sample_and_little_on_held_out_questions() -> None:
    claimed, held, promised = [], [], []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        base = rng.random(60)
        scores = np.clip(base + rng.normal(0, 0.25, (30, 60)), 0, 1)
        selection = choose(scores, [f"q{number}" for number in range(60)], 0)
        places = list(selection.held_out)
        claimed.append(selection.claimed)
        held.append(float((scores[selection.chosen] - scores[0])[places].mean()))
        promised.append(selection.cross_validated)
    assert np.mean(claimed) > 0.04
    assert abs(np.mean(held)) < 0.03
    assert np.mean(promised) < np.mean(claimed) / 2


def test_a_real_gain_is_found_by_all_three_ways() -> None:
    rng = np.random.default_rng(3)
    base = rng.random(200) * 0.5
    selection = choose(np.stack([base, base + 0.2]), [f"q{number}" for number in range(200)], 0)
    assert selection.chosen == 1
    assert selection.cross_validated == pytest.approx(0.2)
    assert selection.claimed == pytest.approx(0.2)


def test_candidates_are_measured_by_the_products_own_retrieval(
    dataset: Dataset, settings: Settings, embedder: FakeEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuner, "WEIGHTS", FEW)
    result = tuned(dataset, settings, embedder, "qa")
    assert len(result.tried) == len(PromptMode) * len({*FEW, get_task("qa").mix.dense_weight})
    assert result.development_questions == result.held_out_questions == 12
    assert [candidate.score for candidate in result.tried] == sorted(
        (candidate.score for candidate in result.tried), reverse=True
    )
    variation = apply_profile(get_task("qa"), Profile("qa", "query/query", 0.7, get_task("qa").chunking.tokens))
    direct = evaluated(dataset, settings, embedder, "default", task=variation)
    development, _ = split([question.id for question in dataset.questions])
    expected = np.array(direct.system("default").values["nDCG@10"])[development].mean()
    same = [
        candidate for candidate in result.tried if (candidate.symmetry, candidate.dense_weight) == ("query/query", 0.7)
    ]
    assert same[0].score == pytest.approx(expected)


def test_the_result_says_what_it_found(
    dataset: Dataset, settings: Settings, embedder: FakeEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert {0.0, 0.5, 1.0} <= set(WEIGHTS)
    monkeypatch.setattr(tuner, "WEIGHTS", FEW)
    result = tuned(dataset, settings, embedder, "faq")
    spec = get_task("faq")
    assert (result.shipped.symmetry, result.shipped.dense_weight) == (spec.prompts.value, spec.mix.dense_weight)
    assert "it would have claimed" in " ".join(result.words)
    assert result.kept == (
        result.held_out is not None and result.held_out.interval.low > 0 and result.cross_validated > 0
    )
    assert load_profile(settings.data_dir, "faq") is None


@pytest.mark.parametrize("task", TASKS)
def test_every_task_can_be_tuned(
    dataset: Dataset, settings: Settings, embedder: FakeEmbedder, monkeypatch: pytest.MonkeyPatch, task: str
) -> None:
    monkeypatch.setattr(tuner, "WEIGHTS", ())
    result = tuned(dataset, settings, embedder, task)
    assert len(result.tried) == len(PromptMode)
    assert result.shipped in result.tried
    assert result.shipped.symmetry == get_task(task).prompts.value


@pytest.mark.slow
def test_chunk_sizes_can_be_tried_too(
    dataset: Dataset, settings: Settings, embedder: FakeEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuner, "WEIGHTS", (0.5,))
    result = tuned(dataset, settings, embedder, "qa", 24)
    assert {candidate.chunk_tokens for candidate in result.tried} == {24, get_task("qa").chunking.tokens}


def test_few_questions_are_refused_and_work_can_be_stopped(
    dataset: Dataset, settings: Settings, embedder: FakeEmbedder
) -> None:
    with pytest.raises(DatasetError, match="found 5 judged questions, expected at least 20"):
        tuned(dataset.only([question.id for question in dataset.questions[:5]]), settings, embedder, "qa")
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(CancelledError):
        tune_task(EvaluationContext(settings, embedder, meter=evaluation_meter(cancel=cancel)), dataset, get_task("qa"))


# -- profiles ----------------------------------------------------------------------------------------------------------


def test_a_profile_is_kept_applied_and_removed(tmp_path: Path) -> None:
    assert load_profile(tmp_path, "qa") is None
    settings = settings_in(tmp_path)
    recipes = Recipes(settings)
    assert recipes.of("qa").task is get_task("qa")
    assert save_profile(tmp_path, PROFILE) == profile_path(tmp_path, "qa")
    assert load_profile(tmp_path, "qa") == PROFILE
    spec = recipes.of("qa").task
    assert spec == apply_profile(get_task("qa"), PROFILE)
    assert (spec.prompts, spec.mix.dense_weight, spec.chunking.tokens) == (PromptMode.QUERY_QUERY, 0.6, 128)
    assert remove_profile(tmp_path, "qa")
    assert not remove_profile(tmp_path, "qa")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("not json", "cannot be read"),
        ("[]", "is no profile"),
        ('{"task": "qa"}', "is no profile"),
        ('{"task": "faq", "symmetry": "none", "dense_weight": 0.5, "chunk_tokens": 64}', "found task 'faq'"),
        ('{"task": "qa", "symmetry": "sideways", "dense_weight": 0.5, "chunk_tokens": 64}', "sideways"),
        ('{"task": "qa", "symmetry": "none", "dense_weight": 1.5, "chunk_tokens": 64}', "dense_weight 1.5"),
        ('{"task": "qa", "symmetry": "none", "dense_weight": 0.5, "chunk_tokens": 2}', "chunk_tokens 2"),
    ],
)
def test_a_damaged_profile_says_what_is_wrong_and_what_to_do(tmp_path: Path, text: str, reason: str) -> None:
    path = profile_path(tmp_path, "qa")
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(SettingsError, match=reason) as raised:
        load_profile(tmp_path, "qa")
    assert "Remove it" in str(raised.value)
