"""Retrieval quality on judged sets: `python -m bench.quality [--quick]`; prints the targets as ratios last.

Each folder of `--data` is a set in the BEIR layout; its task stands in the `Task:` line of its SOURCE.md. The targets
are held against what peers ship: BM25 of a library with its own analysis of text, and its mix with naive dense search
by reciprocal ranks (`bench.peers`). Our own BM25, and the same mix with it, stand beside them.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench import peers
from bench.evidence import OTHERS, TARGETS, Measured, aware, charts, markdown, other_ratios, tables_of, target_ratios
from rag.embedding import open_embedder, open_second
from rag.errors import RagError
from rag.evaluation.data.datasets import Dataset, load_dataset
from rag.evaluation.run.contenders import prompt_pair
from rag.evaluation.run.context import EvaluationContext, evaluation_meter
from rag.evaluation.run.results import to_json
from rag.evaluation.run.runs import evaluate_systems, full_rankings
from rag.evaluation.run.systems import STANDARD
from rag.evaluation.stats.metrics import MAIN
from rag.jobs import OnProgress, Progress
from rag.recipes import resolve
from rag.settings import Settings, load_settings
from rag.tasks import TASKS, PromptMode, get_task
from rag.tasks.profiles import FOLDER
from rag.types import Embedder

ROOT = Path(__file__).resolve().parents[1]
QUICK_DOCUMENTS = 3000
_CLEAR = "\r\033[K"
KINDS = {
    "document qa": "qa",
    "faq matching": "faq",
    "similar documents": "similar",
    "code search": "code",
}
"""Task by the beginning of a `Task:` line."""


def main(arguments: Sequence[str] | None = None, embedder: Embedder | None = None) -> int:
    """Run the sets, print tables and targets; 0 when every target holds, 3 when one does not, 1 on an error.

    Args:
        arguments: Of the command line.
        embedder: Used instead of the model in the settings.
    """
    options = _options(arguments)
    settings = load_settings(data_dir=options.cache) if options.cache else load_settings()
    if (settings.data_dir / FOLDER).is_dir():
        sys.stderr.write(
            f"note: {settings.data_dir / FOLDER} holds tuned profiles; shipped choices are measured here\n"
        )
    started = time.monotonic()
    try:
        measured = _measure(judged_sets(options), settings, options, embedder)
    except RagError as exc:
        sys.stderr.write(f"error: {exc}\n")
        return 1
    for table in tables_of(measured):
        print(table.text(), end="\n\n")
    print(f"{len(measured)} sets in {time.monotonic() - started:.0f} s, {settings.embedding_model.id}\n")
    _save(measured, options)
    for name, value in zip(OTHERS, other_ratios(measured), strict=True):
        print(f"{name:<62} {value:.3f}")
    ratios = target_ratios(measured)
    for (name, target), value in zip(TARGETS, ratios, strict=True):
        print(f"{name:<62} {value:.3f}  target {target:.2f}  {'holds' if value >= target else 'missed'}")
    return 0 if all(value >= target for (_, target), value in zip(TARGETS, ratios, strict=True)) else 3


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


def judged_sets(options: argparse.Namespace) -> list[tuple[Dataset, str]]:
    """The sets that the options name, with their tasks, in the order of the tasks."""
    tasks = dict(pair.split("=", 1) for pair in options.tasks)
    folders = [path.parent for path in sorted(options.data.glob("*/corpus.jsonl"))]
    if options.sets:
        folders = [folder for folder in folders if folder.name in options.sets]
    if not folders:
        raise SystemExit(
            f"error: found no set in {options.data}, expected folders with corpus.jsonl; name one by --data"
        )
    sets = [(load_dataset(folder), tasks.get(folder.name) or task_of(folder)) for folder in folders]
    if options.quick:
        sets = [(dataset, task) for dataset, task in sets if len(dataset.documents) < QUICK_DOCUMENTS]
    if not sets:
        raise SystemExit(
            f"error: found no set under {QUICK_DOCUMENTS:,} documents in {options.data}; leave --quick out"
        )
    return sorted(sets, key=lambda pair: (list(TASKS).index(pair[1]), pair[0].name))


def task_of(folder: Path) -> str:
    """The task in the `Task:` line of a set's SOURCE.md."""
    source = folder / "SOURCE.md"
    match = re.search(r"^Task:\s*(.+)$", source.read_text(encoding="utf-8"), re.MULTILINE) if source.is_file() else None
    kind = match[1].lower() if match else ""
    for start, task in KINDS.items():
        if kind.startswith(start):
            return task
    raise SystemExit(
        f"error: {source}: found the task {kind[:40]!r}, expected a line `Task: ` with one of {', '.join(KINDS)}; "
        f"or give --tasks {folder.name}=TASK"
    )


def _measure(
    sets: Sequence[tuple[Dataset, str]], settings: Settings, options: argparse.Namespace, embedder: Embedder | None
) -> list[Measured]:
    recipes = {task: resolve(settings, get_task(task)) for task in TASKS}
    has_models = embedder is None
    if embedder is None:
        embedder = open_embedder(settings, [text for recipe in recipes.values() for text in prompt_pair(recipe)])
    second = settings.second_embedding_model
    others = {second.id: open_second(settings)} if second is not None and has_models else {}
    measured = []
    for dataset, task in sets:
        meter = evaluation_meter(_reporter(dataset.name))
        context = EvaluationContext(settings, embedder, meter=meter, others=others)
        systems = _few(task) if options.quick else STANDARD
        result = evaluate_systems(context, dataset, recipes[task], systems)
        lexical = peers.library_bm25(dataset, recipes[task].task.mix.analyser == "code")
        mixed = peers.fused(full_rankings(context, dataset, recipes[task], "naive"), lexical)
        ours = {name: result.system(name).means[MAIN] for name in ("naive", "bm25", "hybrid", "default")}
        ours["second"] = result.system("second").means[MAIN] if second is not None else ours["naive"]
        shipped = peers.shipped_dense(dataset, context.vectors_of(second or settings.embedding_model), context.meter)
        theirs = {
            "library": peers.quality(dataset, lexical),
            "peers": peers.quality(dataset, mixed),
            "shipped": peers.quality(dataset, shipped),
        }
        measured.append(Measured(result, {**ours, **theirs, "aware": result.system(aware(result)).means[MAIN]}))
        sys.stderr.write(f"{_CLEAR if sys.stderr.isatty() else ''}{dataset.name}: {result.seconds:.0f} s\n")
    return measured


def _few(task: str) -> list[str]:
    """The systems that the targets are about."""
    mode = get_task(task).prompts
    prompts = [] if mode is PromptMode.NONE else [mode.value]
    return ["naive", *prompts, "second", "bm25", "hybrid", "default"]


def _reporter(name: str) -> OnProgress | None:
    """A line of progress on a terminal; None where stderr is none."""
    if not sys.stderr.isatty():
        return None

    def report(progress: Progress) -> None:
        remaining = "" if progress.seconds_left is None else f", {progress.seconds_left:.0f} s left"
        sys.stderr.write(f"{_CLEAR}{name}: {progress.stage} {progress.done}/{progress.total}{remaining}")

    return report


def _save(measured: Sequence[Measured], options: argparse.Namespace) -> None:
    options.out.mkdir(parents=True, exist_ok=True)
    for entry in measured:
        (options.out / f"{entry.result.dataset}.json").write_text(to_json(entry.result), encoding="utf-8")
    ratios = dict(zip((name for name, _ in TARGETS), target_ratios(measured), strict=True))
    ratios |= dict(zip(OTHERS, other_ratios(measured), strict=True))
    (options.out / "targets.json").write_text(json.dumps(ratios, indent=1) + "\n", encoding="utf-8")
    if options.evidence is not None:
        options.evidence.write_text(markdown(measured), encoding="utf-8")
        images = options.evidence.parent / "images"
        images.mkdir(exist_ok=True)
        for name, chart in charts(measured).items():
            (images / name).write_text(chart, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
