"""How an answer ended, in words: an answer that is not whole never looks as if it were."""

from __future__ import annotations

from rag.render.text import printable
from rag.types import FAILED, QUOTED, REFUSAL

_NOTES = {
    "length": "Incomplete: the answer was cut at its longest length (RAG_LLM_MAX_TOKENS).",
    "content_filter": "Incomplete: the content filter of the model's provider cut the answer off.",
    "tool_calls": "Incomplete: the model broke off to call a tool, and is offered none.",
    "function_call": "Incomplete: the model broke off to call a tool, and is offered none.",
    REFUSAL: "The model refused to answer; these are its own words.",
}
_TOLD_BY_ERROR = ("", "stop", FAILED, QUOTED)


def ending(finish_reason: str) -> str:
    """Return a sentence about an answer that did not end by `stop`; empty when there is nothing to say.

    Args:
        finish_reason: That of the answer. Of one that failed, its error says all.
    """
    if finish_reason in _TOLD_BY_ERROR:
        return ""
    unknown = f"Perhaps incomplete: the model ended with “{printable(finish_reason)}” where “stop” was expected."
    return _NOTES.get(finish_reason, unknown)
