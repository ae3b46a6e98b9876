"""An answer and its sources as the chat shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rag.render.html import answer_html, sources_html, text_html
from rag.render.text import number, rank_change
from rag.render.views import SourceView
from rag.types import Answer

if TYPE_CHECKING:
    from rag.catalog import StoredTurn
    from rag.retrieval.request import Comparison, Retrieved

_NOTHING = '<p class="rag-note">Nothing was found.</p>'
OPENED = {"code": 2, "faq": 1}
"""How many sources show their passage at once, by task; none for the others."""


def reply_html(answer: Answer, timings: Mapping[str, float]) -> str:
    """A finished answer with what there is to know about it."""
    body = answer_html(answer.text) if answer.text else ""
    error = f'<div class="rag-error">{text_html(answer.error)}</div>' if answer.error else ""
    return body + error + "".join(f'<p class="rag-note">{note}</p>' for note in _notes(answer, timings))


def stored_html(turn: StoredTurn) -> tuple[str, str]:
    """An answer out of a conversation, and its sources; one that was stopped says so."""
    details = turn.details
    error = str(details.get("error", ""))
    body = reply_html(Answer(turn.text, error=error, finish_reason=str(details.get("finish_reason", ""))), {})
    stopped = "" if "finish_reason" in details else '<p class="rag-note">Stopped before its end.</p>'
    views = [SourceView.stored(source) for source in details.get("sources", ())]
    opened = OPENED.get(str(details.get("task", "")), 0)
    return body + stopped, sources_html(views, turn.text, opened=opened) if views else _NOTHING


def found_html(retrieved: Retrieved, answer: str = "", both: Comparison | None = None) -> str:
    """The sources of one mode; with `both`, how the task-aware ranks changed and what the other list alone has.

    Args:
        retrieved: What was found.
        answer: The answer's text, so that cited sentences are marked.
        both: The comparison that `retrieved` is one side of.
    """
    views = [SourceView.of(hit) for hit in retrieved.hits]
    if not views:
        return _NOTHING
    return sources_html(views, answer, _changes(retrieved, both), opened=OPENED.get(retrieved.task, 0))


def _changes(retrieved: Retrieved, both: Comparison | None) -> dict[str, str]:
    if both is None:
        return {}
    changes = both.rank_changes()
    if retrieved.mode is both.task_aware.mode:
        return {hit.id: rank_change(changes[hit.id]) for hit in retrieved.hits}
    return {hit.id: "lost" for hit in retrieved.hits if hit.id not in changes}


def _notes(answer: Answer, timings: Mapping[str, float]) -> list[str]:
    notes = []
    if answer.removed_citations:
        notes.append(f"{number(answer.removed_citations, 'citation mark')} named no source and went.")
    if answer.finish_reason == "length":
        notes.append("The answer was cut at its longest length (RAG_LLM_MAX_TOKENS).")
    found, written = timings.get("total"), timings.get("answer")
    if found is not None and written is not None:
        notes.append(f"Found in {found:,.0f} ms, answered in {written:,.0f} ms")
    return notes
