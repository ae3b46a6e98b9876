"""Retrieval quality on judged sets: `python -m bench.quality [--quick]`; prints the targets as ratios last.

Each folder of `--data` is a set in the BEIR layout; its task stands in the `Task:` line of its SOURCE.md.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rag.embedding import open_embedder
from rag.errors import RagError
from rag.evaluation import MAIN, STANDARD, Dataset, EvaluationResult, Progress, Table, evaluate, load_dataset, to_json
from rag.evaluation.tables import interval
from rag.profiles import FOLDER
from rag.settings import Settings, load_settings
from rag.tasks import TASKS, Symmetry, get_task

ROOT = Path(__file__).resolve().parents[1]
QUICK_DOCUMENTS = 3000
_CLEAR = "\r\033[K"
KINDS = {
    "document qa": "qa",
    "faq matching": "faq",
    "similar documents": "similar",
    "code search": "code",
}
"""How a `Task:` line begins, and which task that is."""
TARGETS = (
    ("default / naive, macro", 1.12),
    ("default / BM25, macro", 1.25),
    ("default / better of task-aware dense and BM25, worst set", 0.99),
    ("default / one-size-fits-all hybrid, macro", 1.10),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the sets, print tables and targets; 0 when every target holds, 3 when one does not, 1 on an error."""
    options = _options(arguments)
    settings = load_settings(data_dir=options.cache) if options.cache else load_settings()
    if (settings.data_dir / FOLDER).is_dir():
        sys.stderr.write(
            f"note: {settings.data_dir / FOLDER} holds tuned profiles; shipped choices are measured here\n"
        )
    started = time.monotonic()
    try:
        results = _measure(_sets(options), settings, options)
    except RagError as exc:
        sys.stderr.write(f"error: {exc}\n")
        return 1
    for table in (*_per_set(results), _lift(results), _macro(results)):
        print(table.text(), end="\n\n")
    print(f"{len(results)} sets in {time.monotonic() - started:.0f} s, {settings.embedding_model.id}\n")
    _save(results, options)
    held = _targets(results)
    for (name, target), value in zip(TARGETS, held, strict=True):
        print(f"{name:<58} {value:.3f}  target {target:.2f}  {'holds' if value >= target else 'missed'}")
    return 0 if all(value >= target for (_, target), value in zip(TARGETS, held, strict=True)) else 3


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.quality", description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="folder of judged sets")
    parser.add_argument("--quick", action="store_true", help=f"only sets under {QUICK_DOCUMENTS:,} documents")
    parser.add_argument("--sets", nargs="*", default=[], help="only these sets, by folder name")
    parser.add_argument(
        "--tasks", nargs="*", default=[], metavar="SET=TASK", help="tasks of sets that do not say theirs"
    )
    parser.add_argument("--cache", type=Path, default=None, help="data folder for vectors and rankings")
    parser.add_argument("--out", type=Path, default=ROOT / ".bench" / "quality", help="folder for JSON results")
    parser.add_argument("--evidence", type=Path, default=None, help="also write the tables as Markdown to this file")
    return parser.parse_args(arguments)


def _sets(options: argparse.Namespace) -> list[tuple[Dataset, str]]:
    given = dict(pair.split("=", 1) for pair in options.tasks)
    folders = [path.parent for path in sorted(options.data.glob("*/corpus.jsonl"))]
    if options.sets:
        folders = [folder for folder in folders if folder.name in options.sets]
    if not folders:
        raise SystemExit(
            f"error: found no set in {options.data}, expected folders with corpus.jsonl; name one by --data"
        )
    found = [(load_dataset(folder), given.get(folder.name) or task_of(folder)) for folder in folders]
    if options.quick:
        found = [(dataset, task) for dataset, task in found if len(dataset.documents) < QUICK_DOCUMENTS]
    if not found:
        raise SystemExit(
            f"error: found no set under {QUICK_DOCUMENTS:,} documents in {options.data}; leave --quick out"
        )
    return sorted(found, key=lambda pair: (list(TASKS).index(pair[1]), pair[0].name))


def task_of(folder: Path) -> str:
    """The task in the `Task:` line of a set's SOURCE.md."""
    source = folder / "SOURCE.md"
    match = re.search(r"^Task:\s*(.+)$", source.read_text(encoding="utf-8"), re.MULTILINE) if source.is_file() else None
    said = match[1].lower() if match else ""
    for start, task in KINDS.items():
        if said.startswith(start):
            return task
    raise SystemExit(
        f"error: {source}: found the task {said[:40]!r}, expected a line `Task: ` with one of {', '.join(KINDS)}; "
        f"or give --tasks {folder.name}=TASK"
    )


def _measure(
    sets: Sequence[tuple[Dataset, str]], settings: Settings, options: argparse.Namespace
) -> list[EvaluationResult]:
    embedder = open_embedder(settings)
    results = []
    for dataset, task in sets:
        systems = _few(task) if options.quick else STANDARD
        results.append(
            evaluate(dataset, get_task(task), settings, embedder, systems=systems, progress=_shown(dataset.name))
        )
        sys.stderr.write(f"{_CLEAR if sys.stderr.isatty() else ''}{dataset.name}: {results[-1].seconds:.0f} s\n")
    return results


def _few(task: str) -> list[str]:
    """The systems that the targets are about."""
    symmetry = get_task(task).symmetry
    prompts = [] if symmetry is Symmetry.NONE else [symmetry.value]
    return ["naive", *prompts, "bm25", "hybrid", "default"]


def _shown(name: str):  # noqa: ANN202 - a callback
    last = [0.0]

    def show(moment: Progress) -> None:
        now = time.monotonic()
        if now - last[0] > 1 and sys.stderr.isatty():
            last[0] = now
            left = "" if moment.seconds_left is None else f", {moment.seconds_left:.0f} s left"
            sys.stderr.write(f"{_CLEAR}{name}: {moment.stage} {moment.done}/{moment.total}{left}")

    return show


def _per_set(results: Sequence[EvaluationResult]) -> list[Table]:
    names = [name for name in STANDARD if any(name in result.names for result in results)]
    rows = []
    for result in results:
        cells = [f"{result.system(name).means[MAIN]:.3f}" if name in result.names else "" for name in names]
        rows.append((result.dataset, result.task, f"{result.documents:,} / {len(result.questions):,}", *cells))
    columns = ("set", "task", "documents / questions", *names)
    return [Table(f"{MAIN} by set", columns, tuple(rows))]


def _lift(results: Sequence[EvaluationResult]) -> Table:
    """Prompts alone and the whole pipeline, apart, each against naive with its interval."""
    rows = []
    for result in results:
        compared = {one.system: one for one in result.comparisons}
        cells = []
        for name in (aware(result), "default"):
            one = compared.get(name)
            shown = (
                ("none", "", "")
                if one is None
                else (f"{100 * ((one.ratio or 1.0) - 1):+.1f}%", interval(one.interval, signed=True), one.verdict.value)
            )
            cells += shown
        rows.append((result.dataset, result.task, *cells))
    columns = ("set", "task", "prompts alone", "interval", "verdict", "whole pipeline", "interval", "verdict")
    return Table("Lift over naive", columns, tuple(rows))


def aware(result: EvaluationResult) -> str:
    """The dense system with the prompts that the task ships with; `naive` when those are none."""
    return next((one.name for one in result.systems if one.shipped and one.name not in ("default", "naive")), "naive")


def _macro(results: Sequence[EvaluationResult]) -> Table:
    rows = []
    for task in [*TASKS, "all"]:
        mine = [result for result in results if task in (result.task, "all")]
        if mine:
            means = [_mean(mine, name) for name in ("naive", "aware", "bm25", "hybrid", "default")]
            better = _mean(mine, "better")
            rows.append((task, str(len(mine)), *(f"{value:.3f}" for value in (*means, better))))
    columns = ("task", "sets", "naive", "prompts alone", "bm25", "hybrid", "default", "better of prompts and bm25")
    return Table(f"{MAIN}, macro over sets", columns, tuple(rows))


def _value(result: EvaluationResult, name: str) -> float:
    if name == "better":
        return max(_value(result, "aware"), _value(result, "bm25"))
    return result.system(aware(result) if name == "aware" else name).means[MAIN]


def _mean(results: Sequence[EvaluationResult], name: str) -> float:
    return sum(_value(result, name) for result in results) / len(results)


def _targets(results: Sequence[EvaluationResult]) -> tuple[float, float, float, float]:
    default = _mean(results, "default")
    worst = min(_value(result, "default") / _value(result, "better") for result in results)
    return (
        default / _mean(results, "naive"),
        default / _mean(results, "bm25"),
        worst,
        default / _mean(results, "hybrid"),
    )


def _save(results: Sequence[EvaluationResult], options: argparse.Namespace) -> None:
    options.out.mkdir(parents=True, exist_ok=True)
    for result in results:
        (options.out / f"{result.dataset}.json").write_text(to_json(result), encoding="utf-8")
    held = dict(zip((name for name, _ in TARGETS), _targets(results), strict=True))
    (options.out / "targets.json").write_text(json.dumps(held, indent=1) + "\n", encoding="utf-8")
    if options.evidence is not None:
        options.evidence.write_text(_markdown(results), encoding="utf-8")


def _markdown(results: Sequence[EvaluationResult]) -> str:
    parts = [
        "# Evidence\n\nGenerated by `python -m bench.quality --evidence docs/evidence.md`. "
        "Zero and negative entries are part of it.",
    ]
    for table in (*_per_set(results), _lift(results), _macro(results)):
        lines = [table.columns, tuple("---" for _ in table.columns), *table.rows]
        parts.append(f"## {table.title}\n\n" + "\n".join("| " + " | ".join(line) + " |" for line in lines))
    rows = [
        f"| {name} | {value:.3f} | {target:.2f} |"
        for (name, target), value in zip(TARGETS, _targets(results), strict=True)
    ]
    parts.append("## Targets\n\n| ratio | measured | target |\n| --- | --- | --- |\n" + "\n".join(rows))
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    sys.exit(main())
