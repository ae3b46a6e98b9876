"""Messages of a conversation, ready to draw."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import streamlit as st

from pages.parts.services import services
from pages.parts.thumbs import Rated, thumbs
from rag import StoredTurn
from rag.render import escaped, stored_html, text_html

AVATARS = {"user": ":material/person:", "assistant": ":material/target:"}


@dataclass(frozen=True)
class Side:
    """One answer as HTML.

    Attributes:
        label: Names the mode, as HTML, when there are two sides.
        answer: The answer, or the question of a person.
        sources: Its sources.
        rated: Judged by its thumbs; None for an answer that was stopped or failed.
    """

    label: str
    answer: str
    sources: str
    rated: Rated | None = None


@dataclass(frozen=True)
class Message:
    """One message; two sides when the modes were compared."""

    role: str
    sides: tuple[Side, ...]


def question_message(text: str) -> Message:
    """Return the message of a person."""
    return Message("user", (Side("", text_html(text), ""),))


def stored_message(turn: StoredTurn) -> Message:
    """Return a message out of the catalog."""
    if turn.role == "user":
        return question_message(turn.text)
    recalled = services().rag.evaluations.recall(turn)
    return Message("assistant", (Side("", *stored_html(turn), Rated(*recalled) if recalled else None),))


def draw_message(message: Message, key: str, last: bool = False) -> None:
    """Draw a message as it was shown.

    Args:
        message: What to draw.
        key: Tells the messages of all conversations apart.
        last: True when the sources can be judged one by one.
    """
    with st.chat_message(message.role, avatar=AVATARS[message.role]):
        # a single side has the places that its streaming had, so that the browser replaces the elements one by one
        columns: list[AbstractContextManager[object]] = [nullcontext()]
        if len(message.sides) > 1:
            columns = [*st.columns(len(message.sides))]
        for number, (column, side) in enumerate(zip(columns, message.sides, strict=True)):
            with column:
                st.html(side.label + side.answer)
                if side.sources:
                    st.html(side.sources)
                rate_side(side, f"{key}-{number}", last)


def rate_side(side: Side, key: str, sources: bool) -> None:
    """Draw thumbs, when there is a finished answer to judge."""
    if side.rated is not None:
        thumbs(side.rated, key, sources)


def earlier_html(messages: Sequence[Message]) -> str:
    """Return messages as one piece of HTML: an element for each would be sent and drawn again with every click."""
    return f'<div class="rag-earlier">{"".join(_article_html(message) for message in messages)}</div>'


def _article_html(message: Message) -> str:
    label = "You" if message.role == "user" else "Answer"
    sides = "".join(f"<div>{side.label}{side.answer}{side.sources}</div>" for side in message.sides)
    return f'<div class="rag-turn rag-{escaped(message.role)}" role="article" aria-label="{label}">{sides}</div>'
