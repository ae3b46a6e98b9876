"""A report as the page shows it: conclusions, tables, charts, question by question, downloads."""

from __future__ import annotations

from html import escape
from pathlib import Path

import streamlit as st

from pages.parts.reports import ORIGINS, cached_report, packed_report
from pages.parts.services import services
from rag import (
    EvaluationResult,
    Finding,
    Mover,
    ReportTable,
    Section,
    differences_chart,
    headline,
    means_chart,
    movers,
    tables,
)
from rag.render import escaped, number, plain, shorten, table_html

_QUESTION_CHARACTERS = 300
_SNIPPET_CHARACTERS = 110
_MIME = {".md": "text/markdown", ".csv": "text/csv", ".json": "application/json"}


def show_report(folder: Path) -> None:
    """Draw one report."""
    result = cached_report(services().rag.evaluations, folder)
    _show_conclusions(result)
    report_tables = tables(result)
    for table in report_tables:
        if table.section is not Section.METRICS:
            st.subheader(plain(table.section.value), anchor=False)
            _show_table(table)
    st.caption("An asterisk marks the prompts that the task ships with. Intervals are 95% paired bootstraps.")
    st.image(means_chart(result), width="stretch", alt="Mean nDCG@10 of each system with its interval")
    _show_questions(result)
    with st.expander(Section.METRICS.value):
        for table in report_tables:
            if table.section is Section.METRICS:
                _show_table(table)
    _show_downloads(result, folder)


def _show_conclusions(result: EvaluationResult) -> None:
    """Draw the conclusions in sentences, and the facts a reader should know first."""
    items = "".join(f"<li>{_conclusion_html(finding)}</li>" for finding in headline(result))
    label = "Synthetic judgments" if result.origin == "synthetic" else ORIGINS[result.origin].capitalize()
    notes = "".join(f'<p class="rag-note">{escaped(note)}</p>' for note in result.notes)
    facts = (
        f"{label} · {number(len(result.questions), 'question')} · {number(result.documents, 'document')} · "
        f"{result.model} in {result.precision}"
    )
    with st.container(border=True):
        st.html(f'<div class="rag-answer rag-verdict"><ul>{items}</ul></div><p class="rag-note">{escaped(facts)}</p>')
        if notes:
            st.html(notes)


def _conclusion_html(finding: Finding) -> str:
    """Return a sentence with the effect it is about in bold."""
    label = f"<b>{escaped(finding.label)}</b>" if finding.label else ""
    return label + escaped(finding.words)


def _show_table(table: ReportTable) -> None:
    st.html(f'<div class="rag-figures">{table_html(table.columns, table.rows)}</div>')


def _show_questions(result: EvaluationResult) -> None:
    """Draw the questions that moved most between two systems."""
    names = list(result.names)
    if len(names) < 2:
        return
    st.subheader("Question by question", anchor=False)
    system_column, baseline_column, _ = st.columns([2, 2, 3])
    main = "default" if "default" in names else names[-1]
    system = system_column.selectbox("System", names, index=names.index(main), key="report-system")
    rivals = [name for name in names if name != system]
    baseline = baseline_column.selectbox("Against", rivals, key="report-baseline")
    if system is None or baseline is None:
        return
    st.image(differences_chart(result, system, baseline), width="stretch", alt="Difference of each question")
    gained, lost = movers(result, system, baseline)
    for title, questions in (("Gained most", gained), ("Lost most", lost)):
        if questions:
            cards = "".join(_mover_html(result, mover, system, baseline) for mover in questions)
            st.html(f'<p class="rag-job">{title}</p><div class="rag-sources">{cards}</div>')
    if not gained and not lost:
        st.caption("No question moved.")


def _mover_html(result: EvaluationResult, mover: Mover, system: str, baseline: str) -> str:
    """Return a question that unfolds to both rankings side by side; relevant documents have a tick."""
    rows = []
    for position in range(max(len(mover.ranking), len(mover.baseline_ranking))):
        cells = [_snippet(result, mover, ranking, position) for ranking in (mover.ranking, mover.baseline_ranking)]
        rows.append([str(position + 1), *cells])
    change = escape(f"{'↑' if mover.difference > 0 else '↓'} {abs(mover.difference):.2f}")
    question = escaped(mover.question.text[:_QUESTION_CHARACTERS])
    return (
        f'<details class="rag-source"><summary><span class="rag-change" data-change="{change}">{change}</span>'
        f'<span class="rag-name">{question}</span></summary>'
        f'<div class="rag-ranks">{table_html(["", system, baseline], rows)}</div></details>'
    )


def _snippet(result: EvaluationResult, mover: Mover, ranking: tuple[str, ...], position: int) -> str:
    """Return the beginning of a ranked document; empty below the last rank."""
    if position >= len(ranking):
        return ""
    document = ranking[position]
    text = shorten(result.snippets.get(document, "") or document, _SNIPPET_CHARACTERS)
    return f"✓ {text}" if document in mover.question.relevant else text


def _show_downloads(result: EvaluationResult, folder: Path) -> None:
    """Draw a button for each file of the report, and one for all of them together."""
    files, archive = packed_report(result, folder)
    st.subheader("Downloads", anchor=False)
    with st.container(horizontal=True):
        for name, content in files.items():
            if (mime := _MIME.get(Path(name).suffix)) is not None:
                st.download_button(name, content, name, mime, on_click="ignore", icon=":material/download:")
        st.download_button(
            "report.zip", archive, "report.zip", "application/zip", on_click="ignore", icon=":material/folder_zip:"
        )
