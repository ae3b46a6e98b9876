"""Writes a result for people and for programs: `report.md`, `report.csv`, `report.json` and charts as SVG."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from rag.evaluation.files import write_output
from rag.evaluation.report.charts import differences_chart, means_chart
from rag.evaluation.report.tables import ReportTable, headline, tables
from rag.evaluation.run.results import EvaluationResult, Mover, movers, to_json
from rag.evaluation.run.systems import DEFAULT, NAIVE
from rag.evaluation.stats.metrics import DEPTH, MAIN, MEASURES
from rag.text import shorten

_MAX_TEXT = 160
_FORMULA = re.compile(r"((?:^|[,;|\t\r\n])\s*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])")
_MAX_SNIPPET = 80
_MOVERS = 5
"""Questions that gained or lost most, and the ranks that are listed of each."""


def write_report(result: EvaluationResult, folder: Path) -> list[Path]:
    """Write every form of a report into a folder, which is made when absent.

    Returns:
        The files written: `report.md`, `report.csv`, `report.json`, `means.svg` and `differences.svg`.

    Raises:
        SettingsError: The folder cannot be written.
    """
    return [write_output(folder / name, text) for name, text in report_files(result).items()]


def report_files(result: EvaluationResult) -> dict[str, str]:
    """The content of every file of a report, by name."""
    files = {"report.md": markdown(result), "report.csv": per_question_csv(result), "report.json": to_json(result)}
    files["means.svg"] = means_chart(result)
    main = main_system(result)
    if main is not None:
        files["differences.svg"] = differences_chart(result, main)
    return files


def main_system(result: EvaluationResult) -> str | None:
    """The system that a report is about: the default, else the last one; None when there is only `naive`."""
    names = [name for name in result.names if name != NAIVE]
    return DEFAULT if DEFAULT in names else names[-1] if names else None


def per_question_csv(result: EvaluationResult) -> str:
    """Write a line for each question and system, with all metrics. No text can act as a formula in a spreadsheet."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["question_id", "question", "system", *MEASURES, "ranking"])
    for number, question in enumerate(result.questions):
        for system in result.systems:
            values = (f"{system.values[measure][number]:.6f}" for measure in MEASURES)
            ranking = " ".join(system.rankings[number])
            writer.writerow([_cell(question.id), _cell(question.text), system.name, *values, _cell(ranking)])
    return stream.getvalue()


def markdown(result: EvaluationResult) -> str:
    """Write the report to read. Texts of documents and questions stand in code spans, so that they stay text."""
    parts = [f"# Evaluation: {_span(result.dataset)}, task {result.task}", _facts(result)]
    parts += ["\n".join(f"- {_plain(finding.sentence)}" for finding in headline(result))]
    for table in tables(result):
        parts += [f"## {table.title}", _markdown_table(table)]
    parts.append("`*` marks the prompts that the task ships with.\n\n![means](means.svg)")
    main = main_system(result)
    if main is not None:
        gained, lost = movers(result, main, NAIVE, _MOVERS)
        parts.append("![differences](differences.svg)")
        parts += _mover_section(result, f"Questions that gained most: {main} against {NAIVE}", main, gained)
        parts += _mover_section(result, f"Questions that lost most: {main} against {NAIVE}", main, lost)
    return "\n\n".join([*parts, _method(result)]) + "\n"


def _facts(result: EvaluationResult) -> str:
    facts = [
        f"{result.documents:,} documents in {result.chunks:,} chunks, {len(result.questions):,} judged questions; "
        f"judgments: **{result.origin}**.",
        f"Model {_span(result.model)} in {result.precision}. Made {result.created} in {result.seconds:.0f} s.",
        *(_plain(note) for note in result.notes),
    ]
    return "\n".join(f"- {fact}" for fact in facts)


def _method(result: EvaluationResult) -> str:
    return (
        f"## How to read this\n\nMeans over questions; {MAIN} with linear gain; rankings are judged to depth {DEPTH}. "
        "Intervals are 95% paired bootstraps over questions; p-values come from a two-sided randomisation test and are "
        "corrected by Holm over the systems of the table. Two systems count as equal when the whole interval of their "
        "difference is within 0.01. The number of questions that would be needed is for a power of 0.8."
        + (" Synthetic judgments flatter systems that match words." if result.origin == "synthetic" else "")
    )


def _markdown_table(table: ReportTable) -> str:
    lines = [table.columns, tuple("---" for _ in table.columns), *table.rows]
    return "\n".join("| " + " | ".join(_plain(cell) for cell in line) + " |" for line in lines)


def _mover_section(result: EvaluationResult, title: str, system: str, moved: Sequence[Mover]) -> list[str]:
    if not moved:
        return []
    parts = [f"## {title}"]
    for mover in moved:
        question = mover.question
        parts.append(f"**{mover.difference:+.3f}** {_span(question.text)} ({_span(question.id)})")
        lines = [f"| rank | {system} | {NAIVE} |", "| --- | --- | --- |"]
        for rank in range(1, _MOVERS + 1):
            cells = [_document(result, question.relevant, ids, rank) for ids in (mover.ranking, mover.baseline_ranking)]
            lines.append(f"| {rank} | {cells[0]} | {cells[1]} |")
        parts.append("\n".join(lines))
    return parts


def _document(result: EvaluationResult, relevant: Mapping[str, int], ids: Sequence[str], rank: int) -> str:
    """The document at a rank of a list, ticked when it is relevant; empty past the end of the list."""
    if rank > len(ids):
        return ""
    key = ids[rank - 1]
    mark = "✓ " if key in relevant else ""
    return f"{mark}{_span(key)} {_span(result.snippets.get(key, '')[:_MAX_SNIPPET])}"


def _span(text: str) -> str:
    """Put foreign text into a code span, so that it is shown as it is and never rendered."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    line = shorten(line.replace("`", "'").replace("|", "¦"), _MAX_TEXT)
    return f"`{line}`" if line else ""


def _plain(text: str) -> str:
    """Disarm a sentence of ours that may hold a name of theirs."""
    line = " ".join(text.split())
    return line.replace("|", "¦").replace("<", "&lt;").replace("![", "! [").replace("](", "] (")


def _cell(text: str) -> str:
    """Put a quote before what a spreadsheet would take for a formula, also behind a separator of another locale."""
    return _FORMULA.sub(r"\1'", text)
