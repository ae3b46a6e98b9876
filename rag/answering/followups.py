"""Follow-up questions made readable on their own, without a model."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.text import STOP_WORDS, words
from rag.types import Turn

_LEANS = re.compile(
    r"^(?:and|but|or|so|also|what about|how about|what else|why|why not|really|then|und|et|y|e)\b"
    r"|\b(?:it|its|they|them|their|this|that|these|those|he|she|him|her|his|there|same|one|ones|former|latter)\b",
    re.IGNORECASE,
)
_POINTS_FORWARD = re.compile(r"\b(?:is|are|was|were) there\b|\bthere (?:is|are|was|were)\b|\bone of\b", re.IGNORECASE)
_SHORT = 2
_MOST_WORDS = 8


def standalone(question: str, history: Sequence[Turn]) -> str:
    """Prepend the subject of the previous question when this one is elliptical; else return it unchanged.

    It is elliptical when it begins like a continuation, holds a pronoun, or has at most two content words and fewer
    than five words.
    """
    if not _is_elliptical(question):
        return question
    present = STOP_WORDS | set(words(question))
    for turn in reversed(history):
        if turn.role != "user":
            continue
        subject = [word for word in dict.fromkeys(words(turn.text)) if word not in present]
        if subject:
            return f"{' '.join(subject[:_MOST_WORDS])} {question}"
    return question


def _is_elliptical(question: str) -> bool:
    spoken = words(question)
    content = [word for word in spoken if word not in STOP_WORDS]
    if len(content) <= _SHORT and len(spoken) < 5:
        return True
    return bool(_LEANS.search(_POINTS_FORWARD.sub("", question.strip())))
