"""Agreement of signals over questions, and the move of the dense share that it asks for."""

import numpy as np
import pytest

from rag.retrieval.agreement import Agreement, agreement_of
from rag.retrieval.fusion import Mixture, Ranked
from rag.retrieval.shares import ASKED, LIMIT, MADE, SHRINKAGE, Coefficients
from tests.build import scored


def ranking(*ids):
    return [scored(key, 0.9 - 0.01 * rank) for rank, key in enumerate(ids)]


def mixture(first, second, words, names=("dense", "dense, second model")):
    return Mixture([Ranked(name, ranking(*ids)) for name, ids in zip(names, (first, second), strict=True)], words)


def test_means_are_of_the_first_ten_of_each_list() -> None:
    ids = [f"p{number:02}" for number in range(20)]
    one = mixture(ids, ids[5:], ranking(*ids))
    other = mixture(ids, [f"q{number}" for number in range(12)], [])
    agreement, count = agreement_of([one, other])
    assert count == 2
    assert agreement == Agreement(words=pytest.approx(0.5), models=pytest.approx(0.25), cosine=pytest.approx(0.9))


def test_questions_that_one_model_does_not_know_are_left_out() -> None:
    alone = Mixture([Ranked("dense", ranking("a", "b"))], ranking("a"))
    assert agreement_of([alone]) == (Agreement(0.0, 0.0, 0.0), 0)
    assert agreement_of([alone, mixture("ab", "bc", ranking("a"))])[1] == 1


def test_the_lowest_of_a_list_scales_to_nothing_and_is_in_no_ten() -> None:
    agreement, _ = agreement_of([mixture("ab", "ab", ranking("a", "b"))])
    assert agreement.models == pytest.approx(0.1)


@pytest.mark.parametrize(("constant", "move"), [(0.1, 0.05), (9.0, SHRINKAGE * LIMIT), (-9.0, -SHRINKAGE * LIMIT)])
def test_a_move_is_clipped_and_shrunk(constant: float, move: float) -> None:
    assert Coefficients(constant, 0.0, 0.0, 0.0).move(Agreement(0.5, 0.5, 0.5)) == pytest.approx(move)


def test_slopes_belong_to_their_own_means() -> None:
    assert Coefficients(0.0, 0.1, 0.0, 0.0).move(Agreement(1.0, 0.0, 0.0)) == pytest.approx(0.05)
    assert Coefficients(0.0, 0.0, 0.1, 0.0).move(Agreement(0.0, 1.0, 0.0)) == pytest.approx(0.05)
    assert Coefficients(0.0, 0.0, 0.0, 0.1).move(Agreement(0.0, 0.0, 1.0)) == pytest.approx(0.05)


@pytest.mark.parametrize("coefficients", [MADE, ASKED])
def test_the_shipped_fit_trusts_models_that_find_their_own(coefficients: Coefficients) -> None:
    assert coefficients.move(Agreement(0.4, 0.6, 0.9)) > coefficients.move(Agreement(0.4, 0.6, 0.4))
    assert np.isfinite(coefficients.gain)
