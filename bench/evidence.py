"""Measurements of `bench.quality` as tables, as target ratios and as `docs/evidence.md`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag.evaluation.report.charts import bars_chart
from rag.evaluation.report.tables import aligned, interval_text
from rag.evaluation.run.results import EvaluationResult
from rag.evaluation.run.systems import Group
from rag.evaluation.stats.metrics import MAIN
from rag.evaluation.stats.significance import SystemComparison
from rag.tasks import TASKS, PromptMode

TARGETS = (
    ("default / naive, macro", 1.13),
    ("default / what peers ship (MiniLM dense), macro", 1.08),
    ("default / one-size-fits-all hybrid with our BM25, macro", 1.09),
    ("default / best of all single signals, worst set", 0.97),
)
OTHERS = (
    "default / our BM25, macro",
    "default / BM25 as a library ships it, macro",
    "default / one-size-fits-all hybrid of a library's parts, macro",
)
"""Without a target."""
COLUMNS = {
    "naive": "naive",
    "aware": "prompts alone",
    "shipped": "what peers ship",
    "second": "second model",
    "library": "bm25 (library)",
    "bm25": "bm25 (ours)",
    "peers": "hybrid (library bm25)",
    "hybrid": "hybrid (our bm25)",
    "default": "default",
}


@dataclass(frozen=True, slots=True)
class Measured:
    """One set: our evaluation, and nDCG@10 by the keys of `COLUMNS`."""

    result: EvaluationResult
    values: Mapping[str, float]

    @property
    def best_single(self) -> float:
        """The best of all single signals, naive included."""
        return max(self.values[name] for name in ("naive", "aware", "second", "shipped", "bm25"))


@dataclass(frozen=True, slots=True)
class EvidenceTable:
    """Rows of strings under column names."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def text(self) -> str:
        """Lay the table out for a terminal."""
        return aligned(self.title, self.columns, self.rows)


def tables_of(measured: Sequence[Measured]) -> tuple[EvidenceTable, ...]:
    """All tables: by set, by prompt mode, the lift with its interval, and the macro means."""
    return _per_set(measured), _prompts(measured), _lift(measured), _macro(measured)


def _per_set(measured: Sequence[Measured]) -> EvidenceTable:
    rows = []
    for entry in measured:
        size = f"{entry.result.documents:,} / {len(entry.result.questions):,}"
        rows.append((entry.result.dataset, entry.result.task, size, *(f"{entry.values[key]:.3f}" for key in COLUMNS)))
    return EvidenceTable(f"{MAIN} by set", ("set", "task", "documents / questions", *COLUMNS.values()), tuple(rows))


def _prompts(measured: Sequence[Measured]) -> EvidenceTable:
    """Every prompt mode on prompts alone; `*` marks the one that the task ships with."""
    every = ["naive", *(mode.value for mode in PromptMode if mode is not PromptMode.NONE)]
    modes = [name for name in every if any(name in entry.result.names for entry in measured)]
    rows = []
    for entry in measured:
        systems = {system.name: system for system in entry.result.systems}
        cells = (
            f"{systems[name].means[MAIN]:.3f}{'*' if systems[name].shipped else ''}" if name in systems else ""
            for name in modes
        )
        rows.append((entry.result.dataset, entry.result.task, *cells))
    return EvidenceTable(f"Prompts alone: dense {MAIN} by prompt mode", ("set", "task", *modes), tuple(rows))


def _lift(measured: Sequence[Measured]) -> EvidenceTable:
    """Prompts alone and the whole pipeline, apart, each against naive with its interval."""
    rows = []
    for entry in measured:
        comparisons = {comparison.system: comparison for comparison in entry.result.comparisons}
        cells = [cell for name in (aware(entry.result), "default") for cell in _lift_cells(comparisons.get(name))]
        rows.append((entry.result.dataset, entry.result.task, *cells))
    columns = ("set", "task", "prompts alone", "interval", "verdict", "whole pipeline", "interval", "verdict")
    return EvidenceTable("Lift over naive", columns, tuple(rows))


def _lift_cells(comparison: SystemComparison | None) -> tuple[str, str, str]:
    if comparison is None:
        return "none", "", ""
    lift = f"{100 * ((comparison.ratio or 1.0) - 1):+.1f}%"
    return lift, interval_text(comparison.interval, signed=True), comparison.verdict.value


def aware(result: EvaluationResult) -> str:
    """The dense system with the prompts that the task ships with; `naive` when those are none."""
    return next((each.name for each in result.systems if each.shipped and each.group == Group.PROMPTS), "naive")


def _macro(measured: Sequence[Measured]) -> EvidenceTable:
    rows = []
    for task in [*TASKS, "all"]:
        sets = [entry for entry in measured if task in (entry.result.task, "all")]
        if sets:
            rows.append((task, str(len(sets)), *(f"{_mean(sets, key):.3f}" for key in COLUMNS)))
    return EvidenceTable(f"{MAIN}, macro over sets", ("task", "sets", *COLUMNS.values()), tuple(rows))


def _mean(measured: Sequence[Measured], key: str) -> float:
    return sum(entry.values[key] for entry in measured) / len(measured)


def target_ratios(measured: Sequence[Measured]) -> tuple[float, float, float, float]:
    """The ratios that `TARGETS` are about, in that order."""
    default = _mean(measured, "default")
    worst = min(entry.values["default"] / entry.best_single for entry in measured)
    return (
        default / _mean(measured, "naive"),
        default / _mean(measured, "shipped"),
        default / _mean(measured, "hybrid"),
        worst,
    )


def other_ratios(measured: Sequence[Measured]) -> tuple[float, float, float]:
    """The ratios that `OTHERS` is about, in that order."""
    default = _mean(measured, "default")
    return tuple(default / _mean(measured, name) for name in ("bm25", "library", "peers"))  # type: ignore[return-value]


def charts(measured: Sequence[Measured]) -> dict[str, str]:
    """The nine single and mixed signals of the first set of each task, as SVG by file name."""
    first = {entry.result.task: entry for entry in reversed(measured)}
    return {
        f"signals-{entry.result.dataset}.svg": bars_chart(
            f"{MAIN} of single and mixed signals on {entry.result.dataset} ({entry.result.task})",
            {title: entry.values[key] for key, title in COLUMNS.items()},
        )
        for entry in measured
        if first[entry.result.task] is entry
    }


def markdown(measured: Sequence[Measured]) -> str:
    """The page of evidence."""
    about = measured[0].result
    parts = [
        "# Evidence\n\nGenerated by `python -m bench.quality --evidence docs/evidence.md`. Zero and negative entries "
        f"are part of it. Model: {about.model}, {about.precision}. Library BM25 is bm25s (Lucene's formula, k1 1.2, "
        "b 0.75, its English stop words, Snowball stemmer; identifiers split for code). The hybrid mixes BM25 and "
        "naive dense search by reciprocal ranks, k = 60, the same for every task. What peers ship is all-MiniLM-L6-v2, "
        "dense and alone, over chunks of 1,000 characters with 100 in common, as Open WebUI and AnythingLLM have "
        "it out of the box. What was tried on the way is in [tried.md](tried.md); what constants promise on a set that "
        "had no part in choosing them, `python -m bench.choose` prints.",
    ]
    for table in tables_of(measured):
        lines = [table.columns, tuple("---" for _ in table.columns), *table.rows]
        parts.append(f"## {table.title}\n\n" + "\n".join("| " + " | ".join(line) + " |" for line in lines))
    drawn = "\n\n".join(f"![{name.removesuffix('.svg')}](images/{name})" for name in charts(measured))
    parts.append(f"## Signals, single and mixed\n\n{drawn}")
    rows = [
        f"| {name} | {value:.3f} | {target:.2f} | {'holds' if value >= target else 'missed'} |"
        for (name, target), value in zip(TARGETS, target_ratios(measured), strict=True)
    ]
    rows += [f"| {name} | {value:.3f} | | |" for name, value in zip(OTHERS, other_ratios(measured), strict=True)]
    parts.append("## Targets\n\n| ratio | measured | target | |\n| --- | --- | --- | --- |\n" + "\n".join(rows))
    return "\n\n".join(parts) + "\n"
