"""What a retrieval task is: one frozen value that owns everything about the task."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from rag.types import Chunking, Hit, Likeness

if TYPE_CHECKING:
    from rag.tasks.corpus import CorpusJudgments, Passage


class PromptMode(StrEnum):
    """Which prompts a two-prompt model uses: query's, then document's; `none` is for a corpus where prompts hurt."""

    QUERY_PASSAGE = "query/passage"
    QUERY_QUERY = "query/query"
    PASSAGE_PASSAGE = "passage/passage"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Mix:
    """How a task's dense and BM25 lists become one ranking. Chosen by measurement (docs/evidence.md).

    Attributes:
        dense_weight: Share of the dense score, of all dense signals together, in hybrid search, in [0, 1]; the rest is
            BM25.
        spread: How much near entries answer for each other, for tasks where many entries ask for the same thing.
        centred: True when texts that are near to every question are discounted.
        analyser: BM25 text analysis: `prose` (words, stemmed) or `code` (identifiers split).
        rrf: With a number, reciprocal rank fusion with this `k` in place of the weighted mean, as peers use it.
    """

    dense_weight: float
    spread: float = 0.0
    centred: bool = False
    analyser: str = "prose"
    rrf: int | None = None


@dataclass(frozen=True, slots=True)
class Signal:
    """A further way in which a task compares by meaning, beside the model in force with the task's own prompts.

    Attributes:
        share: Its share of the dense score, in [0, 1]; the task's own prompts have what is left.
        prompts: Prompt mode, as `TaskSpec.prompts`.
        second: True for the second model (RAG_SECOND_MODEL) in the place of the model in force; without one, the
            signal is left out and its share goes to the others.
    """

    share: float
    prompts: PromptMode = PromptMode.NONE
    second: bool = False


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """A retrieval task with all that is its own.

    Attributes:
        name: What settings, commands and collections call it.
        title: What people read.
        query_is: What a query of this task is, in words.
        document_is: What a document of this task is, in words.
        gives: What the user gets.
        examples: Questions for the empty chat, which the sample library answers.
        instruction: What an instruct model is told about a query.
        prompts: Prompt mode of models with one prompt for each side, chosen by measurement. `none` leaves such a
            model's prompts out; models with a prompt for this very task keep it.
        chunking: How documents are cut.
        mix: How the signals become one ranking.
        signals: Further dense signals.
        wording: How the task is put to an LLM.
        quote: Lines of an answer without an LLM, from the question, its hits and the cosines of sentences, which may be
            absent; no line when the hits do not answer.
        judge: Makes judged questions out of the passages of an index.
        needs: What documents have to be like for `judge`, in words.
        sample: Files of the sample library that are for this task, as patterns relative to its folder.
        open_sources: How many sources of a reply show their passage at once.
        bare: True when prompts are left out whatever the model, as a tuned profile may choose.
        order: Place in lists of tasks, the lowest first.
    """

    name: str
    title: str
    query_is: str
    document_is: str
    gives: str
    examples: tuple[str, ...]
    instruction: str
    prompts: PromptMode
    chunking: Chunking
    mix: Mix
    wording: str
    quote: Callable[[str, Sequence[Hit], Likeness | None], list[str]]
    judge: Callable[[Sequence[Passage]], CorpusJudgments]
    needs: str
    signals: tuple[Signal, ...] = ()
    sample: tuple[str, ...] = ()
    open_sources: int = 0
    bare: bool = False
    order: int = 100
