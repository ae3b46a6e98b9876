"""The LCEL chain: condense a follow-up -> retrieve -> answer, as a stream of events."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from langchain_core.runnables import Runnable, RunnableConfig, RunnableGenerator, RunnableLambda

from rag.answering.citations import CitationFilter, cite
from rag.errors import AnswererError
from rag.retrieval.langchain import SourceDocuments, TaskRetriever
from rag.retrieval.request import Retrieved
from rag.tasks.spec import TaskSpec
from rag.types import Answer, Answerer, Turn


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
class _Grounded:
    """A question that stands alone, with its hits."""

    input: ChainInput
    retrieved: Retrieved


def build_chain(retriever: TaskRetriever, answerer: Answerer, task: TaskSpec) -> Runnable[ChainInput, Event]:
    """Build the chain; `stream(ChainInput(...))` gives sources first, then tokens, then the cited answer.

    Args:
        retriever: Bound to task, mode, strategy and filters.
        answerer: Writes the answer. When it fails, the last event's answer carries the message in `error`.
        task: Wording and form of the answer.
    """

    def condense(question: ChainInput) -> ChainInput:
        if not question.history:
            return question
        try:
            return replace(question, question=answerer.condense(question.question, question.history))
        except AnswererError:
            return question  # the answer step will meet the same endpoint and report it

    def retrieve(question: ChainInput, config: RunnableConfig) -> _Grounded:
        documents = retriever.invoke(question.question, config)
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
    question, hits = grounded.input, grounded.retrieved.hits
    citations, shown = CitationFilter(len(hits)), list[str]()
    error, finish = "", "stop"
    try:
        for delta in answerer.stream(question.question, hits, question.history, task):
            finish = delta.finish_reason or finish
            if text := citations.feed(delta.text):
                shown.append(text)
                yield TokenEvent(text)
    except AnswererError as exc:
        error, finish = str(exc), "error"
    if rest := citations.close():
        shown.append(rest)
        yield TokenEvent(rest)
    answer = replace(cite("".join(shown), hits), finish_reason=finish, error=error, removed_citations=citations.removed)
    timings = {**grounded.retrieved.timings, "answer": 1000 * (time.perf_counter() - started)}
    yield AnswerEvent(answer, timings)
