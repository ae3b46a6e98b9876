"""Writes a result for people and for programs: `report.md`, `report.csv`, `report.json` and charts as SVG."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from rag.evaluation.report.charts import differences_chart, means_chart
from rag.evaluation.report.results import EvaluationResult, Mover, movers, to_json, write_text
from rag.evaluation.report.tables import Table, tables
from rag.evaluation.run.systems import DEFAULT, NAIVE, Group
from rag.evaluation.stats.metrics import DEPTH, MAIN, MEASURES

_TEXT = 160
_LISTED = 5


def write_report(result: EvaluationResult, folder: Path) -> list[Path]:
    """Write every form of a report into a folder, which is made when absent.

    Returns:
        The files written: `report.md`, `report.csv`, `report.json`, `means.svg` and `differences.svg`.
    """
    written = []
    for name, text in report_files(result).items():
        write_text(folder / name, text)
        written.append(folder / name)
    return written


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
    """One line for each question and system, with all metrics. Texts cannot act as formulas in a spreadsheet."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["question_id", "question", "system", *MEASURES, "ranking"])
    for place, question in enumerate(result.questions):
        for system in result.systems:
            values = (f"{system.values[measure][place]:.6f}" for measure in MEASURES)
            ranking = " ".join(system.rankings[place])
            writer.writerow([_cell(question.id), _cell(question.text), system.name, *values, _cell(ranking)])
    return stream.getvalue()


def headline(result: EvaluationResult) -> list[str]:
    """The conclusions in sentences: prompts alone, then the whole pipeline, then the default against its rivals."""
    shipped = {one.name for one in result.systems if one.shipped and one.group == Group.PROMPTS}
    prompts = [one.words for one in result.comparisons if one.system in shipped]
    if NAIVE in shipped:
        prompts = ["this task goes without prompts for this model, so there is nothing to gain or lose by them."]
    pipeline = [one.words for one in result.comparisons if one.system == DEFAULT]
    said = [f"Prompts alone: {words}" for words in prompts] + [f"Whole pipeline: {words}" for words in pipeline]
    return [*said, *(one.words for one in result.rivals)] or [one.words for one in result.comparisons]


def markdown(result: EvaluationResult) -> str:
    """The report to read. Texts of documents and questions stand in code spans, so that they stay text."""
    parts = [f"# Evaluation: {_span(result.dataset)}, task {result.task}", _facts(result)]
    parts += ["\n".join(f"- {_plain(words)}" for words in headline(result))]
    for table in tables(result):
        parts += [f"## {table.title}", _markdown_table(table)]
    parts.append("`*` marks the prompts that the task ships with.\n\n![means](means.svg)")
    main = main_system(result)
    if main is not None:
        gained, lost = movers(result, main, NAIVE, _LISTED)
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


def _markdown_table(table: Table) -> str:
    lines = [table.columns, tuple("---" for _ in table.columns), *table.rows]
    return "\n".join("| " + " | ".join(_plain(cell) for cell in line) + " |" for line in lines)


def _mover_section(result: EvaluationResult, title: str, system: str, found: list[Mover]) -> list[str]:
    if not found:
        return []
    parts = [f"## {title}"]
    for mover in found:
        question = mover.question
        parts.append(f"**{mover.difference:+.3f}** {_span(question.text)} ({_span(question.id)})")
        lines = [f"| rank | {system} | {NAIVE} |", "| --- | --- | --- |"]
        for place in range(_LISTED):
            cells = [
                _document(result, question.relevant, ids, place) for ids in (mover.ranking, mover.baseline_ranking)
            ]
            lines.append(f"| {place + 1} | {cells[0]} | {cells[1]} |")
        parts.append("\n".join(lines))
    return parts


def _document(result: EvaluationResult, relevant: Mapping[str, int], ids: tuple[str, ...], place: int) -> str:
    if place >= len(ids):
        return ""
    key = ids[place]
    mark = "✓ " if key in relevant else ""
    return f"{mark}{_span(key)} {_span(result.snippets.get(key, '')[:80])}"


def _span(text: str) -> str:
    """Text in a code span: shown as it is, never rendered."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    line = line.replace("`", "'").replace("|", "¦")
    line = line if len(line) <= _TEXT else line[: _TEXT - 1] + "…"
    return f"`{line}`" if line else ""


def _plain(text: str) -> str:
    """A sentence of ours that may hold a name of theirs."""
    line = " ".join(text.split())
    return line.replace("|", "¦").replace("<", "&lt;").replace("![", "! [")


def _cell(text: str) -> str:
    """Text that a spreadsheet shows and does not compute."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
