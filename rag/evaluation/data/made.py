"""Questions made from passages, for looking at an index that nobody has asked yet. They have no judgments."""

from __future__ import annotations

import random
from collections.abc import Sequence

from rag.tasks.corpus import Passage
from rag.text import pieces

QUESTIONS = 40
SEED = 13
DROPPED = 1 / 3
"""Share of a sentence's words that are left out, so that it is not found by its words alone."""
_LEAST_WORDS = 6
"""Words of a sentence that can be asked; entries of an FAQ are questions however short."""


def made_questions(passages: Sequence[Passage], count: int = QUESTIONS, seed: int = SEED) -> list[str]:
    """Make questions of random passages: a sentence, or the question of an FAQ entry, with words dropped.

    Args:
        passages: All chunks of an index, in an order of their own.
        count: Most questions.
        seed: The same passages and seed give the same questions.
    """
    rng = random.Random(seed)  # noqa: S311 - a sample, not a secret
    questions: list[str] = []
    for passage in rng.sample(list(passages), len(passages)):
        if len(questions) == count:
            break
        words = _askable(passage, rng)
        if words:
            questions.append(" ".join(_some(words, rng)))
    return list(dict.fromkeys(questions))


def _askable(passage: Passage, rng: random.Random) -> list[str]:
    """The words of something in a passage that could be asked; none when there is nothing."""
    if passage.answer:
        return passage.text.split()
    sentences = [words for words in map(str.split, pieces(passage.text, by_line=False)) if len(words) >= _LEAST_WORDS]
    return rng.choice(sentences) if sentences else []


def _some(words: Sequence[str], rng: random.Random) -> list[str]:
    kept = max(1, round(len(words) * (1 - DROPPED)))
    return [words[number] for number in sorted(rng.sample(range(len(words)), kept))]
