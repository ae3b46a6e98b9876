"""Keeps a conversation: every question and answer as it was shown, also when the answer was stopped halfway."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rag.chain import AnswerEvent, Event, SourcesEvent, TokenEvent
from rag.history import MessageHistory, StoredTurn
from rag.types import Answer, Hit

if TYPE_CHECKING:
    from rag.catalog import WorkspaceCatalog
    from rag.retrieval import Retrieved

TITLE_CHARS = 60


def recorded(
    events: Iterator[Event], question: str, conversation: str, messages: MessageHistory, workspace: WorkspaceCatalog
) -> Iterator[Event]:
    """Pass the events on, and keep question and answer whatever happens on the way.

    The first question becomes the title of the conversation.
    """
    said, details = list[str](), dict[str, Any]()
    try:
        for event in events:
            if isinstance(event, SourcesEvent):
                details |= retrieved_details(event.retrieved)
            elif isinstance(event, TokenEvent):
                said.append(event.text)
            elif isinstance(event, AnswerEvent):
                said = [event.answer.text]
                details |= answer_details(event.answer)
            yield event
    finally:
        first = not messages.turns(conversation)
        asked = StoredTurn("user", question, {key: details[key] for key in ("task", "mode") if key in details})
        messages.add(conversation, [asked, StoredTurn("assistant", "".join(said), details)])
        workspace.conversations.touch(conversation, question[:TITLE_CHARS] if first else None)


def retrieved_details(retrieved: Retrieved) -> dict[str, Any]:
    """What a conversation keeps of a retrieval, as JSON values."""
    return {
        "task": retrieved.task,
        "mode": retrieved.mode.value,
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
