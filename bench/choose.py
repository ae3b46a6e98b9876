"""The constants of the tasks' recipes, chosen by measurement: `python -m bench.choose`.

Every signal's candidates are found once for each question of each judged set; all mixes are worked out from them. For
each set the constants are chosen on the *other* sets of its task (and, with a small weight, on those of other tasks),
and judged on it: that figure says what a user's own corpus can expect, and the one of the constants chosen on all sets
does not. The bar is the best of all single signals, naive included.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.quality import ROOT, judged_sets
from bench.shares import FittedSet, left_out, shipped
from rag.embedding import open_embedder, open_second
from rag.errors import RagError
from rag.evaluation.data.datasets import Dataset
from rag.evaluation.data.made import made_questions
from rag.evaluation.data.passages import read_passages
from rag.evaluation.run.chunked import cut_documents
from rag.evaluation.run.context import EvaluationContext
from rag.evaluation.run.embedded import EmbeddedDataset, embed_dataset
from rag.evaluation.run.index import VISIBLE, temporary_index
from rag.evaluation.run.mixtures import GatheredQuestion, SignalMix, gather_questions, qualities
from rag.evaluation.run.ranker import fresh_retriever
from rag.evaluation.run.rankings import document_prompts
from rag.recipes import DENSE, SECOND, UNPROMPTED, RecipeInForce, resolve
from rag.retrieval.agreement import agreement_of
from rag.settings import load_settings
from rag.tasks import TASKS, PromptMode, Signal, get_task
from rag.tasks.calibrated import ASKED, MADE
from rag.types import Embedder, Matrix, VectorIndex

QUESTIONS = 400
"""Of each set, drawn with a fixed seed."""
SHARES = ((1.0, 0.0, 0.0), (0.5, 0.0, 0.5), (0.0, 0.5, 0.5), (0.25, 0.25, 0.5), (0.3, 0.0, 0.7), (0.15, 0.15, 0.7))
"""Of prompted, unprompted and second model in the dense score."""
WEIGHTS = tuple(round(0.05 * step, 2) for step in range(3, 20))
DENSE_SHARES = tuple(round(0.05 * step, 2) for step in range(1, 21))
"""That the fit of shares looks at."""
SPREADS = (0.0, 0.5, 1.0, 1.5)
OTHER_TASKS = 0.15
"""Weight of a set of another task: shared constants unless the task's own sets say otherwise."""
_LABELS = (DENSE, UNPROMPTED, SECOND)
_SINGLES = {"prompted": (1, 0, 0), "naive": (0, 1, 0), "second": (0, 0, 1)}


@dataclass(frozen=True, slots=True)
class Constants:
    """One choice for a task."""

    shares: tuple[float, float, float]
    weight: float
    spread: float
    centred: bool

    def mix(self) -> SignalMix:
        """As the arithmetic takes it."""
        return SignalMix(dict(zip(_LABELS, self.shares, strict=True)), self.weight, self.spread)

    def __str__(self) -> str:
        shares = "/".join(f"{share:g}" for share in self.shares)
        return f"{shares} dense {self.weight:g}, spread {self.spread:g}{', centred' if self.centred else ''}"


GRID = tuple(
    Constants(shares, weight, spread, centred)
    for centred, shares, weight, spread in product((False, True), SHARES, WEIGHTS, SPREADS)
)


@dataclass(frozen=True, slots=True)
class ScoredSet:
    """One set: nDCG@10 of each single signal, and of each of `GRID` on each question, shape (grid, questions)."""

    name: str
    task: str
    singles: Mapping[str, float]
    grid: NDArray[np.float32]

    @property
    def relative(self) -> NDArray[np.float64]:
        """The mean of each choice as a multiple of the best single signal."""
        return np.asarray(self.grid.mean(axis=1) / max(self.singles.values()), np.float64)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, choose and print; 1 on an error."""
    options = _options(arguments)
    try:
        if options.shares:
            _print_shares(options)
            return 0
        scored = [_scored(dataset, task, options) for dataset, task in judged_sets(options)]
    except RagError as exc:
        sys.stderr.write(f"error: {exc}\n")
        return 1
    chosen = {task: choose(scored, task) for task in TASKS}
    rows = [held_out_row(scored, each) for each in scored]
    print("Chosen on all sets (shares of prompted/unprompted/second model):")
    for task, number in chosen.items():
        print(f"  {task:<8} {GRID[number]}")
    print("\nEach set by constants chosen on the others:")
    header = (
        "set",
        "task",
        "naive",
        "prompted",
        "second",
        "bm25",
        "left out",
        "to naive",
        "to best single",
        "in sample",
    )
    print("".join(f"{cell:>15}" for cell in header))
    for row in rows:
        print("".join(f"{cell if isinstance(cell, str) else format(cell, '.3f'):>15}" for cell in row.values()))
    summary = summarise(rows)
    print()
    for name, value in summary.items():
        print(f"{name:<40} {value:.3f}")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    result = {"chosen": {task: str(GRID[number]) for task, number in chosen.items()}, "sets": rows, "summary": summary}
    options.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


def choose(scored: Sequence[ScoredSet], task: str, without: str = "") -> int:
    """Return the number in `GRID` of the best constants for a task, by all sets but one."""
    weights = {each.name: 1.0 if each.task == task else OTHER_TASKS for each in scored if each.name != without}
    parts = [weights[each.name] * each.relative for each in scored if each.name in weights]
    return int(np.argmax(np.sum(parts, axis=0)))


def held_out_row(scored: Sequence[ScoredSet], judged: ScoredSet) -> dict[str, str | float]:
    """Judge one set by the constants that all others choose."""
    number = choose(scored, judged.task, without=judged.name)
    value = float(judged.grid[number].mean())
    return {
        "set": judged.name,
        "task": judged.task,
        **{name: judged.singles[name] for name in ("naive", "prompted", "second", "bm25")},
        "left out": value,
        "to naive": value / judged.singles["naive"],
        "to best single": value / max(judged.singles.values()),
        "in sample": float(judged.grid[choose(scored, judged.task)].mean()),
        "constants": str(GRID[number]),
    }


def summarise(rows: Sequence[Mapping[str, str | float]]) -> dict[str, float]:
    """The ratios of macro means, and the worst set."""

    def mean(name: str) -> float:
        return float(np.mean([float(row[name]) for row in rows]))

    return {
        "left out / naive, macro": mean("left out") / mean("naive"),
        "left out / second model alone, macro": mean("left out") / mean("second"),
        "worst set to its best single signal": min(float(row["to best single"]) for row in rows),
        "in sample / naive, macro": mean("in sample") / mean("naive"),
    }


@dataclass(frozen=True, slots=True)
class _Opened:
    """A judged set with its index, which has the vectors of all signals."""

    dataset: Dataset
    task: str
    context: EvaluationContext
    index: VectorIndex
    embedded: EmbeddedDataset
    plain: RecipeInForce
    centred: RecipeInForce


@contextmanager
def _opened(dataset: Dataset, task: str, options: argparse.Namespace) -> Iterator[_Opened]:
    settings = load_settings(data_dir=options.cache) if options.cache else load_settings()
    drawn = sorted(random.Random(0).sample(range(len(dataset.questions)), min(QUESTIONS, len(dataset.questions))))
    dataset = dataset.only([dataset.questions[number].id for number in drawn])
    second = settings.second_embedding_model
    others = {} if second is None else {second.id: open_second(settings)}
    context = EvaluationContext(settings, open_embedder(settings), others=others)
    spec = get_task(task)
    every = (Signal(0.3), Signal(0.3, second=True))
    spec = replace(spec, prompts=PromptMode.QUERY_PASSAGE, signals=every, mix=replace(spec.mix, spread=1.0))
    plain, centred = (resolve(settings, replace(spec, mix=replace(spec.mix, centred=on))) for on in (False, True))
    corpus = cut_documents(dataset, spec, context.embedder, document_prompts(context, plain), context.meter)
    embedded = embed_dataset(context, dataset, corpus, plain.signals)
    with temporary_index(context, corpus, plain, embedded) as index:
        sys.stderr.write(f"{dataset.name}: {len(corpus.chunks)} chunks, {len(dataset.questions)} questions\n")
        yield _Opened(dataset, task, context, index, embedded, plain, centred)


def _scored(dataset: Dataset, task: str, options: argparse.Namespace) -> ScoredSet:
    with _opened(dataset, task, options) as each:

        def gathered(recipe: RecipeInForce) -> list[GatheredQuestion]:
            retriever = fresh_retriever(recipe, each.index, each.embedded)
            return gather_questions(retriever, each.dataset, each.context.meter)

        both = {False: gathered(each.plain), True: gathered(each.centred)}
    alone = {name: SignalMix(dict(zip(_LABELS, shares, strict=True)), 1.0) for name, shares in _SINGLES.items()}
    singles = {name: float(qualities(both[False], [mix]).mean()) for name, mix in alone.items()}
    singles["bm25"] = float(qualities(both[False], [SignalMix({}, 0.0)]).mean())
    halves = [qualities(both[on], [choice.mix() for choice in GRID if choice.centred is on]) for on in (False, True)]
    return ScoredSet(dataset.name, task, singles, np.concatenate(halves).astype(np.float32))


def _print_shares(options: argparse.Namespace) -> None:
    """Fit the constants of `rag/retrieval/shares.py`, and judge each set by the fit of the others."""
    sets: dict[str, list[FittedSet]] = {MADE: [], ASKED: []}
    for dataset, task in judged_sets(options):
        with _opened(dataset, task, options) as each:
            for grounds, measured in _measured(each).items():
                sets[grounds].append(measured)
    for grounds, measured_sets in sets.items():
        print(f"{grounds} questions: {shipped(measured_sets)}")
        print("".join(f"{cell:>15}" for cell in ("set", "task's own", "calibrated", "best", "move")))
        for name, *values in left_out(measured_sets):
            print(f"{name:>15}" + "".join(f"{value:>15.4f}" for value in values))


def _measured(each: _Opened) -> dict[str, FittedSet]:
    """The agreement over made and over asked questions, and what every dense share is worth."""
    recipe = resolve(each.context.settings, get_task(each.task))
    retriever, mix = fresh_retriever(recipe, each.index, each.embedded), recipe.task.mix
    shares = {signal.label: signal.share for signal in recipe.signals}
    questions = gather_questions(retriever, each.dataset, each.context.meter)
    means = qualities(questions, [SignalMix(shares, weight, mix.spread) for weight in DENSE_SHARES]).mean(axis=1)
    others = {model: partial(_embedded, embedder) for model, embedder in each.context.others.items()}
    fresh = fresh_retriever(recipe, each.index, each.embedded)
    live = replace(fresh, embed=partial(_embedded, each.context.embedder), others=others)
    made = [live.gather(text).mixture for text in made_questions(read_passages(each.index, VISIBLE))]
    lists = {MADE: made, ASKED: [question.gathered.mixture for question in questions]}
    weights, labels = np.array(DENSE_SHARES), [signal.label for signal in recipe.signals]
    return {
        grounds: FittedSet(each.dataset.name, mix.dense_weight, agreement_of(mixtures, *labels)[0], weights, means)
        for grounds, mixtures in lists.items()
    }


def _embedded(embedder: Embedder, texts: Sequence[str]) -> Matrix:
    return embedder.encode(texts)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.choose", description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="folder of judged sets")
    parser.add_argument("--quick", action="store_true", help="only small sets")
    parser.add_argument("--sets", nargs="*", default=[], help="only these sets, by folder name")
    parser.add_argument("--tasks", nargs="*", default=[], metavar="SET=TASK", help="tasks that SOURCE.md does not say")
    parser.add_argument("--shares", action="store_true", help="fit what calibrates the shares of an index instead")
    parser.add_argument("--cache", type=Path, default=None, help="data folder for vectors")
    parser.add_argument("--out", type=Path, default=ROOT / ".bench" / "choose.json", help="file for the result")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
