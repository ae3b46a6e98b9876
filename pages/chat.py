"""Ask the library: a streamed answer with its sources, and both modes side by side."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import nullcontext
from itertools import chain

import streamlit as st

from pages.parts.conversations import Message, Side, current, earlier, forget, keep, messages, select, sidebar, started
from pages.parts.shared import choose_task, file_names, guarded, lasting, sample_button, services, show_jobs
from pages.parts.thumbs import Rated, thumbs
from rag import TASKS, Comparison, Event, Mode, SourcesEvent, TokenEvent
from rag.render import answer_html, found_html, reply_html, text_html

AVATARS = {"user": ":material/person:", "assistant": ":material/target:"}
REDRAW = 0.05
"""Seconds between two drawings of an answer that streams."""
RECENT = 4
"""How many of the last messages are drawn with their thumbs; those before are one plain piece of the page."""


def options(task: str, names: list[str]) -> tuple[bool, list[str]]:
    """Whether to compare, and the files to look in."""
    compare = st.toggle("Compare with naive", **lasting("compare", False))
    with st.popover("Files", icon=":material/filter_list:"):
        only = st.multiselect("Only these files", names, placeholder="All files", key=f"only-{task}")
    return compare, only


def empty_library(task: str) -> None:
    """What to do when there is nothing to ask."""
    spec = TASKS[task]
    st.html(
        '<div class="rag-hero"><h2>Nothing to ask yet</h2>'
        f"<p>{spec.title} answers from documents. Add your own, or start with the sample library: this project's own "
        "documentation, an FAQ and its source code.</p></div>"
    )
    if not services().jobs.active():
        left, right, _ = st.columns([2, 2, 3])
        with left:
            sample_button("chat-sample")
        right.page_link("pages/documents.py", label="Add your own documents", icon=":material/upload_file:")


def welcome(task: str) -> None:
    """What the task is, and one click to try it."""
    spec = TASKS[task]
    st.html(
        f'<div class="rag-hero"><h2>{spec.title}</h2><p>You type {spec.query_is}, it is compared with '
        f"{spec.document_is}, and you get {spec.gives}.</p></div>"
    )
    st.button(spec.example, icon=":material/lightbulb:", key="try", on_click=_try, args=(spec.example,))


def _try(question: str) -> None:
    st.session_state["example"] = question


def draw(message: Message, place: int, last: bool = False) -> None:
    """One message as it was shown; the sources of the last answer can be judged one by one."""
    with st.chat_message(message.role, avatar=AVATARS[message.role]):
        columns = st.columns(len(message.sides)) if len(message.sides) > 1 else [nullcontext()]
        for number, (column, side) in enumerate(zip(columns, message.sides, strict=True)):
            with column:
                st.html(f"<b>{side.label}</b>{side.answer}" if side.label else side.answer)
                if side.sources:
                    st.html(side.sources)
                rate(side, place, number, last)


def rate(side: Side, place: int, number: int, sources: bool) -> None:
    """Thumbs, when there is a finished answer to give them on."""
    if side.rated is not None:
        thumbs(side.rated, f"{current()}-{place}-{number}", sources)


def respond(question: str, task: str, compare: bool, only: list[str] | None) -> None:
    """Answer while it streams; what was shown when it is stopped is kept."""
    before = messages()
    conversation = started()
    asked = Message("user", (Side("", text_html(question), ""),))
    draw(asked, len(before))
    forget()
    with st.chat_message("assistant", avatar=AVATARS["assistant"]), guarded():
        if compare:
            sides = both_sides(question, task, only, conversation, follows=bool(before), place=len(before) + 1)
        else:
            events = services().rag.ask(question, task, names=only, conversation=conversation)
            sides = (show(events, len(before) + 1),)
        keep(conversation, [*before, asked, Message("assistant", sides)])
        if not before:
            st.rerun()


def both_sides(
    question: str, task: str, only: list[str] | None, conversation: str, follows: bool, place: int
) -> tuple[Side, Side]:
    """Both answers side by side; a follow-up is made whole from the conversation for both."""
    rag = services().rag
    found = None if follows else rag.compare(question, task, names=only)
    aware = rag.ask(
        question, task, names=only, conversation=conversation, retrieved=found.task_aware if found else None
    )
    naive = rag.ask(
        question,
        task,
        Mode.NAIVE,
        names=only,
        conversation=conversation,
        retrieved=found.naive if found else None,
        record=False,
    )
    left, right = st.columns(2)
    first, second = next(aware), next(naive)
    if not isinstance(first, SourcesEvent) or not isinstance(second, SourcesEvent):
        raise TypeError("an answer begins with its sources")
    both = Comparison(first.retrieved, second.retrieved)
    with left:
        shown = show(chain([first], aware), place, "Task-aware", both)
    with right:
        return shown, show(chain([second], naive), place, "Naive", both)


def show(events: Iterator[Event], place: int, label: str = "", both: Comparison | None = None) -> Side:
    """Show one answer as it comes, its sources below, and at the end thumbs to judge it by."""
    if label:
        st.html(f"<b>{label}</b>")
    answer_place, sources_place = st.empty(), st.empty()
    answer_place.html('<p class="rag-note">Looking…</p>')
    text, answer, sources, drawn, retrieved, rated = "", "", "", 0.0, None, None
    for event in events:
        if isinstance(event, SourcesEvent):
            retrieved = event.retrieved
            sources_place.html(found_html(retrieved, both=both))
        elif isinstance(event, TokenEvent):
            text += event.text
            if time.monotonic() - drawn > REDRAW:
                answer_place.html(answer_html(text))
                drawn = time.monotonic()
        elif retrieved is not None:
            answer = reply_html(event.answer, event.timings)
            sources = found_html(retrieved, event.answer.text, both)
            rated = None if event.answer.error else Rated(retrieved, event.answer)
    answer_place.html(answer)
    sources_place.html(sources)
    side = Side(label, answer, sources, rated)
    rate(side, place, int(label == "Naive"), sources=True)
    return side


def main() -> None:
    """The page."""
    sidebar()
    shown = messages()
    toolbar = st.container(key="toolbar", horizontal=True, vertical_alignment="center")
    with toolbar:
        task = choose_task(then=select)
    names = file_names(services().rag, task)
    show_jobs(ended=False, waiting="" if names else task)
    if not names:
        empty_library(task)
        return
    with toolbar:
        compare, only = options(task, names)
    before = max(0, len(shown) - RECENT)
    if before:
        st.html(earlier(shown[:before]))
    for place, message in enumerate(shown[before:], before):
        draw(message, place, last=place == len(shown) - 1)
    question = st.chat_input(f"Type {TASKS[task].query_is}", submit_mode="stop") or st.session_state.pop("example", "")
    if question:
        respond(question, task, compare, only or None)
    elif not shown:
        welcome(task)


with guarded():
    main()
