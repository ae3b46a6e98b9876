"""Keeps a conversation: every question and answer as it was shown, also when the answer was stopped halfway."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rag.answering.chain import AnswerEvent, Event, SourcesEvent, TokenEvent
from rag.catalog.records import StoredTurn
from rag.retrieval.request import Retrieved
from rag.types import Answer, Chunk, Citation, Hit, Mode, Payload, Strategy

if TYPE_CHECKING:
    from rag.catalog import WorkspaceCatalog

TITLE_CHARS = 60


def recorded(events: Iterator[Event], question: str, conversation: str, workspace: WorkspaceCatalog) -> Iterator[Event]:
    """Pass the events on, and keep question and answer however the stream ends.

    The first question becomes the title of the conversation.
    """
    text, details = "", dict[str, Any]()
    try:
        for event in events:
            if isinstance(event, SourcesEvent):
                details |= retrieved_details(event.retrieved)
            elif isinstance(event, TokenEvent):
                text += event.text
            elif isinstance(event, AnswerEvent):
                text = event.answer.text
                details |= answer_details(event.answer)
            yield event
    finally:
        turn = StoredTurn("user", question, {key: details[key] for key in ("task", "mode") if key in details})
        stored, _ = workspace.messages.add(conversation, [turn, StoredTurn("assistant", text, details)])
        workspace.conversations.touch(conversation, None if stored.parent else question[:TITLE_CHARS])


def retrieved_details(retrieved: Retrieved) -> dict[str, Any]:
    """What a conversation keeps of a retrieval, as JSON values."""
    return {
        "task": retrieved.task,
        "mode": retrieved.mode.value,
        "strategy": retrieved.strategy.value,
        "question": retrieved.question,
        "sources": [source_dict(hit) for hit in retrieved.hits],
    }


def answer_details(answer: Answer) -> dict[str, Any]:
    """What a conversation keeps of an answer beside its text, as JSON values."""
    return {
        "error": answer.error,
        "answered": answer.answered,
        "cited": [citation.number for citation in answer.citations],
        "finish_reason": answer.finish_reason,
    }


def source_dict(hit: Hit) -> dict[str, Any]:
    """A hit as JSON values: ids, place, text and scores."""
    payload, chunk = hit.payload, hit.payload.chunk
    return {
        "rank": hit.rank,
        "id": hit.id,
        "document": payload.document,
        "key": payload.key,
        "name": payload.name,
        "title": payload.title,
        "media_type": payload.media_type,
        "language": payload.language,
        "headings": list(chunk.headings),
        "page_start": chunk.page_start,
        "page_end": chunk.page_end,
        "line_start": chunk.line_start,
        "line_end": chunk.line_end,
        "symbol": chunk.symbol,
        "text": chunk.text,
        "answer": chunk.answer,
        "summary": chunk.summary,
        "score": hit.score,
        "scores": dict(hit.scores),
    }


def recalled(turn: StoredTurn) -> tuple[Retrieved, Answer] | None:
    """What `recorded` kept of a finished answer; None when it was stopped or failed, or is from an earlier version."""
    kept = turn.details
    if kept.get("error") or not {"task", "mode", "strategy", "question", "sources", "cited"} <= kept.keys():
        return None
    hits = tuple(_hit(source) for source in kept["sources"])
    by_rank = {hit.rank: hit for hit in hits}
    cited = tuple(Citation(number, by_rank[number]) for number in kept["cited"] if number in by_rank)
    found = Retrieved(kept["question"], kept["task"], Mode(kept["mode"]), Strategy(kept["strategy"]), hits)
    return found, Answer(turn.text, cited, bool(kept.get("answered", True)))


def _hit(source: Mapping[str, Any]) -> Hit:
    """The hit that `source_dict` wrote, without what it leaves out: offsets, version and workspace."""
    text = str(source["text"])
    chunk = Chunk(0, 0, len(text), text, (text,), tuple(source["headings"]))
    payload = Payload("", "", source["document"], "", source["name"], source["key"], source["title"], "", "", chunk)
    return Hit(source["id"], int(source["rank"]), float(source["score"]), payload)
