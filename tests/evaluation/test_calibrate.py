"""Shares chosen by judged questions: half-way to the task's, and only when the other half confirms them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from rag.evaluation.run import calibrate
from rag.evaluation.run.calibrate import LEAST_AGREED, shares_by_agreement, shares_by_judgments
from rag.evaluation.run.mixtures import SignalMix
from rag.jobs import Meter
from rag.models import MINILM
from rag.recipes import DENSE, SECOND, resolve
from rag.retrieval.retriever import Retriever
from rag.settings import load_settings
from rag.tasks import get_task
from rag.tasks.calibrated import JUDGED, MADE
from rag.types import Filter
from tests.evaluation.build import FAST, topics
from tests.fakes import FakeEmbedder
from tests.fakes_index import filled_index


@dataclass(frozen=True)
class Question:
    """Scores best at one dense share and one share of the second model."""

    id: str
    weight: float
    second: float

    def quality(self, mix: SignalMix) -> float:
        return 1.0 - abs(mix.weight - self.weight) - 0.5 * abs(mix.shares[SECOND] - self.second)


@pytest.fixture
def retriever() -> Retriever:
    embedder = FakeEmbedder()
    recipe = resolve(load_settings(second_model=MINILM), get_task("qa"))
    index = filled_index(embedder, {"warranty": "The warranty lasts two years.", "battery": "Charge the battery."})
    return Retriever(recipe, index, embedder.encode, Filter("default"), others={MINILM: embedder.encode})


def judged(retriever, monkeypatch, weights, second=0.5):
    questions = [Question(f"a{number:02}", weight, second) for number, weight in enumerate(weights)]
    monkeypatch.setattr(calibrate, "gather_questions", lambda *args: questions)
    dataset = topics()
    dataset = replace(dataset, questions=tuple(replace(dataset.questions[0], id=each.id) for each in questions))
    return shares_by_judgments(retriever, dataset, Meter(), lambda mixture: mixture.ids, FAST)


def test_the_choice_is_half_way_between_the_task_and_what_is_best(retriever, monkeypatch) -> None:
    prior = retriever.recipe.task.mix.dense_weight
    shares = judged(retriever, monkeypatch, [0.0] * 24)
    assert shares.dense_weight == pytest.approx(prior / 2)
    assert (shares.grounds, shares.questions, shares.second_share) == (JUDGED, 24, None)
    assert shares.gain == pytest.approx(prior / 2, abs=1e-3)


def test_the_second_models_share_moves_as_well_and_never_to_nothing(retriever, monkeypatch) -> None:
    shares = judged(retriever, monkeypatch, [retriever.recipe.task.mix.dense_weight] * 24, second=0.0)
    assert shares.second_share == pytest.approx(0.25)
    assert all(0.0 < second < 1.0 for second, _ in calibrate._choices(retriever.recipe))


def test_what_one_half_says_alone_is_not_kept(retriever, monkeypatch) -> None:
    assert judged(retriever, monkeypatch, [retriever.recipe.task.mix.dense_weight] * 24) is None
    assert judged(retriever, monkeypatch, [0.0, 1.0] * 12) is None


def test_the_tasks_own_shares_are_among_the_choices_as_they_are(retriever) -> None:
    recipe = retriever.recipe
    mix = calibrate._mix(recipe, *calibrate._choices(recipe)[0])
    assert mix.weight == recipe.task.mix.dense_weight
    assert mix.shares == pytest.approx({DENSE: 0.5, SECOND: 0.5})


def test_too_few_questions_that_both_models_know_leave_the_task_as_it_is(retriever) -> None:
    alone = replace(retriever, recipe=replace(retriever.recipe, signals=retriever.recipe.signals[:1]))
    few = [f"how long is the warranty {number}" for number in range(LEAST_AGREED - 1)]
    shares = shares_by_agreement(alone, few, MADE, Meter())
    assert shares.dense_weight == retriever.recipe.task.mix.dense_weight
    assert shares.gain == 0.0
