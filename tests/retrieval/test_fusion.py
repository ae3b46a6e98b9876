"""Fusion: bounds, invariances, and what happens at the edges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.retrieval.fusion import Fused, Mixture, Ranked, phrase_shares, rrf, scaled
from rag.types import ScoredPoint
from tests.build import scored


def ranking(scores: dict[str, float]) -> list[ScoredPoint]:
    """A list as an index returns it: best first, ties by id."""
    return [scored(key, scores[key]) for key in sorted(scores, key=lambda key: (-scores[key], key))]


def convex(
    dense: Sequence[ScoredPoint], bm25: Sequence[ScoredPoint], weight: float, phrases: Mapping[str, float] | None = None
) -> list[Fused]:
    """One dense list and BM25, mixed."""
    return Mixture([Ranked("dense", dense)], bm25, phrases or {}).ranking(np.ones(1), weight)


# Multiples of 1/8 are exact in binary, so that shifting and stretching them loses nothing.
SCORES = st.dictionaries(st.sampled_from([f"p{n}" for n in range(12)]), st.integers(-800, 800).map(lambda n: n / 8))
RANKINGS = SCORES.map(ranking)
WEIGHTS = st.sampled_from([0.0, 0.125, 0.25, 0.5, 0.75, 1.0])


def ids(items: Sequence[ScoredPoint | Fused]) -> list[str]:
    return [item.point.id if isinstance(item, Fused) else item.id for item in items]


@given(RANKINGS, RANKINGS, WEIGHTS)
def test_convex_returns_the_union_once_within_bounds_and_in_order(
    dense: list[ScoredPoint], bm25: list[ScoredPoint], weight: float
) -> None:
    fused = convex(dense, bm25, weight)
    assert sorted(ids(fused)) == sorted(set(ids(dense)) | set(ids(bm25)))
    assert all(0.0 <= item.score <= 1.0 + 1e-12 for item in fused)
    keys = [(-item.score, item.point.id) for item in fused]
    assert keys == sorted(keys)


@given(RANKINGS, RANKINGS, WEIGHTS)
def test_convex_does_not_depend_on_the_order_of_its_lists(
    dense: list[ScoredPoint], bm25: list[ScoredPoint], weight: float
) -> None:
    assert convex(dense[::-1], bm25[::-1], weight) == convex(dense, bm25, weight)


@given(RANKINGS, RANKINGS, WEIGHTS, st.integers(-64, 64), st.sampled_from([0.25, 2.0, 8.0]))
def test_convex_does_not_depend_on_where_a_score_starts_and_how_far_it_goes(
    dense: list[ScoredPoint], bm25: list[ScoredPoint], weight: float, shift: int, stretch: float
) -> None:
    moved = [ScoredPoint(item.id, item.score * stretch + shift, item.payload) for item in dense]
    assert ids(convex(moved, bm25, weight)) == ids(convex(dense, bm25, weight))


@given(RANKINGS, RANKINGS)
def test_the_weights_0_and_1_put_one_list_first_in_its_own_order(
    dense: list[ScoredPoint], bm25: list[ScoredPoint]
) -> None:
    for weight, listed in ((1.0, dense), (0.0, bm25)):
        worst = min((item.score for item in listed), default=0.0)
        above = [item.id for item in listed if item.score > worst]
        assert ids(convex(dense, bm25, weight))[: len(above)] == above


@given(RANKINGS, WEIGHTS.filter(lambda weight: weight > 0))
def test_an_empty_list_leaves_the_others_order(dense: list[ScoredPoint], weight: float) -> None:
    assert ids(convex(dense, [], weight)) == ids(dense)


@given(RANKINGS, RANKINGS)
def test_scores_are_kept_by_signal(dense: list[ScoredPoint], bm25: list[ScoredPoint]) -> None:
    by_dense, by_bm25 = ({item.id: item.score for item in listed} for listed in (dense, bm25))
    for item in convex(dense, bm25, 0.5):
        expected = {"dense": by_dense.get(item.point.id), "bm25": by_bm25.get(item.point.id)}
        assert item.scores == {name: score for name, score in expected.items() if score is not None}


def test_convex_by_hand() -> None:
    fused = convex(ranking({"a": 0.9, "b": 0.8, "c": 0.7}), ranking({"c": 4.0, "d": 2.0}), 0.75)
    assert [(item.point.id, item.score) for item in fused] == [
        ("a", 0.75), ("b", pytest.approx(0.375)), ("c", 0.25), ("d", 0.0),
    ]  # fmt: skip


def test_a_list_of_equal_scores_is_all_best() -> None:
    assert scaled(ranking({"a": 0.5, "b": 0.5})) == {"a": 1.0, "b": 1.0}


@pytest.mark.parametrize("weight", [-0.1, 1.1, float("nan")])
def test_a_weight_outside_its_range_is_refused(weight: float) -> None:
    with pytest.raises(ValueError, match="expected a share from 0"):
        convex([], [], weight)


@given(st.lists(RANKINGS, max_size=4), st.integers(0, 100))
def test_rrf_depends_on_ranks_alone_and_not_on_the_order_of_lists(lists: list[list[ScoredPoint]], k: int) -> None:
    ranks_only = [[scored(item.id, -float(rank)) for rank, item in enumerate(listed)] for listed in lists]
    assert ids(rrf(ranks_only, k)) == ids(rrf(lists, k))
    backwards = {item.point.id: item.score for item in rrf(lists[::-1], k)}
    assert backwards == pytest.approx({item.point.id: item.score for item in rrf(lists, k)})


@given(RANKINGS, st.integers(1, 4))
def test_rrf_of_a_list_with_itself_is_that_list(listed: list[ScoredPoint], times: int) -> None:
    assert ids(rrf([listed] * times)) == ids(listed)


def test_rrf_by_hand() -> None:
    fused = rrf([ranking({"a": 2.0, "b": 1.0}), ranking({"b": 9.0, "c": 1.0})])
    assert [(item.point.id, item.score) for item in fused] == [
        ("b", pytest.approx(1 / 62 + 1 / 61)), ("a", pytest.approx(1 / 61)), ("c", pytest.approx(1 / 62)),
    ]  # fmt: skip


def test_rrf_breaks_ties_by_id() -> None:
    assert ids(rrf([ranking({"b": 1.0}), ranking({"a": 1.0})])) == ["a", "b"]


def test_a_negative_k_is_refused() -> None:
    with pytest.raises(ValueError, match="expected 0 or more"):
        rrf([], -1)


TERMS = st.lists(st.sampled_from("abcd"), max_size=8)


@given(TERMS, st.dictionaries(st.sampled_from(["p1", "p2", "p3"]), TERMS))
def test_phrase_shares_are_shares_and_do_not_depend_on_the_order_of_texts(
    question: list[str], texts: dict[str, list[str]]
) -> None:
    shares = phrase_shares(question, texts)
    assert set(shares) == set(texts)
    assert all(0.0 <= share <= 1.0 + 1e-12 for share in shares.values())
    assert phrase_shares(question, dict(reversed(texts.items()))) == shares


def test_a_text_with_all_neighbours_of_the_question_has_all_of_it_and_one_without_nothing() -> None:
    texts = {"all": ["x", "pair", "a", "speaker"], "words": ["speaker", "a", "pair"], "none": ["tv"]}
    assert phrase_shares(["pair", "a", "speaker"], texts) == {"all": 1.0, "words": 0.0, "none": 0.0}


def test_a_rare_pair_weighs_more_than_a_common_one() -> None:
    texts = {"rare": ["b", "c"], **{f"common{n}": ["a", "b"] for n in range(5)}}
    shares = phrase_shares(["a", "b", "c"], texts)
    assert shares["rare"] > shares["common0"]


def test_phrases_lift_a_point_within_bm25_and_leave_the_best_at_one() -> None:
    bm25 = ranking({"a": 4.0, "b": 3.0, "c": 2.0})
    fused = convex([], bm25, 0.0, phrases={"b": 1.0})
    assert [(item.point.id, item.score) for item in fused] == [
        ("b", 1.0), ("a", pytest.approx(1 / 1.5)), ("c", 0.0),
    ]  # fmt: skip


def test_discounts_reorder_the_dense_list_and_keep_the_shown_cosine() -> None:
    dense = Ranked("dense", ranking({"hub": 0.9, "own": 0.88}), discounts={"hub": 0.45, "own": 0.4})
    fused = Mixture([dense], []).ranking(np.ones(1), 1.0)
    assert [(item.point.id, dict(item.scores)) for item in fused] == [("own", {"dense": 0.88}), ("hub", {"dense": 0.9})]


def spread(points: Sequence[ScoredPoint], strength: float, depth: int = 60) -> tuple[list[str], dict[str, float]]:
    """Point ids by their scores after smoothing, and those scores."""
    mixture = Mixture([Ranked("dense", points)], [])
    totals = np.array([{point.id: point.score for point in points}[key] for key in mixture.ids])
    order, scores = mixture.order(totals, strength, depth)
    ranked = [mixture.ids[row] for row in order]
    return ranked, dict(zip(ranked, scores.tolist(), strict=True))


def directed(point: str, score: float, angle: float) -> ScoredPoint:
    return scored(point, score, np.array([np.cos(angle), np.sin(angle)], np.float32))


ANGLES = st.lists(st.floats(0, 6), min_size=1, max_size=8)


@given(ANGLES, st.sampled_from([0.0, 0.5, 1.0]), st.integers(1, 10))
def test_spread_keeps_the_points_and_never_lowers_a_score(angles: list[float], strength: float, depth: int) -> None:
    points = [directed(f"p{n}", 1 / (n + 1), angle) for n, angle in enumerate(angles)]
    ranked, scores = spread(points, strength, depth)
    assert sorted(ranked) == sorted(ids(points))
    before = {point.id: point.score for point in points}
    assert all(before[key] - 1e-9 <= score <= (1 + strength) for key, score in scores.items())
    assert ranked[depth:] == ids(points[depth:])


def test_entries_that_ask_the_same_lift_each_other_over_a_lone_one() -> None:
    points = [directed("lone", 1.0, 3.0), directed("one", 0.9, 0.0), directed("two", 0.8, 0.01)]
    assert spread(points, 0.75)[0] == ["one", "two", "lone"]
    assert spread(points, 0.0)[0] == ids(points)


def test_points_without_a_vector_keep_their_score() -> None:
    _, scores = spread([scored("bare", 1.0), directed("one", 0.9, 0.0)], 0.75)
    assert scores == {"bare": 1.0, "one": pytest.approx(0.9)}


@given(RANKINGS, RANKINGS, RANKINGS, WEIGHTS, WEIGHTS)
def test_the_shares_of_dense_signals_divide_the_dense_weight(
    first: list[ScoredPoint], second: list[ScoredPoint], bm25: list[ScoredPoint], weight: float, share: float
) -> None:
    """Whoever adds up the scaled scores by hand gets the same."""
    lists = [Ranked("dense", first, 1 - share), Ranked("other", second, share)]
    alone = [
        {f.point.id: f.score for f in Mixture([Ranked("x", points)], []).ranking(np.ones(1), 1.0)}
        for points in (first, second)
    ]
    words = {f.point.id: f.score for f in Mixture([], bm25).ranking(np.zeros(0), 0.0)}
    for item in Mixture(lists, bm25).ranking(np.array([1 - share, share]), weight):
        dense = [scores.get(item.point.id, 0.0) for scores in alone]
        by_hand = weight * ((1 - share) * dense[0] + share * dense[1]) + (1 - weight) * words.get(item.point.id, 0.0)
        assert item.score == pytest.approx(by_hand)


def test_a_mix_counts_each_signal_by_its_share() -> None:
    dense = [
        Ranked("dense", ranking({"a": 1.0, "b": 0.0}), 0.25),
        Ranked("second", ranking({"b": 1.0, "a": 0.0}), 0.75),
    ]
    fused = Mixture(dense, ranking({"c": 3.0})).ranking(np.array([0.25, 0.75]), 0.5)
    assert [(item.point.id, item.score, dict(item.scores)) for item in fused] == [
        ("c", 0.5, {"bm25": 3.0}),
        ("b", 0.375, {"dense": 0.0, "second": 1.0}),
        ("a", 0.125, {"dense": 1.0, "second": 0.0}),
    ]
