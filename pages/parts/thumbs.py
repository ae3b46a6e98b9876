"""Thumbs on answers and on their sources: judgments for a later evaluation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import streamlit as st

from pages.parts.services import services
from rag import Answer, Feedback, Hit, RagError, Retrieved
from rag.render import escaped, label, plain

_KEY = "thumbs"
Subject = tuple[str, ...]
"""Names what a thumb is about; equal for the same question and the same sources."""


@dataclass(frozen=True)
class Rated:
    """A finished answer that thumbs can judge."""

    retrieved: Retrieved
    answer: Answer


def thumbs(rated: Rated, key: str, sources: bool) -> None:
    """Draw thumbs on an answer, from the session alone: no catalog is read.

    Args:
        rated: What they are about.
        key: Tells the answers of the page apart.
        sources: True when single sources can be judged too; they cost a widget each.
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
    source, thumb = st.columns([4, 1.4], vertical_alignment="center")
    source.html(f'<span class="rag-mark">{hit.rank}</span> <span class="rag-name">{escaped(label(hit))}</span>')
    with thumb:
        _thumb(rated, hit, key)


def _thumb(rated: Rated, hit: Hit | None, key: str) -> None:
    thumb = _thumbs().get(_subject(rated, hit))
    st.session_state[f"thumb-{key}"] = None if thumb is None else int(thumb.helpful)
    st.feedback("thumbs", key=f"thumb-{key}", on_change=_judge, args=(rated, hit, f"thumb-{key}"))


def _judge(rated: Rated, hit: Hit | None, key: str) -> None:
    """Store a thumb in place of the one before; the same thumb again takes it back."""
    chosen, evaluations = st.session_state[key], services().rag.evaluations
    subject = _subject(rated, hit)
    try:
        before = _thumbs().pop(subject, None)
        if before is not None:
            evaluations.take_back(before)
        if chosen is not None:
            _thumbs()[subject] = (
                evaluations.judge_answer(rated.retrieved, rated.answer, bool(chosen))
                if hit is None
                else evaluations.judge_source(rated.retrieved, hit, bool(chosen))
            )
    except RagError as exc:
        st.toast(plain(str(exc)), icon=":material/error:")


def remember(tasks: Iterable[str]) -> None:
    """Read the thumbs of earlier sessions on these tasks; later ones win."""
    for task in set(tasks):
        for thumb in services().rag.evaluations.thumbs(task):
            _thumbs()[thumb.task, thumb.mode, thumb.about, thumb.question, *thumb.points] = thumb


def _thumbs() -> dict[Subject, Feedback]:
    by_subject: dict[Subject, Feedback] = st.session_state.setdefault(_KEY, {})
    return by_subject


def _subject(rated: Rated, hit: Hit | None) -> Subject:
    retrieved = rated.retrieved
    hits = [citation.hit for citation in rated.answer.citations] if hit is None else [hit]
    about = "answer" if hit is None else "citation"
    return retrieved.task, retrieved.mode.value, about, retrieved.question, *(hit.id for hit in hits)
