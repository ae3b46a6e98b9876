"""A result as tables of strings, the same for the terminal, the report and the page."""

from __future__ import annotations

from dataclasses import dataclass

from rag.evaluation.report.results import EvaluationResult, SystemScores
from rag.evaluation.run.systems import NAIVE, Group
from rag.evaluation.stats.metrics import MAIN, MEASURES
from rag.evaluation.stats.significance import Comparison, Interval

LABELS = {"RR@10": "MRR@10", "AP@100": "MAP@100"}
"""What the mean of a metric is called where its name differs."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of strings under column names; every row has a cell for each column."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def text(self) -> str:
        """The table in columns of equal width, for a terminal."""
        widths = [max(len(row[place]) for row in (self.columns, *self.rows)) for place in range(len(self.columns))]
        lines = [self.title, _line(self.columns, widths), "  ".join("-" * width for width in widths)]
        return "\n".join([*lines, *(_line(row, widths) for row in self.rows)])


def tables(result: EvaluationResult) -> list[Table]:
    """The effect of prompts alone, that of the whole pipeline, each against `naive`, and the default against rivals."""
    found = [
        _group(result, Group.PROMPTS, "Prompts alone: dense search, nothing but the prompts differs"),
        _group(result, Group.PIPELINE, "Whole pipeline"),
    ]
    if result.rivals:
        rows = tuple((one.baseline, *_compared(one), one.verdict.value) for one in result.rivals)
        found.append(Table("The shipped default against", ("system", *_COMPARED, "the default is"), rows))
    found.append(_others(result))
    return [table for table in found if len(table.rows) > 1 or not table.title.startswith("Whole")]


_COMPARED = (f"difference in {MAIN}", "95% interval", "ratio", "p (Holm)")


def _group(result: EvaluationResult, group: Group, title: str) -> Table:
    compared = {one.system: one for one in result.comparisons}
    shown = [system for system in result.systems if system.name == NAIVE or system.group == group.value]
    columns = ("system", MAIN, "95% interval", "to naive", "interval to naive", "ratio", "p (Holm)", "verdict")
    return Table(title, columns, tuple(_row(system, compared.get(system.name), group) for system in shown))


def _others(result: EvaluationResult) -> Table:
    measures = [measure for measure in MEASURES if measure != MAIN]
    rows = tuple((one.name, *(f"{one.means[measure]:.3f}" for measure in measures)) for one in result.systems)
    return Table("Other metrics", ("system", *(LABELS.get(measure, measure) for measure in measures)), rows)


def _row(system: SystemScores, compared: Comparison | None, group: Group) -> tuple[str, ...]:
    mark = " *" if system.shipped and group is Group.PROMPTS else ""
    name = "none (naive)" if system.name == NAIVE and group is Group.PROMPTS else system.name
    against = ("", "", "", "") if compared is None else _compared(compared)
    return (
        name + mark,
        f"{system.means[MAIN]:.3f}",
        interval(system.intervals[MAIN]),
        *against,
        "the baseline" if compared is None else verdict(compared),
    )


def _compared(one: Comparison) -> tuple[str, str, str, str]:
    ratio = "" if one.ratio is None else f"{one.ratio:.3f}x"
    p = "<0.001" if one.p_corrected < 0.001 else f"{one.p_corrected:.3f}"
    return f"{one.difference:+.3f}", interval(one.interval, signed=True), ratio, p


def verdict(one: Comparison) -> str:
    """The verdict with the number of questions that would be needed, when there is one."""
    return one.verdict.value if one.needed is None else f"{one.verdict.value} (about {one.needed:,} needed)"


def interval(found: Interval, *, signed: bool = False) -> str:
    """An interval in brackets with three decimals."""
    return f"[{found.low:+.3f}, {found.high:+.3f}]" if signed else f"[{found.low:.3f}, {found.high:.3f}]"


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
