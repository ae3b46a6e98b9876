"""Metrics equal pytrec_eval's and an independent implementation's."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.peers import rank_by_score
from rag.evaluation.stats.metrics import MEASURES, per_question

Judged = dict[str, dict[str, int]]
Rankings = dict[str, tuple[str, ...]]


def own_ndcg(ranking: Sequence[str], judged: Mapping[str, int], k: int = 10) -> float:
    def dcg(grades: Sequence[int]) -> float:
        return sum(grade / math.log2(rank + 2) for rank, grade in enumerate(grades[:k]))

    ideal = dcg(sorted(judged.values(), reverse=True))
    return dcg([judged.get(document, 0) for document in ranking]) / ideal if ideal else 0.0


def own_recall(ranking: Sequence[str], judged: Mapping[str, int], k: int) -> float:
    relevant = {document for document, grade in judged.items() if grade > 0}
    return len(relevant & set(ranking[:k])) / len(relevant) if relevant else 0.0


def own_rr(ranking: Sequence[str], judged: Mapping[str, int], k: int = 10) -> float:
    ranks = [rank for rank, document in enumerate(ranking[:k], 1) if judged.get(document, 0) > 0]
    return 1 / ranks[0] if ranks else 0.0


def own_ap(ranking: Sequence[str], judged: Mapping[str, int], k: int = 100) -> float:
    relevant = sum(grade > 0 for grade in judged.values())
    seen, total = 0, 0.0
    for rank, document in enumerate(ranking[:k], 1):
        if judged.get(document, 0) > 0:
            seen += 1
            total += seen / rank
    return total / relevant if relevant else 0.0


OWN = {
    "nDCG@10": own_ndcg,
    "R@10": lambda ranking, judged: own_recall(ranking, judged, 10),
    "R@100": lambda ranking, judged: own_recall(ranking, judged, 100),
    "RR@10": own_rr,
    "AP@100": own_ap,
}
PYTREC = {
    "nDCG@10": "ndcg_cut_10",
    "R@10": "recall_10",
    "R@100": "recall_100",
    "RR@10": "recip_rank",
    "AP@100": "map_cut_100",
}


def random_case(rng: random.Random) -> tuple[Rankings, Judged]:
    documents = [f"d{number}" for number in range(rng.randint(1, 150))]
    judged: Judged = {}
    rankings: Rankings = {}
    for question in (f"q{number}" for number in range(rng.randint(1, 4))):
        some = rng.sample(documents, rng.randint(1, min(12, len(documents))))
        judged[question] = {document: rng.randint(0, 3) for document in some}
        if rng.random() > 0.05:
            rankings[question] = tuple(rng.sample(documents, rng.randint(0, min(100, len(documents)))))
    return rankings, judged


def test_equal_to_pytrec_eval_on_1000_random_runs() -> None:
    import pytrec_eval

    rng = random.Random(11)
    for _ in range(1000):
        rankings, judged = random_case(rng)
        measured = per_question(rankings, judged)
        run = {q: {d: float(-rank) for rank, d in enumerate(rankings.get(q, ()))} for q in judged}
        cut = {q: dict(sorted(scores.items(), key=lambda item: -item[1])[:10]) for q, scores in run.items()}
        reference = pytrec_eval.RelevanceEvaluator(judged, set(PYTREC.values())).evaluate(run)
        first = pytrec_eval.RelevanceEvaluator(judged, {"recip_rank"}).evaluate(cut)
        for measure, name in PYTREC.items():
            source = first if measure == "RR@10" else reference
            expected = [source.get(question, {}).get(name, 0.0) for question in judged]
            assert measured[measure].tolist() == pytest.approx(expected, abs=1e-9), measure


@given(st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_equal_to_an_independent_implementation(rng: random.Random) -> None:
    rankings, judged = random_case(rng)
    measured = per_question(rankings, judged)
    for measure, reference in OWN.items():
        expected = [reference(rankings.get(question, ()), grades) for question, grades in judged.items()]
        assert measured[measure].tolist() == pytest.approx(expected, abs=1e-9), measure


@given(st.randoms(use_true_random=False))
@settings(max_examples=50, deadline=None)
def test_values_lie_between_0_and_1(rng: random.Random) -> None:
    values = per_question(*random_case(rng))
    assert set(values) == set(MEASURES)
    assert all(0.0 <= value <= 1.0 + 1e-12 for scores in values.values() for value in scores)


def test_gain_is_linear_in_the_grade() -> None:
    judged = {"q": {"a": 2, "b": 1}}
    score = per_question({"q": ("b", "a")}, judged)["nDCG@10"][0]
    assert score == pytest.approx((1 + 2 / math.log2(3)) / (2 + 1 / math.log2(3)))


def test_values_come_in_the_order_of_the_judged_questions() -> None:
    judged = {"z": {"a": 1}, "a": {"a": 1}}
    assert per_question({"a": ("a",), "other": ("a",)}, judged)["R@10"].tolist() == [0.0, 1.0]


def test_ties_go_by_id_and_a_document_keeps_its_best_score() -> None:
    assert rank_by_score([("b", 1.0), ("a", 1.0), ("c", 0.5), ("c", 2.0)]) == ("c", "a", "b")
    assert rank_by_score([("b", 1.0), ("a", 1.0)], limit=1) == ("a",)


@given(st.dictionaries(st.text("abc", min_size=1), st.sampled_from([0.0, 0.5, 1.0])), st.randoms(use_true_random=False))
def test_a_ranking_does_not_depend_on_the_order_of_its_input(scores: dict[str, float], rng: random.Random) -> None:
    shuffled = list(scores.items())
    rng.shuffle(shuffled)
    assert rank_by_score(shuffled) == rank_by_score(scores.items())
