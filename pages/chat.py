"""Ask the library: a streamed answer with its sources, and both modes side by side."""

from __future__ import annotations

import streamlit as st

from pages.parts.answers import stream_both, stream_one
from pages.parts.conversations import (
    begin,
    current,
    forget_messages,
    messages_in_view,
    remember_messages,
    select,
    sidebar,
)
from pages.parts.errors import guarded
from pages.parts.jobs import show_jobs
from pages.parts.library import ways_to_begin
from pages.parts.messages import AVATARS, Message, draw_message, earlier_html, question_message
from pages.parts.services import DOCUMENTS, file_names, services
from pages.parts.widgets import choose_task, lasting
from rag import TASKS, Filters, Request, TaskSpec
from rag.render import NAIVE_GLOSS

RECENT = 4
"""How many of the last messages are drawn with their thumbs; those before are one plain piece of the page."""


def options(task: str, names: list[str]) -> tuple[bool, list[str]]:
    """Draw the options and return whether to compare, and the files to search in."""
    compare = st.toggle("Compare with naive", help=f"Naive: {NAIVE_GLOSS}.", **lasting("compare", False))
    with st.popover("Files", icon=":material/filter_list:"):
        only = st.multiselect("Only these files", names, placeholder="All files", key=f"only-{task}")
    return compare, only


def empty_library(task: str) -> None:
    """Say how to begin when there is nothing to ask."""
    st.html(
        '<div class="rag-hero"><h2>Let\'s give it something to read</h2>'
        f"<p>{TASKS[task].title} answers from your documents. Add some of your own and ask away, or load the sample "
        "library to try it at once: manual, FAQ, incident reports and code of an invented maker of greenhouse "
        "controllers.</p></div>"
    )
    ways_to_begin("chat-sample")


def welcome(task: str) -> None:
    """Say what the task is, and offer questions of every task whose sample was loaded."""
    spec = TASKS[task]
    st.html(
        f'<div class="rag-hero"><h2>{spec.title}</h2><p>You type {spec.query_is}, it is compared with '
        f"{spec.document_is}, and you get {spec.gives}.</p></div>"
    )
    rag = services().rag
    sampled = rag.sample_tasks({name: file_names(rag, name) for name in TASKS})
    for name in sampled if task in sampled else ():
        for place in range(len(TASKS[name].examples)):
            _offer(TASKS[name], place)


def _offer(spec: TaskSpec, place: int) -> None:
    st.button(
        f"{spec.title}: {spec.examples[place]}",
        icon=":material/lightbulb:",
        key=f"try-{spec.name}-{place}",
        on_click=_try,
        args=(spec, spec.examples[place]),
    )


def _try(spec: TaskSpec, question: str) -> None:
    st.session_state["task"] = spec.name
    st.session_state["example"] = question


def respond(question: str, task: str, compare: bool, only: list[str]) -> None:
    """Answer while it streams; the part that was shown when it is stopped is kept."""
    before = messages_in_view()
    conversation = begin()
    typed = question_message(question)
    draw_message(typed, message_key(len(before)))
    # should the person stop the answer, the next run reads from the catalog what was recorded of it
    forget_messages()
    filters = Filters(names=tuple(only) or None)
    request = Request(question, task, filters=filters, conversation=conversation or None)
    key = message_key(len(before) + 1)
    with st.chat_message("assistant", avatar=AVATARS["assistant"]), guarded():
        sides = stream_both(request, key, follows=bool(before)) if compare else (stream_one(request, key),)
        remember_messages(conversation, [*before, typed, Message("assistant", sides)])
        if conversation and not before:
            st.rerun()


def message_key(position: int) -> str:
    """Return a key that tells the messages of all conversations apart."""
    return f"{current()}-{position}"


def draw(messages: list[Message]) -> None:
    """Draw a conversation: the last messages with their thumbs, the others in one piece."""
    recent = max(0, len(messages) - RECENT)
    if recent:
        st.html(earlier_html(messages[:recent]))
    for position, message in enumerate(messages[recent:], recent):
        draw_message(message, message_key(position), last=position == len(messages) - 1)


def main() -> None:
    """Draw the page."""
    sidebar()
    messages = messages_in_view()
    toolbar = st.container(key="toolbar", horizontal=True, vertical_alignment="center")
    with toolbar:
        task = choose_task(then=select)
    rag = services().rag
    names = file_names(rag, task)
    show_jobs(DOCUMENTS, only_failed=True, until=None if names else lambda: bool(rag.files(task)))
    if not names:
        empty_library(task)
        return
    with toolbar:
        compare, only = options(task, names)
    draw(messages)
    question = st.chat_input(f"Type {TASKS[task].query_is}", submit_mode="stop") or st.session_state.pop("example", "")
    if question:
        respond(question, task, compare, only)
    elif not messages:
        welcome(task)


with guarded():
    main()
