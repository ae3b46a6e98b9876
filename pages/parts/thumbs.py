"""Thumbs on answers and on their sources: what an evaluation can be judged by later."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from pages.parts.shared import escaped, services
from rag import Answer, Hit, RagError, Retrieved
from rag.render import SourceView, plain

if TYPE_CHECKING:
    from rag.catalog import Feedback

_GIVEN = "thumbs"
Name = tuple[str, ...]
"""What a thumb is about; equal for the same question and the same sources."""


@dataclass(frozen=True)
class Rated:
    """A finished answer that thumbs can be given on."""

    retrieved: Retrieved
    answer: Answer


def thumbs(rated: Rated, key: str, sources: bool) -> None:
    """Thumbs on an answer; drawn from the session alone, nothing is asked.

    Args:
        rated: What they are about.
        key: Tells the answers of the page apart.
        sources: Whether single sources can be judged too; they cost a widget each.
    """
    if not (sources and rated.retrieved.hits):
        _thumb(rated, None, key)
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _thumb(rated, None, key)
        judging = st.toggle("Judge sources", key=f"judge-{key}")
    if judging:
        st.caption("Does the source help with the question? Thumbs become judgments on the Evaluate page.")
        for hit in rated.retrieved.hits:
            _source(rated, hit, f"{key}-{hit.rank}")


def _source(rated: Rated, hit: Hit, key: str) -> None:
    left, right = st.columns([4, 1.4], vertical_alignment="center")
    label = SourceView.of(hit).label
    left.html(f'<span class="rag-mark">{hit.rank}</span> <span class="rag-name">{escaped(label)}</span>')
    with right:
        _thumb(rated, hit, key)


def _thumb(rated: Rated, hit: Hit | None, key: str) -> None:
    given = _given().get(_name(rated, hit))
    st.session_state[f"thumb-{key}"] = None if given is None else int(given.helpful)
    st.feedback("thumbs", key=f"thumb-{key}", on_change=_judge, args=(rated, hit, f"thumb-{key}"))


def _judge(rated: Rated, hit: Hit | None, key: str) -> None:
    """Keep a thumb instead of the one before; the same thumb again takes it back."""
    chosen, evaluations = st.session_state[key], services().rag.evaluations
    name = _name(rated, hit)
    try:
        before = _given().pop(name, None)
        if before is not None:
            evaluations.take_back(before)
        if chosen is not None:
            kept = (
                evaluations.judge_answer(rated.retrieved, rated.answer, bool(chosen))
                if hit is None
                else evaluations.judge_source(rated.retrieved, hit, bool(chosen))
            )
            _given()[name] = kept
    except RagError as exc:
        st.toast(plain(str(exc)), icon=":material/error:")


def remember(tasks: Iterable[str]) -> None:
    """Look up the thumbs that were given on these tasks before; later ones win."""
    for task in set(tasks):
        for thumb in services().rag.evaluations.thumbs(task):
            _given()[thumb.task, thumb.mode, thumb.about, thumb.question, *thumb.points] = thumb


def _given() -> dict[Name, Feedback]:
    found: dict[Name, Feedback] = st.session_state.setdefault(_GIVEN, {})
    return found


def _name(rated: Rated, hit: Hit | None) -> Name:
    found = rated.retrieved
    hits = [citation.hit for citation in rated.answer.citations] if hit is None else [hit]
    about = "answer" if hit is None else "citation"
    return found.task, found.mode.value, about, found.question, *(one.id for one in hits)
