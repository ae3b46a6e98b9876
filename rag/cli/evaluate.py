"""`evaluate`, `tune` and `judgments`: measuring on one's own data."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rag.cli.progress import stoppable
from rag.cli.shell import NOTHING_DONE, Json, checked_task, command, emit, fields, note, opened, say, table
from rag.render.text import duration

if TYPE_CHECKING:
    from rag.evaluation.data.datasets import Dataset
    from rag.evaluation.report.tables import ReportTable
    from rag.jobs import OnProgress
    from rag.jobs import Progress as Moment
    from rag.services import Rag

DatasetPath = Annotated[
    Path | None,
    typer.Option("--dataset", "-d", help="Judged data in the BEIR layout: a folder or a zip file.", exists=True),
]
IndexTask = Annotated[str, typer.Option("--index", help="Instead of a dataset: the library of this task.")]
Judgments = Annotated[
    str,
    typer.Option("--judgments", help="With --index: synthetic, feedback, or a file of question, document and grade."),
]
TaskName = Annotated[str, typer.Option("--task", "-t", help="Task that the data are for; `tasks` lists them.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Embed what is missing without asking.")]
_ASK_SECONDS = 60.0


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for function in (evaluate, tune, judgments):
        command(app, function)


def evaluate(
    dataset: DatasetPath = None,
    task: TaskName = "",
    index: IndexTask = "",
    judgments: Judgments = "synthetic",
    systems: Annotated[str, typer.Option("--systems", help="Names, with commas between; `+rerank` behind any.")] = "",
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the report.", file_okay=False)] = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Compare retrieval systems on judged questions: prompts alone, and the whole pipeline, with intervals."""
    from rag.evaluation.report.tables import headline, tables
    from rag.evaluation.run.systems import STANDARD

    names = [name.strip() for name in systems.split(",") if name.strip()] or list(STANDARD)
    with opened() as rag, stoppable() as cancel:
        data, name = _data(rag, dataset, task, index, judgments)
        _offer(rag, data, name, names, yes, asking=not as_json)
        with _shown() as report:
            result, folder = rag.evaluations.run(data, name, names, out, report, cancel)
    if as_json:
        emit({"report": folder, "result": fields(result)})
        return
    say(f"{result.dataset}: {result.documents:,} documents, {len(result.questions):,} questions; {result.origin}")
    for report_table in tables(result):
        _print(report_table)
    for line in (*(finding.sentence for finding in headline(result)), *result.notes):
        say(f"- {line}")
    note(f"report in {folder} ({duration(result.seconds)})")


def tune(
    dataset: DatasetPath = None,
    task: TaskName = "",
    index: IndexTask = "",
    judgments: Judgments = "synthetic",
    chunk_tokens: Annotated[
        list[int] | None, typer.Option("--chunk-tokens", min=32, help="Another chunk size to try; may be repeated.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Choose prompts, mix and chunk size on one half of the questions, confirm on the other, and keep what holds."""
    with opened() as rag, stoppable() as cancel:
        data, name = _data(rag, dataset, task, index, judgments)
        with _shown() as report:
            result, path = rag.evaluations.tune(data, name, chunk_tokens or [], report, cancel)
    if as_json:
        emit({"profile": path, "result": fields(result)})
    else:
        rows = [
            [one.symmetry, f"{one.dense_weight:g}", str(one.chunk_tokens), f"{one.score:.3f}"] for one in result.tried
        ]
        table(["prompts", "dense weight", "chunk tokens", "nDCG@10, development half"], rows[:8], right=(1, 2, 3))
        for line in result.words:
            say(f"- {line}")
        if path is not None:
            note(f"profile in {path}; if the index now refuses, run `python -m rag reindex --task {name}`")
    raise typer.Exit(0 if path is not None else NOTHING_DONE)


def judgments(
    index: Annotated[str, typer.Option("--index", help="Task whose library the judgments are about.")] = "qa",
    judgments: Annotated[str, typer.Option("--judgments", help="feedback, synthetic, or a file.")] = "feedback",
    out: Annotated[Path, typer.Option("--out", help="Folder to write to.", file_okay=False)] = Path("judgments"),
) -> None:
    """Write judgments as qrels in the BEIR layout, with the bias of where they come from stated."""
    with opened() as rag:
        folder = rag.evaluations.export(checked_task(index), judgments, out)
    say(str(folder))


def _data(rag: Rag, dataset: Path | None, task: str, index: str, judgments: str) -> tuple[Dataset, str]:
    if (dataset is None) == (not index):
        raise typer.BadParameter("give --dataset FOLDER with --task, or --index TASK", param_hint="--dataset")
    if dataset is not None:
        if not task:
            raise typer.BadParameter("say which task the data are for, e.g. --task faq", param_hint="--task")
        name = checked_task(task)
        return rag.evaluations.from_path(dataset), name
    name = checked_task(index)
    return rag.evaluations.from_index(name, judgments), name


def _offer(rag: Rag, data: Dataset, task: str, systems: list[str], yes: bool, asking: bool) -> None:
    """Say what has to be embedded first, and ask when it is much."""
    if not (asking and sys.stdin.isatty()) or yes:
        return
    cost = rag.evaluations.cost(data, task, systems)
    if cost.seconds > _ASK_SECONDS:
        note(f"{cost.texts:,} texts have no vectors yet, such as the naive ones: about {duration(cost.seconds)}")
        typer.confirm("Embed them?", default=True, abort=True)


@contextmanager
def _shown() -> Iterator[OnProgress]:
    """A callback that draws a stage with its time left on stderr; silent when that is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = TextColumn("{task.description:<28}", markup=False), BarColumn(bar_width=28), MofNCompleteColumn()
    left = TextColumn("{task.fields[left]}", markup=False)
    console = Console(stderr=True, emoji=False, markup=False)
    lock = threading.Lock()
    with Progress(*columns, left, console=console, transient=True, disable=not console.is_terminal) as bar:
        drawn = bar.add_task("", total=None, left="")

        def show(moment: Moment) -> None:
            text = "" if moment.seconds_left is None else f"{duration(moment.seconds_left)} left"
            with lock:
                bar.update(drawn, description=moment.stage, completed=moment.done, total=moment.total, left=text)

        yield show


def _print(report_table: ReportTable) -> None:
    say(f"\n{report_table.title}")
    table(list(report_table.columns), [list(row) for row in report_table.rows])
