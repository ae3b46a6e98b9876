"""A result as typed sections of strings, the same for the terminal, the report and the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rag.evaluation.run.results import EvaluationResult, SystemScores
from rag.evaluation.run.systems import DEFAULT, NAIVE, Group
from rag.evaluation.stats.metrics import MAIN, MEASURES
from rag.evaluation.stats.resampling import Interval
from rag.evaluation.stats.significance import SystemComparison

LABELS = {"RR@10": "MRR@10", "AP@100": "MAP@100"}
"""Names of the means of metrics, where they differ from the metric's own."""
_COMPARED = (f"difference in {MAIN}", "95% interval", "ratio", "p (Holm)")


class Section(StrEnum):
    """The parts of a report; the value is the heading that people read."""

    PROMPTS = "Prompts alone"
    PIPELINE = "Whole pipeline"
    RIVALS = "The shipped default against"
    SYSTEMS = "Each system"
    METRICS = "Other metrics"


@dataclass(frozen=True, slots=True)
class Finding:
    """One conclusion of a report in a sentence.

    Attributes:
        section: The part of the report that has the figures.
        words: The sentence.
    """

    section: Section
    words: str

    @property
    def label(self) -> str:
        """The effect that the sentence is about, to stand before it; empty when the sentence names both sides."""
        return f"{self.section.value}: " if self.section in (Section.PROMPTS, Section.PIPELINE) else ""

    @property
    def sentence(self) -> str:
        """The sentence with its label."""
        return self.label + self.words


@dataclass(frozen=True, slots=True)
class ReportTable:
    """Rows of strings under column names; every row has a cell for each column.

    Attributes:
        section: The part of the report; its value is the short heading.
        title: The heading with what the table holds.
    """

    section: Section
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def text(self) -> str:
        """Lay the table out in columns of equal width, for a terminal."""
        return aligned(self.title, self.columns, self.rows)


def aligned(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay rows out in columns of equal width under a title."""
    widths = [max(len(row[column]) for row in (columns, *rows)) for column in range(len(columns))]
    lines = [title, _line(columns, widths), "  ".join("-" * width for width in widths)]
    return "\n".join([*lines, *(_line(row, widths) for row in rows)])


def headline(result: EvaluationResult) -> list[Finding]:
    """List the conclusions: prompts alone, then the whole pipeline, then the default against its rivals."""
    shipped = {system.name for system in result.systems if system.shipped and system.group == Group.PROMPTS}
    prompts = [comparison.words for comparison in result.comparisons if comparison.system in shipped]
    if NAIVE in shipped:
        prompts = ["this task goes without prompts for this model, so there is nothing to gain or lose by them."]
    findings = [
        *(Finding(Section.PROMPTS, words) for words in prompts),
        *(Finding(Section.PIPELINE, other.words) for other in result.comparisons if other.system == DEFAULT),
        *(Finding(Section.RIVALS, rival.words) for rival in result.rivals),
    ]
    return findings or [Finding(Section.SYSTEMS, comparison.words) for comparison in result.comparisons]


def tables(result: EvaluationResult) -> list[ReportTable]:
    """Lay out prompts alone and the whole pipeline, each against `naive`, then the default against its rivals."""
    prompts = _against_naive(result, Group.PROMPTS, Section.PROMPTS, ": dense search, nothing but the prompts differs")
    pipeline = _against_naive(result, Group.PIPELINE, Section.PIPELINE)
    # With `naive` alone there is no pipeline to show; the first table has its figures.
    effects = [prompts] if len(pipeline.rows) == 1 else [prompts, pipeline]
    return [*effects, *([_rivals(result)] if result.rivals else []), _metrics(result)]


def _against_naive(result: EvaluationResult, group: Group, section: Section, detail: str = "") -> ReportTable:
    comparisons = {comparison.system: comparison for comparison in result.comparisons}
    systems = [system for system in result.systems if system.name == NAIVE or system.group == group.value]
    columns = ("system", MAIN, "95% interval", "to naive", "interval to naive", "ratio", "p (Holm)", "verdict")
    rows = tuple(_row(system, comparisons.get(system.name), group) for system in systems)
    return ReportTable(section, f"{section.value}{detail}", columns, rows)


def _row(system: SystemScores, comparison: SystemComparison | None, group: Group) -> tuple[str, ...]:
    mark = " *" if system.shipped and group is Group.PROMPTS else ""
    name = "none (naive)" if system.name == NAIVE and group is Group.PROMPTS else system.name
    against = ("", "", "", "") if comparison is None else _figures(comparison)
    return (
        name + mark,
        f"{system.means[MAIN]:.3f}",
        interval_text(system.intervals[MAIN]),
        *against,
        "the baseline" if comparison is None else verdict_text(comparison),
    )


def _rivals(result: EvaluationResult) -> ReportTable:
    rows = tuple((rival.baseline, *_figures(rival), rival.verdict.value) for rival in result.rivals)
    return ReportTable(Section.RIVALS, Section.RIVALS.value, ("system", *_COMPARED, "the default is"), rows)


def _metrics(result: EvaluationResult) -> ReportTable:
    measures = [measure for measure in MEASURES if measure != MAIN]
    columns = ("system", *(LABELS.get(measure, measure) for measure in measures))
    rows = tuple((system.name, *(f"{system.means[measure]:.3f}" for measure in measures)) for system in result.systems)
    return ReportTable(Section.METRICS, Section.METRICS.value, columns, rows)


def _figures(comparison: SystemComparison) -> tuple[str, str, str, str]:
    ratio = "" if comparison.ratio is None else f"{comparison.ratio:.3f}x"
    p = "<0.001" if comparison.p_corrected < 0.001 else f"{comparison.p_corrected:.3f}"
    return f"{comparison.difference:+.3f}", interval_text(comparison.interval, signed=True), ratio, p


def verdict_text(comparison: SystemComparison) -> str:
    """The verdict with the number of questions that would be needed, when there is one."""
    verdict, needed = comparison.verdict.value, comparison.needed
    return verdict if needed is None else f"{verdict} (about {needed:,} needed)"


def interval_text(interval: Interval, *, signed: bool = False) -> str:
    """An interval in brackets with three decimals."""
    low, high = interval.low, interval.high
    return f"[{low:+.3f}, {high:+.3f}]" if signed else f"[{low:.3f}, {high:.3f}]"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
