"""The conversation in view: kept in the session, found again by the id in the address after a reload."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import streamlit as st

from pages.parts.shared import services
from pages.parts.thumbs import Rated, remember
from rag import TASKS, NotFoundError, StoredTurn
from rag.render import plain, stored_html, text_html

_SHOWN = 30
_NEW = ""


@dataclass(frozen=True)
class Side:
    """One answer, ready to show: `label` names the mode when there are two; `rated` is what thumbs are about."""

    label: str
    answer: str
    sources: str
    rated: Rated | None = None


@dataclass(frozen=True)
class Message:
    """One message, ready to show; two sides when the modes were compared."""

    role: str
    sides: tuple[Side, ...]


def current() -> str:
    """Id of the conversation in view; empty for one that has not begun."""
    if "conversation" not in st.session_state:
        st.session_state["conversation"] = st.query_params.get("c", _NEW)
    return str(st.session_state["conversation"])


def select(conversation: str = _NEW) -> None:
    """Put a conversation in view; a new one without an id."""
    st.session_state["conversation"] = conversation
    st.session_state.pop("messages", None)


def started() -> str:
    """Id of the conversation in view, begun if need be."""
    conversation = current() or services().rag.new_conversation()
    st.session_state["conversation"] = conversation
    st.query_params["c"] = conversation
    return conversation


def messages() -> list[Message]:
    """The messages in view; read from the catalog only when the session has none of this conversation.

    Reading a conversation also brings its task back, so it comes before the task selector is drawn.
    """
    conversation = current()
    known = st.session_state.get("messages")
    if known is None or known[0] != conversation:
        known = (conversation, _read(conversation))
        st.session_state["messages"] = known
    found: list[Message] = known[1]
    return found


def keep(conversation: str, shown: list[Message]) -> None:
    """Remember all messages in view, so that the next run draws them without asking the catalog."""
    st.session_state["messages"] = (conversation, shown)


def forget() -> None:
    """Have the messages read again on the next run."""
    st.session_state.pop("messages", None)


def _read(conversation: str) -> list[Message]:
    if not conversation:
        return []
    try:
        turns = services().rag.turns(conversation)
    except NotFoundError:
        select(_NEW)
        return []
    if turns and turns[-1].details.get("task") in TASKS:
        st.session_state["task"] = turns[-1].details["task"]
    found = [_message(turn) for turn in turns]
    remember(side.rated.retrieved.task for message in found for side in message.sides if side.rated)
    return found


def _message(turn: StoredTurn) -> Message:
    if turn.role == "user":
        return Message("user", (Side("", text_html(turn.text), ""),))
    known = services().rag.evaluations.recall(turn)
    return Message("assistant", (Side("", *stored_html(turn), Rated(*known) if known else None),))


def earlier(shown: list[Message]) -> str:
    """Messages as one piece of HTML: an element for each would be sent and drawn again with every click."""
    return f'<div class="rag-earlier">{"".join(_turn(message) for message in shown)}</div>'


def _turn(message: Message) -> str:
    label = "You" if message.role == "user" else "Answer"
    headed = [(f"<b>{side.label}</b>" if side.label else "", side) for side in message.sides]
    sides = "".join(f"<div>{head}{side.answer}{side.sources}</div>" for head, side in headed)
    return f'<div class="rag-turn rag-{message.role}" role="article" aria-label="{label}">{sides}</div>'


def sidebar() -> None:
    """New, switch and delete."""
    with st.sidebar:
        st.button("New conversation", icon=":material/edit_square:", width="stretch", on_click=select, args=(_NEW,))
        known = distinct([(one.id, plain(one.title, 60)) for one in services().rag.conversations()[:_SHOWN]])
        chosen = current()
        if known:
            st.session_state["chosen"] = chosen if chosen in known else None
            st.radio(
                "Conversations",
                list(known),
                format_func=known.__getitem__,
                key="chosen",
                on_change=_switch,
            )
        if chosen in known:
            st.button(
                "Delete this conversation", icon=":material/delete:", type="tertiary", on_click=_delete, args=(chosen,)
            )
    if chosen:
        st.query_params["c"] = chosen
    else:
        st.query_params.pop("c", None)


def distinct(titles: list[tuple[str, str]]) -> dict[str, str]:
    """Titles by id, numbered where they repeat: the browser tells options apart by what they say."""
    seen: Counter[str] = Counter()
    found = {}
    for conversation, title in reversed(titles):
        seen[title] += 1
        found[conversation] = title if seen[title] == 1 else f"{title} ({seen[title]})"
    return dict(reversed(found.items()))


def _switch() -> None:
    select(st.session_state["chosen"] or _NEW)


def _delete(conversation: str) -> None:
    services().rag.delete_conversation(conversation)
    select(_NEW)
