"""An answer and its sources as the chat shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rag.render.endings import ending
from rag.render.html import answer_html, sources_html, text_html
from rag.render.text import escaped, number, rank_change
from rag.serialise import hit_from_dict
from rag.tasks import TASKS
from rag.types import QUOTED, Answer, Mode

if TYPE_CHECKING:
    from rag.catalog import StoredTurn
    from rag.retrieval.request import Comparison, Retrieved

NAIVE_GLOSS = "no prompts, one vector search for all"
"""The naive mode in words, for people who meet it for the first time."""
_NOTHING = '<p class="rag-note">Nothing was found.</p>'
_LABELS = {
    Mode.TASK_AWARE: "<b>Task-aware</b>",
    Mode.NAIVE: f'<b>Naive</b> <span class="rag-note">{NAIVE_GLOSS}</span>',
}


def mode_html(mode: Mode) -> str:
    """Return the heading of one side of a comparison."""
    return f"<div>{_LABELS[mode]}</div>"


def reply_html(answer: Answer, timings: Mapping[str, float], unkept: str = "") -> str:
    """Return an answer with its error, what is missing of it, its removed citations and its timings.

    The error comes before quotations that stand in for an answer, and after the part of an answer that came.

    Args:
        answer: The answer.
        timings: Milliseconds by stage.
        unkept: Why the conversation could not keep it, or "".
    """
    body = answer_html(answer.text) if answer.text else ""
    lost = f"This conversation could not be kept. {unkept}" if unkept else ""
    told = [text_html(text) for text in (answer.error, ending(answer.finish_reason), lost) if text]
    warnings = "".join(f'<div class="rag-error">{text}</div>' for text in told)
    notes = "".join(f'<p class="rag-note">{escaped(note)}</p>' for note in _notes(answer, timings))
    return (warnings + body if answer.finish_reason == QUOTED else body + warnings) + notes


def stored_html(turn: StoredTurn) -> tuple[str, str]:
    """Return an answer out of a conversation, and its sources; one that was stopped says so."""
    details = turn.details
    error = str(details.get("error", ""))
    body = reply_html(Answer(turn.text, error=error, finish_reason=str(details.get("finish_reason", ""))), {})
    stopped = "" if "finish_reason" in details else '<p class="rag-note">Stopped before its end.</p>'
    hits = [hit_from_dict(source) for source in details.get("sources", ())]
    opened = _open_sources(str(details.get("task", "")))
    return body + stopped, sources_html(hits, turn.text, opened=opened) if hits else _NOTHING


def hits_html(retrieved: Retrieved, answer: str = "", both: Comparison | None = None) -> str:
    """Return the sources of one mode.

    Args:
        retrieved: The hits.
        answer: The answer's text, so that cited sentences are marked.
        both: The comparison that `retrieved` is one side of: the task-aware side then shows how ranks changed, the
            naive side what it alone has.
    """
    if not retrieved.hits:
        return _NOTHING
    return sources_html(retrieved.hits, answer, _changes(retrieved, both), opened=_open_sources(retrieved.task))


def _open_sources(task: str) -> int:
    """Return how many sources of a task show their passage at once; none for a task that is no more."""
    return TASKS[task].open_sources if task in TASKS else 0


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
    retrieval, writing = timings.get("total"), timings.get("answer")
    if retrieval is not None and writing is not None:
        notes.append(f"Found in {retrieval:,.0f} ms, answered in {writing:,.0f} ms")
    return notes
