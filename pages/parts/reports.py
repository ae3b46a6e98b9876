"""A report as the page shows it, and past ones to choose from."""

from __future__ import annotations

import io
import zipfile
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from pages.parts.conversations import distinct
from pages.parts.shared import escaped, lasting, services
from rag import (
    TASKS,
    EvaluationResult,
    Finding,
    RagError,
    ReportTable,
    Section,
    differences_chart,
    headline,
    means_chart,
    movers,
    report_files,
    tables,
)
from rag.render import printable, number, plain, table_html, when

if TYPE_CHECKING:
    from rag.evaluation.run.results import Mover
    from rag.evaluation.service import Evaluations

ORIGINS = {"synthetic": "synthetic judgments", "feedback": "thumbs from the chat", "uploaded": "uploaded judgments"}
_LISTED = 30
_SNIPPET = 110
_MIME = {".md": "text/markdown", ".csv": "text/csv", ".json": "application/json"}


def choose_report(newest: Path | None) -> Path | None:
    """The report in view: the newest run, unless an older one was chosen; None when nothing can be shown.

    Args:
        newest: A report that was just made; it comes into view.
    """
    evaluations = services().rag.evaluations
    titles = [(str(folder), _title(evaluations, folder)) for folder in evaluations.reports()[:_LISTED]]
    known = distinct([(folder, title) for folder, title in titles if title])
    if not known:
        return None
    if newest is not None:
        st.session_state["report"] = str(newest)
    if st.session_state.get("report") not in known:
        st.session_state["report"] = next(iter(known))
    st.selectbox(
        "Report",
        list(known),
        format_func=known.__getitem__,
        label_visibility="collapsed",
        help="Runs are kept; choose an older one to see it again.",
        **lasting("report", ""),
    )
    return Path(st.session_state["report"])


@st.cache_data(max_entries=200, show_spinner=False)
def _title(_evaluations: Evaluations, folder: Path) -> str:
    """What a report is called in the list; empty when it cannot be read."""
    try:
        found = _evaluations.report(folder)
    except RagError:
        return ""
    about = f"{TASKS[found.task].title if found.task in TASKS else found.task} · {ORIGINS[found.origin]}"
    name = f" · {printable(found.dataset)[:40]}" if found.origin == "uploaded" else ""
    return f"{when(found.created)} · {about}{name} · {number(len(found.questions), 'question')}"


@st.cache_resource(max_entries=4, show_spinner=False)
def _read(_evaluations: Evaluations, folder: Path) -> EvaluationResult:
    return _evaluations.report(folder)


@st.cache_resource(max_entries=4, show_spinner=False)
def _files(_result: EvaluationResult, folder: Path) -> tuple[dict[str, bytes], bytes]:
    """Every file of a report, and all of them in a zip file."""
    del folder
    files = {name: text.encode() for name, text in report_files(_result).items()}
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return files, stream.getvalue()


def show_report(folder: Path) -> None:
    """Verdict, tables, charts, questions and downloads of one report."""
    result = _read(services().rag.evaluations, folder)
    verdict(result)
    sections = tables(result)
    for table in sections:
        if table.section is not Section.METRICS:
            _table(table)
    st.caption("An asterisk marks the prompts that the task ships with. Intervals are 95% paired bootstraps.")
    st.image(means_chart(result), width="stretch", alt="Mean nDCG@10 of each system with its interval")
    _questions(result)
    with st.expander(Section.METRICS.value):
        for table in sections:
            if table.section is Section.METRICS:
                st.html(f'<div class="rag-figures">{table_html(table.columns, table.rows)}</div>')
    downloads(result, folder)


def verdict(result: EvaluationResult) -> None:
    """What was found, in sentences, with what a reader should know first."""
    lines = "".join(f"<li>{_conclusion(finding)}</li>" for finding in headline(result))
    label = "Synthetic judgments" if result.origin == "synthetic" else ORIGINS[result.origin].capitalize()
    notes = "".join(f'<p class="rag-note">{escaped(note)}</p>' for note in result.notes)
    facts = (
        f"{label} · {number(len(result.questions), 'question')} · {number(result.documents, 'document')} · "
        f"{result.model} in {result.precision}"
    )
    with st.container(border=True):
        st.html(f'<div class="rag-answer rag-verdict"><ul>{lines}</ul></div><p class="rag-note">{escaped(facts)}</p>')
        if notes:
            st.html(notes)


def _conclusion(finding: Finding) -> str:
    """A sentence with the effect it is about in bold."""
    label = f"<b>{finding.label}</b>" if finding.label else ""
    return label + escaped(finding.words)


def _table(table: ReportTable) -> None:
    st.subheader(plain(table.section.value), anchor=False)
    st.html(f'<div class="rag-figures">{table_html(table.columns, table.rows)}</div>')


def _questions(result: EvaluationResult) -> None:
    """Question by question: one system against another."""
    names = list(result.names)
    if len(names) < 2:
        return
    st.subheader("Question by question", anchor=False)
    left, right, _ = st.columns([2, 2, 3])
    main = "default" if "default" in names else names[-1]
    system = left.selectbox("System", names, index=names.index(main), key="report-system")
    rivals = [name for name in names if name != system]
    baseline = right.selectbox("Against", rivals, key="report-baseline")
    if system is None or baseline is None:
        return
    st.image(differences_chart(result, system, baseline), width="stretch", alt="Difference of each question")
    gained, lost = movers(result, system, baseline)
    for title, found in (("Gained most", gained), ("Lost most", lost)):
        if found:
            cards = "".join(_mover(result, one, system, baseline) for one in found)
            st.html(f'<p class="rag-job">{title}</p><div class="rag-sources">{cards}</div>')
    if not gained and not lost:
        st.caption("No question moved.")


def _mover(result: EvaluationResult, mover: Mover, system: str, baseline: str) -> str:
    """A question that unfolds to both rankings side by side; relevant documents have a tick."""
    rows = []
    for place in range(max(len(mover.ranking), len(mover.baseline_ranking))):
        cells = [_document(result, mover, ids, place) for ids in (mover.ranking, mover.baseline_ranking)]
        rows.append([str(place + 1), *cells])
    change = f"{'↑' if mover.difference > 0 else '↓'} {abs(mover.difference):.2f}"
    return (
        f'<details class="rag-source"><summary><span class="rag-change" data-change="{escape(change)}">'
        f'{escape(change)}</span><span class="rag-name">{escaped(mover.question.text[:300])}</span></summary>'
        f'<div class="rag-ranks">{table_html(["", system, baseline], rows)}</div></details>'
    )


def _document(result: EvaluationResult, mover: Mover, ids: tuple[str, ...], place: int) -> str:
    if place >= len(ids):
        return ""
    text = result.snippets.get(ids[place], "") or ids[place]
    short = text if len(text) <= _SNIPPET else text[: _SNIPPET - 1].rstrip() + "…"
    return f"✓ {short}" if ids[place] in mover.question.relevant else short


def downloads(result: EvaluationResult, folder: Path) -> None:
    """The report's files, one by one and all together."""
    files, everything = _files(result, folder)
    st.subheader("Downloads", anchor=False)
    with st.container(horizontal=True):
        for name, content in files.items():
            if (mime := _MIME.get(Path(name).suffix)) is not None:
                st.download_button(name, content, name, mime, on_click="ignore", icon=":material/download:")
        st.download_button(
            "report.zip", everything, "report.zip", "application/zip", on_click="ignore", icon=":material/folder_zip:"
        )
