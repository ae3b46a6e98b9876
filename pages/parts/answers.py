"""An answer while it streams, alone or beside that of the other mode."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

import streamlit as st

from pages.parts.messages import Side, rate_side
from pages.parts.services import services
from pages.parts.thumbs import Rated
from rag import Comparison, Event, Mode, Request, Retrieved, SourcesEvent, TokenEvent
from rag.render import answer_html, hits_html, mode_html, reply_html

REDRAW_SECONDS = 0.05
"""Least time between two drawings of an answer that streams."""


def stream_one(request: Request, key: str) -> Side:
    """Stream the answer to a request and return it as it was shown."""
    return stream_side(services().rag.ask(request), f"{key}-0")


def stream_both(request: Request, key: str, follows: bool) -> tuple[Side, Side]:
    """Stream the answers of both modes side by side.

    Args:
        request: The question; its conversation keeps the task-aware answer.
        key: Tells the messages of all conversations apart.
        follows: True for a question that goes on with the conversation: each chain makes it whole before it searches,
            so that the hits of the question as it was typed are of no use.
    """
    rag = services().rag
    typed = None if follows else rag.compare(request)
    aware = rag.ask(request, retrieved=typed.task_aware if typed else None)
    naive = rag.ask(replace(request, mode=Mode.NAIVE), retrieved=typed.naive if typed else None, record=False)
    # both searches come first: each side shows how its ranks differ from the other's
    both = Comparison(_first(aware), _first(naive))
    left_half, right_half = st.columns(2)
    with left_half:
        events = chain([SourcesEvent(both.task_aware)], aware)
        task_aware = stream_side(events, f"{key}-0", mode_html(Mode.TASK_AWARE), both)
    with right_half:
        events = chain([SourcesEvent(both.naive)], naive)
        return task_aware, stream_side(events, f"{key}-1", mode_html(Mode.NAIVE), both)


def _first(events: Iterator[Event]) -> Retrieved:
    event = next(events)
    if not isinstance(event, SourcesEvent):
        raise TypeError("an answer begins with its sources")
    return event.retrieved


def stream_side(events: Iterator[Event], key: str, label: str = "", both: Comparison | None = None) -> Side:
    """Show one answer as it comes, its sources below, and at the end thumbs to judge it by.

    Args:
        events: Sources, tokens and the answer.
        key: Tells the answers of all messages apart.
        label: HTML above the answer.
        both: The comparison that the answer is one side of.
    """
    if label:
        st.html(label)
    answer, sources = st.empty(), st.empty()
    answer.html('<p class="rag-note">Looking…</p>')
    side, retrieved, text, drawn = Side(label, "", ""), None, "", 0.0
    for event in events:
        if isinstance(event, SourcesEvent):
            retrieved = event.retrieved
            sources.html(hits_html(retrieved, both=both))
        elif isinstance(event, TokenEvent):
            text += event.text
            if time.monotonic() - drawn > REDRAW_SECONDS:
                answer.html(answer_html(text))
                drawn = time.monotonic()
        elif retrieved is not None:
            rated = None if event.answer.error else Rated(retrieved, event.answer)
            cited = hits_html(retrieved, event.answer.text, both)
            side = Side(label, reply_html(event.answer, event.timings, event.unkept), cited, rated)
    answer.html(side.answer)
    sources.html(side.sources)
    rate_side(side, key, sources=True)
    return side
