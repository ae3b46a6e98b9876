"""The conversation in view: kept in the session, read again by the id in the address after a reload."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.parts.errors import show_error
from pages.parts.messages import Message, stored_message
from pages.parts.services import services
from pages.parts.thumbs import remember
from pages.parts.widgets import numbered_titles
from rag import TASKS, DiskFullError, NotFoundError
from rag.render import plain

_LISTED = 30
_NEW = ""


def current() -> str:
    """Return the id of the conversation in view; empty for one that has not begun."""
    if "conversation" not in st.session_state:
        st.session_state["conversation"] = st.query_params.get("c", _NEW)
    return str(st.session_state["conversation"])


def select(conversation: str = _NEW) -> None:
    """Put a conversation in view; a new one without an id."""
    st.session_state["conversation"] = conversation
    forget_messages()


def begin() -> str:
    """Return the id of the conversation in view, which is made when it has not begun; empty when it cannot be kept."""
    try:
        conversation = current() or services().rag.new_conversation()
    except DiskFullError as exc:
        show_error(f"This conversation could not be kept. {exc}")
        return _NEW
    st.session_state["conversation"] = conversation
    st.query_params["c"] = conversation
    return conversation


def messages_in_view() -> list[Message]:
    """Return the messages in view; the catalog is read only when the session has none of this conversation.

    Reading a conversation also brings its task back, so it comes before the task selector is drawn.
    """
    conversation = current()
    owner, messages = st.session_state.get("messages", (None, []))
    if owner != conversation:
        messages = _read(conversation)
        remember_messages(conversation, messages)
    return list(messages)


def remember_messages(conversation: str, messages: Sequence[Message]) -> None:
    """Hold all messages in view, so that the next run draws them without the catalog."""
    st.session_state["messages"] = (conversation, list(messages))


def forget_messages() -> None:
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
    messages = [stored_message(turn) for turn in turns]
    remember(side.rated.retrieved.task for message in messages for side in message.sides if side.rated)
    return messages


def sidebar() -> None:
    """Draw buttons to begin, switch and delete conversations."""
    with st.sidebar:
        st.button("New conversation", icon=":material/edit_square:", width="stretch", on_click=select, args=(_NEW,))
        recent = services().rag.conversations()[:_LISTED]
        titles = numbered_titles([(record.id, plain(record.title, 60)) for record in recent])
        chosen = current()
        if titles:
            st.session_state["chosen"] = chosen if chosen in titles else None
            st.radio(
                "Conversations",
                list(titles),
                format_func=titles.__getitem__,
                key="chosen",
                on_change=_switch,
            )
        if chosen in titles:
            st.button(
                "Delete this conversation", icon=":material/delete:", type="tertiary", on_click=_delete, args=(chosen,)
            )
    if chosen:
        st.query_params["c"] = chosen
    else:
        st.query_params.pop("c", None)


def _switch() -> None:
    select(st.session_state["chosen"] or _NEW)


def _delete(conversation: str) -> None:
    services().rag.delete_conversation(conversation)
    select(_NEW)
