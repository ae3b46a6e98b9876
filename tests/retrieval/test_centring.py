"""What is near to every question is discounted; how many questions it takes; what is remembered."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.retrieval.centring import PATIENCE, SIZE, STRENGTH, QuestionMemory, discounts
from rag.types import Chunk, Payload, ScoredPoint

PAYLOAD = Payload("w", "v", "d", "c", "n", "", "", "text", "", Chunk(0, 0, 1, "x", ("x",)))


def unit(seed: int, count: int) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(count, 8)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@given(st.integers(0, 60), st.integers(1, 10), st.integers(0, 1000))
def test_discounts_are_bounded_and_grow_into_their_strength(count: int, documents: int, seed: int) -> None:
    taken = discounts(unit(seed, count), unit(seed + 1, documents))
    assert taken.shape == (documents,)
    assert np.all(np.abs(taken) <= STRENGTH * count / (count + PATIENCE) + 1e-6)


def test_discounts_do_not_depend_on_the_order_of_questions() -> None:
    questions, documents = unit(1, 40), unit(2, 5)
    assert discounts(questions[::-1], documents) == pytest.approx(discounts(questions, documents), abs=1e-6)


def test_discounts_by_hand() -> None:
    questions = np.array([[1, 0]] * 10 + [[0, 1]] * 10, np.float32)
    taken = discounts(questions, np.array([[1, 0], [0.6, 0.8]], np.float32))
    assert taken == pytest.approx([0.5 * 20 / 30 * 1.0, 0.5 * 20 / 30 * 0.8])


def test_without_questions_nothing_is_taken_off() -> None:
    found = [ScoredPoint("a", 0.9, PAYLOAD, unit(0, 1)[0])]
    assert QuestionMemory().discounts(found) == {}
    assert np.all(discounts(np.zeros((0, 8), np.float32), unit(0, 3)) == 0)


def test_a_text_near_to_all_questions_loses_more() -> None:
    memory = QuestionMemory()
    for angle in np.linspace(0.1, 0.5, 30):
        memory.add(np.array([np.cos(angle), np.sin(angle)], np.float32))
    hub = ScoredPoint("hub", 0.9, PAYLOAD, np.array([1, 0], np.float32))
    own = ScoredPoint("own", 0.9, PAYLOAD, np.array([0, 1], np.float32))
    taken = memory.discounts([hub, own, ScoredPoint("bare", 0.9, PAYLOAD)])
    assert taken["hub"] > taken["own"]
    assert "bare" not in taken


def test_a_repeated_question_is_remembered_once() -> None:
    memory = QuestionMemory()
    for _ in range(5):
        memory.add(unit(3, 1)[0])
    assert memory.asked == 1


def test_the_memory_is_an_even_sample_and_the_same_every_time() -> None:
    rows = np.eye(4 * SIZE, dtype=np.float32)
    memories = [QuestionMemory(), QuestionMemory()]
    for memory in memories:
        for row in rows:
            memory.add(row)
    found = [ScoredPoint(str(n), 0.5, PAYLOAD, row) for n, row in enumerate(rows)]
    first, second = (memory.discounts(found) for memory in memories)
    assert first == second
    kept = [n for n in range(len(rows)) if first[str(n)] > 0]
    assert len(kept) == SIZE
    quarters = np.bincount(np.array(kept) // SIZE, minlength=4)
    assert quarters.min() > SIZE / 8
