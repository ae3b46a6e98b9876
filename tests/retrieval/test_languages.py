"""Signals that know nothing of a language have no say in it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.retrieval.languages import Say, say_of
from rag.types import ScoredPoint
from tests.build import scored


def spoken_in(*languages: str) -> list[ScoredPoint]:
    from dataclasses import replace

    points = [scored(f"p{number}", 1.0) for number in range(len(languages))]
    return [
        replace(point, payload=replace(point.payload, chunk=replace(point.payload.chunk, spoken=language)))
        for point, language in zip(points, languages, strict=True)
    ]


def test_in_one_language_nothing_changes():
    say = say_of(spoken_in("en", "en", ""), "en", ["", "en"])
    assert (say.dense.tolist(), say.words) == ([1.0, 1.0], 1.0)
    shares, weight = say.weigh(np.array([0.5, 0.5]), 0.4)
    assert (shares.tolist(), weight) == ([0.5, 0.5], pytest.approx(0.4))


def test_across_languages_only_the_model_that_knows_both_counts():
    shares, weight = say_of(spoken_in("de", "de"), "en", ["", "en"]).weigh(np.array([0.5, 0.5]), 0.4)
    assert (shares.tolist(), weight) == ([1.0, 0.0], 1.0)


def test_in_a_mixed_library_the_best_passages_say_in_how_far():
    say = say_of(spoken_in("en", "de", "de", "de"), "en", ["", "en"])
    assert (say.dense.tolist(), say.words) == ([1.0, 0.25], 0.25)


def test_where_no_language_is_clear_all_signals_count():
    say = say_of(spoken_in("", ""), "", ["", "en"])
    assert (say.dense.tolist(), say.words) == ([1.0, 1.0], 1.0)


SHARE = st.floats(0.0, 1.0)


@given(st.lists(SHARE, min_size=1, max_size=4), st.lists(SHARE, min_size=4, max_size=4), SHARE, SHARE)
def test_shares_add_up_and_the_weight_stays_a_share(asked, say, words, weight):
    shares = np.array(asked)
    if not shares.any():
        return
    kept, dense = Say(np.array(say[: len(asked)]), words).weigh(shares / shares.sum(), weight)
    assert kept.sum() == pytest.approx(1.0)
    assert 0.0 <= dense <= 1.0 + 1e-9
