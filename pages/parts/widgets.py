"""Widgets that several pages have: values that last, the task selector, titles that differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from rag import TASKS


def lasting(name: str, default: object, then: Callable[[], None] | None = None) -> dict[str, Any]:
    """Return arguments for a widget whose value lasts while another page is in view, where Streamlit forgets it.

    Args:
        name: Key of the value in the session; the widget's own key is `pick-` and the name.
        default: The value to begin with.
        then: Called after a change.
    """
    st.session_state[f"pick-{name}"] = st.session_state.setdefault(name, default)
    return {"key": f"pick-{name}", "on_change": _copy, "args": (name, then)}


def _copy(name: str, then: Callable[[], None] | None) -> None:
    """Copy the widget's value to the key that outlives the page."""
    st.session_state[name] = st.session_state[f"pick-{name}"]
    if then is not None:
        then()


def choose_task(then: Callable[[], None]) -> str:
    """Draw the task selector, one choice for all pages, and return the task; `then` is called after a change."""
    st.segmented_control(
        "Task",
        list(TASKS),
        format_func=lambda name: TASKS[name].title,
        required=True,
        label_visibility="collapsed",
        **lasting("task", next(iter(TASKS)), then),
    )
    return str(st.session_state["task"])


def numbered_titles(titles: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return titles by id, numbered where they repeat: the browser tells options apart by their text.

    Args:
        titles: Id and title, the newest first; the oldest of equal titles stays without a number.
    """
    uses: Counter[str] = Counter()
    numbered = {}
    for key, title in reversed(titles):
        uses[title] += 1
        numbered[key] = title if uses[title] == 1 else f"{title} ({uses[title]})"
    return dict(reversed(numbered.items()))
