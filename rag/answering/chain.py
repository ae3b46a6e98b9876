"""The LCEL chain: condense a follow-up -> retrieve -> answer, as a stream of events."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from langchain_core.runnables import Runnable, RunnableConfig, RunnableGenerator, RunnableLambda

from rag.answering.citations import CitationFilter, cite
from rag.answering.followups import standalone
from rag.errors import AnswererAwayError, AnswererError
from rag.retrieval.langchain import SourceDocuments, TaskRetriever
from rag.retrieval.request import Retrieved
from rag.tasks.spec import TaskSpec
from rag.text import is_blank
from rag.types import FAILED, QUOTED, Answer, AnswerDelta, Answerer, Turn

_PARTIAL = "The answer is incomplete."
_QUOTES = "What stands here are quotations of the sources, chosen without it."


@dataclass(frozen=True, slots=True)
class ChainInput:
    """A question with the turns before it, oldest first."""

    question: str
    history: tuple[Turn, ...] = ()


@dataclass(frozen=True, slots=True)
class SourcesEvent:
    """First: the hits, before a word of the answer."""

    retrieved: Retrieved


@dataclass(frozen=True, slots=True)
class TokenEvent:
    """A piece of the answer, with marks that name no hit already taken out."""

    text: str


@dataclass(frozen=True, slots=True)
class AnswerEvent:
    """Last: the whole answer with its citations.

    Attributes:
        answer: The answer.
        timings: In milliseconds: retrieval's and `answer`.
        unkept: Why the conversation could not keep it; empty when it did, or when there is none.
    """

    answer: Answer
    timings: Mapping[str, float] = field(default_factory=dict)
    unkept: str = ""


Event = SourcesEvent | TokenEvent | AnswerEvent


@dataclass(frozen=True, slots=True)
class _Standalone:
    """A question that can be read on its own; `away` when the answerer could not be reached to rewrite it."""

    input: ChainInput
    away: AnswererAwayError | None = None


@dataclass(frozen=True, slots=True)
class _Grounded:
    """A question that stands alone, with its hits."""

    question: _Standalone
    retrieved: Retrieved


def build_chain(retriever: TaskRetriever, answerer: Answerer, task: TaskSpec) -> Runnable[ChainInput, Event]:
    """Build the chain; `stream(ChainInput(...))` gives sources first, then tokens, then the cited answer.

    Args:
        retriever: Bound to task, mode, strategy and filters.
        answerer: Writes the answer. When it fails, the last event's answer carries the message in `error`, and
            quotations of the hits stand in when it had written nothing.
        task: Wording and form of the answer.
    """

    def condense(question: ChainInput) -> _Standalone:
        if not question.history:
            return _Standalone(question)
        try:
            return _Standalone(replace(question, question=answerer.condense(question.question, question.history)))
        except AnswererError as exc:
            alone = replace(question, question=standalone(question.question, question.history))
            # the answer step reports any other failure when it meets the same endpoint, but would wait for this one
            return _Standalone(alone, exc if isinstance(exc, AnswererAwayError) else None)

    def retrieve(question: _Standalone, config: RunnableConfig) -> _Grounded:
        documents = retriever.invoke(question.input.question, config)
        if not isinstance(documents, SourceDocuments):
            raise TypeError(f"found {type(documents).__name__}, expected the documents of a TaskRetriever")
        return _Grounded(question, documents.retrieved)

    def answer(inputs: Iterator[_Grounded]) -> Iterator[Event]:
        for grounded in inputs:
            yield SourcesEvent(grounded.retrieved)
            yield from _answer(grounded, answerer, task)

    return RunnableLambda(condense) | RunnableLambda(retrieve) | RunnableGenerator(answer)


def _answer(grounded: _Grounded, answerer: Answerer, task: TaskSpec) -> Iterator[Event]:
    started = time.perf_counter()
    hits = grounded.retrieved.hits
    citations, shown = CitationFilter(len(hits)), list[str]()
    error, finish = "", "stop"
    try:
        for delta in _deltas(grounded, answerer, task):
            finish = delta.finish_reason or finish
            if text := citations.feed(delta.text):
                shown.append(text)
                yield TokenEvent(text)
    except AnswererError as exc:
        error, finish = str(exc), FAILED
    if rest := citations.close():
        shown.append(rest)
        yield TokenEvent(rest)
    answer = replace(cite("".join(shown), hits), finish_reason=finish, error=error, removed_citations=citations.removed)
    if is_blank(answer.text):
        answer = _quoted(answer, grounded, answerer, task)
        if answer.text:
            yield TokenEvent(answer.text)
    elif error:
        answer = replace(answer, error=f"{error} {_PARTIAL}")
    timings = {**grounded.retrieved.timings, "answer": 1000 * (time.perf_counter() - started)}
    yield AnswerEvent(answer, timings)


def _deltas(grounded: _Grounded, answerer: Answerer, task: TaskSpec) -> Iterator[AnswerDelta]:
    """The pieces of the answer; an answerer that was away a moment ago is not waited for again.

    Raises:
        AnswererError: The answerer failed.
    """
    question = grounded.question
    if question.away is not None:
        raise question.away
    yield from answerer.stream(question.input.question, grounded.retrieved.hits, question.input.history, task)


def _quoted(answer: Answer, grounded: _Grounded, answerer: Answerer, task: TaskSpec) -> Answer:
    """Put quotations of the hits in the place of an answer without text, and say so."""
    hits = grounded.retrieved.hits
    error = answer.error or f"{answerer.name} answered without any text (finish_reason {answer.finish_reason})."
    lines = task.quote(grounded.question.input.question, hits, None)
    if not lines:
        return replace(answer, text="", answered=False, finish_reason=FAILED, error=error)
    quotations = cite("\n".join(lines), hits)
    return replace(quotations, finish_reason=QUOTED, error=f"{error} {_QUOTES}")
