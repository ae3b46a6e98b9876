"""The embedded default: answers by quoting the hits word for word, and says so when nothing answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from rag.answering.answerers.spec import AnswererEntry
from rag.answering.citations import NO_ANSWER
from rag.answering.followups import standalone
from rag.tasks.spec import TaskSpec
from rag.types import AnswerDelta, Hit, Matrix, Turn


class ExtractiveAnswerer:
    """Quotes the hits in the form that the task gives its answers.

    Args:
        embed: Embeds the question and sentences together, shape (texts, dimension), to choose among sentences; None
            leaves the choice to shared words.
    """

    name = "extractive"

    def __init__(self, embed: Callable[[Sequence[str]], Matrix] | None = None) -> None:
        self._embed = embed

    def stream(
        self, question: str, hits: Sequence[Hit], history: Sequence[Turn], task: TaskSpec
    ) -> Iterator[AnswerDelta]:
        """The answer, line by line; `NO_ANSWER` alone when the hits do not answer."""
        del history
        lines = task.quote(question, hits, self._likeness if self._embed else None) or [NO_ANSWER]
        for number, line in enumerate(lines):
            yield AnswerDelta(f"\n{line}" if number else line)

    def condense(self, question: str, history: Sequence[Turn]) -> str:
        """Prepend the subject of the previous question when this one is elliptical."""
        return standalone(question, history)

    def _likeness(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        assert self._embed is not None
        vectors = self._embed([question, *texts])
        return np.asarray(vectors[1:] @ vectors[0], dtype=np.float32)


ANSWERER = AnswererEntry(
    name="extractive",
    is_default=lambda settings: not settings.llm_model,
    make=lambda _settings, embed: ExtractiveAnswerer(embed),
)
