"""Chooses the shares of a task for one index: by how far its signals agree, or by judged questions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

from rag.evaluation.data.datasets import Dataset
from rag.evaluation.run.mixtures import SignalMix, gather_questions, qualities
from rag.evaluation.run.tuner import CHOSEN, SECOND_SHARES, SHIPPED, WEIGHTS
from rag.evaluation.stats.resampling import RESAMPLES
from rag.evaluation.stats.significance import compare_all
from rag.evaluation.stats.tuning import choose
from rag.jobs import Meter
from rag.recipes import SECOND, RecipeInForce
from rag.retrieval.agreement import agreement_of
from rag.retrieval.fusion import Mixture
from rag.retrieval.retriever import Retriever
from rag.retrieval.shares import ASKED as BY_ASKED
from rag.retrieval.shares import MADE as BY_MADE
from rag.tasks.calibrated import ASKED, JUDGED, MADE

LEAST_AGREED = 20
"""Questions that both models must have an opinion on, for their agreement to mean something."""
_COEFFICIENTS = {MADE: BY_MADE, ASKED: BY_ASKED}
_TOWARDS_PRIOR = 0.5


@dataclass(frozen=True, slots=True)
class Shares:
    """Shares chosen for an index.

    Attributes:
        dense_weight: Share of the dense signals together.
        grounds: `made`, `asked` or `judged`.
        questions: How many questions they go by.
        gain: nDCG@10 that is expected of them.
        second_share: Share of the second model in the dense score; None for the task's own.
    """

    dense_weight: float
    grounds: str
    questions: int
    gain: float = 0.0
    second_share: float | None = None


def shares_by_agreement(retriever: Retriever, questions: Sequence[str], grounds: str, meter: Meter) -> Shares:
    """Ask every question once and move the task's dense share by how far the signals agree.

    Args:
        retriever: Over the index; it has seen no question yet.
        questions: Made or asked.
        grounds: Which of the two.
        meter: Told of each question.

    Returns:
        The task's own share when too few questions are in a language that both models know.
    """
    mixtures: list[Mixture] = []
    for question in questions:
        mixtures.append(retriever.gather(question).mixture)
        meter.step()
    agreement, count = agreement_of(mixtures)
    prior = retriever.recipe.task.mix.dense_weight
    if count < LEAST_AGREED:
        return Shares(prior, grounds, count)
    coefficients = _COEFFICIENTS[grounds]
    weight = min(1.0, max(0.0, prior + coefficients.move(agreement)))
    return Shares(round(weight, 3), grounds, count, coefficients.gain)


def shares_by_judgments(
    retriever: Retriever,
    dataset: Dataset,
    meter: Meter,
    owners_of: Callable[[Mixture], Sequence[str]],
    resamples: int = RESAMPLES,
) -> Shares | None:
    """Choose shares half-way between the task's and those of the tuner's grid on one half of the judged questions.

    Args:
        retriever: Over the index that the questions are about; it has seen none yet.
        dataset: Judged questions.
        meter: Told of each question.
        owners_of: Gives the judged thing that each candidate belongs to.
        resamples: Of the interval.

    Returns:
        None unless the interval of their gain on the other half is above zero.
    """
    questions = gather_questions(retriever, dataset, meter, owners_of)
    choices = _choices(retriever.recipe)
    scores = qualities(questions, [_mix(retriever.recipe, *choice) for choice in choices])
    selection = choose(scores, [question.id for question in dataset.questions], 0)
    if selection.chosen == 0:
        return None
    held_out = list(selection.held_out)
    values = {SHIPPED: scores[0, held_out], CHOSEN: scores[selection.chosen, held_out]}
    comparison = compare_all(values, SHIPPED, resamples=resamples)[CHOSEN]
    if comparison.interval.low <= 0.0:
        return None
    own, (second, weight) = choices[0][0], choices[selection.chosen]
    changed = None if second == own else second
    return Shares(weight, JUDGED, len(questions), round(comparison.difference, 4), changed)


def _choices(recipe: RecipeInForce) -> list[tuple[float, float]]:
    """Pairs of the second model's share and the dense share, the task's own first; no signal loses all it has."""
    prior, own = recipe.task.mix.dense_weight, _second_share(recipe)
    seconds = [own, *(_half_way(own, share) for share in SECOND_SHARES)] if 0.0 < own < 1.0 else [own]
    weights = [prior, *(_half_way(prior, weight) for weight in WEIGHTS)]
    return list(dict.fromkeys(product(seconds, weights)))


def _half_way(prior: float, choice: float) -> float:
    return round(prior + _TOWARDS_PRIOR * (choice - prior), 4)


def _second_share(recipe: RecipeInForce) -> float:
    return sum(signal.share for signal in recipe.signals if signal.label == SECOND)


def _mix(recipe: RecipeInForce, second: float, weight: float) -> SignalMix:
    own = _second_share(recipe)
    factors = {True: second / own if own else 0.0, False: (1.0 - second) / (1.0 - own) if own < 1.0 else 0.0}
    shares = {signal.label: signal.share * factors[signal.label == SECOND] for signal in recipe.signals}
    return SignalMix(shares, weight, recipe.task.mix.spread)
