"""Keeps a conversation: every question and answer as it was shown, also when the answer was stopped halfway."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rag.answering.chain import AnswerEvent, Event, SourcesEvent, TokenEvent
from rag.catalog.records import StoredTurn
from rag.errors import CatalogError, DiskFullError
from rag.retrieval.request import Retrieved
from rag.serialise import hit_from_dict, hit_to_dict
from rag.types import Answer, Citation, Mode, Strategy

if TYPE_CHECKING:
    from rag.catalog import WorkspaceCatalog

TITLE_CHARS = 60
_LOG = logging.getLogger(__name__)


def recorded(events: Iterator[Event], question: str, conversation: str, workspace: WorkspaceCatalog) -> Iterator[Event]:
    """Pass the events on, and keep question and answer however the stream ends.

    They are kept before the last event is passed on, which says so when they cannot be. The first question becomes the
    title of the conversation.
    """
    text, details, done = "", dict[str, Any](), False

    def keep() -> str:
        turn = StoredTurn("user", question, {key: details[key] for key in ("task", "mode") if key in details})
        try:
            stored, _ = workspace.messages.add(conversation, [turn, StoredTurn("assistant", text, details)])
            workspace.conversations.touch(conversation, None if stored.parent else question[:TITLE_CHARS])
        except (CatalogError, DiskFullError) as exc:
            return str(exc)
        return ""

    try:
        for event in events:
            if isinstance(event, SourcesEvent):
                details |= retrieved_details(event.retrieved)
            elif isinstance(event, TokenEvent):
                text += event.text
            elif isinstance(event, AnswerEvent):
                text, done = event.answer.text, True
                details |= answer_details(event.answer)
                event = replace(event, unkept=keep())
            yield event
    finally:
        if not done and (reason := keep()):
            _LOG.warning("A stopped answer could not be kept: %s", reason)


def retrieved_details(retrieved: Retrieved) -> dict[str, Any]:
    """Return what a conversation stores of a retrieval, as JSON values."""
    return {
        "task": retrieved.task,
        "mode": retrieved.mode.value,
        "strategy": retrieved.strategy.value,
        "question": retrieved.question,
        "sources": [hit_to_dict(hit) for hit in retrieved.hits],
    }


def answer_details(answer: Answer) -> dict[str, Any]:
    """Return what a conversation stores of an answer beside its text, as JSON values."""
    return {
        "error": answer.error,
        "answered": answer.answered,
        "cited": [citation.number for citation in answer.citations],
        "finish_reason": answer.finish_reason,
    }


def recalled(turn: StoredTurn) -> tuple[Retrieved, Answer] | None:
    """Return the hits and the answer that `recorded` stored; None when the answer was stopped or failed."""
    details = turn.details
    if details.get("error") or not {"task", "mode", "strategy", "question", "sources", "cited"} <= details.keys():
        return None
    hits = tuple(hit_from_dict(source) for source in details["sources"])
    by_rank = {hit.rank: hit for hit in hits}
    cited = tuple(Citation(number, by_rank[number]) for number in details["cited"] if number in by_rank)
    mode, strategy = Mode(details["mode"]), Strategy(details["strategy"])
    retrieved = Retrieved(details["question"], details["task"], mode, strategy, hits)
    return retrieved, Answer(turn.text, cited, bool(details.get("answered", True)))
