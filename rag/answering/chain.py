"""The LCEL chain: condense a follow-up -> retrieve -> answer, as a stream of events."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document as LangChainDocument
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableGenerator, RunnableLambda

from rag.answering.citations import CitationFilter, cite
from rag.errors import AnswererError
from rag.retrieval.retriever import Retrieved
from rag.types import Answer, Answerer, Hit, Turn


@dataclass(frozen=True, slots=True)
class Question:
    """What goes into the chain."""

    text: str
    history: tuple[Turn, ...] = ()


@dataclass(frozen=True, slots=True)
class SourcesEvent:
    """First: what was found, before a word of the answer."""

    retrieved: Retrieved


@dataclass(frozen=True, slots=True)
class TokenEvent:
    """A piece of the answer, with marks that name no hit already taken out."""

    text: str


@dataclass(frozen=True, slots=True)
class AnswerEvent:
    """Last: the whole answer with its citations. `timings` in milliseconds: retrieval's and `answer`."""

    answer: Answer
    timings: Mapping[str, float] = field(default_factory=dict)


Event = SourcesEvent | TokenEvent | AnswerEvent


class TaskRetriever(BaseRetriever):
    """LangChain's view of a task's retrieval: a question in, LangChain documents out.

    Attributes:
        find: Retrieval bound to task, mode, strategy, k and filters.
    """

    find: Callable[[str], Retrieved]

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[LangChainDocument]:
        del run_manager
        return [as_langchain(hit) for hit in self.find(query).hits]


def as_langchain(hit: Hit) -> LangChainDocument:
    """A hit as a LangChain document; its place, score and the hit itself are in the metadata."""
    payload, chunk = hit.payload, hit.payload.chunk
    metadata: dict[str, Any] = {
        "document": payload.document,
        "name": payload.name,
        "title": payload.title,
        "page": chunk.page_start,
        "lines": (chunk.line_start, chunk.line_end),
        "headings": list(chunk.headings),
        "rank": hit.rank,
        "score": hit.score,
    }
    return LangChainDocument(id=hit.id, page_content=chunk.text, metadata=metadata)


@dataclass(frozen=True, slots=True)
class _Asked:
    question: Question
    retrieved: Retrieved


def build_chain(find: Callable[[str], Retrieved], answerer: Answerer) -> Runnable[Question, Event]:
    """The chain; `stream(Question(...))` gives sources first, then tokens, then the answer with its citations.

    Args:
        find: Retrieval bound to task, mode, strategy and filters.
        answerer: Writes the answer. When it fails, the last event's answer carries the message in `error`.
    """

    def condense(question: Question) -> Question:
        if not question.history:
            return question
        try:
            return replace(question, text=answerer.condense(question.text, question.history))
        except AnswererError:
            return question  # the answer step will meet the same endpoint and report it

    def look(question: Question) -> _Asked:
        return _Asked(question, find(question.text))

    def answer(inputs: Iterator[_Asked]) -> Iterator[Event]:
        for asked in inputs:
            yield SourcesEvent(asked.retrieved)
            yield from _answer(asked, answerer)

    return RunnableLambda(condense) | RunnableLambda(look) | RunnableGenerator(answer)


def _answer(asked: _Asked, answerer: Answerer) -> Iterator[Event]:
    started = time.perf_counter()
    hits, pieces, timings = asked.retrieved.hits, list[str](), dict(asked.retrieved.timings)
    citations = CitationFilter(len(hits))
    error, finish = "", "stop"
    stream = answerer.stream(asked.question.text, hits, asked.question.history, asked.retrieved.task)
    try:
        finish = (yield from _tokens(stream, citations, pieces)) or finish
    except AnswererError as exc:
        error, finish = str(exc), "error"
    rest = citations.close()
    if rest:
        pieces.append(rest)
        yield TokenEvent(rest)
    timings["answer"] = 1000 * (time.perf_counter() - started)
    answer = replace(cite("".join(pieces), hits), finish_reason=finish, error=error)
    yield AnswerEvent(replace(answer, removed_citations=citations.removed), timings)


def _tokens(stream: Iterator[str], citations: CitationFilter, pieces: list[str]) -> Generator[Event, None, str | None]:
    """Pass clean pieces on; the provider's finish reason is the generator's value."""
    while True:
        try:
            raw = next(stream)
        except StopIteration as stop:
            return str(stop.value) if stop.value else None
        if text := citations.feed(raw):
            pieces.append(text)
            yield TokenEvent(text)


def final_answer(events: Sequence[Event]) -> Answer:
    """The answer among the events of one run."""
    return next(event.answer for event in reversed(events) if isinstance(event, AnswerEvent))
