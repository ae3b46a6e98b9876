"""`evaluate`, `tune` and `judgments`: measuring on one's own data."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rag.cli.console import emit, fields, note, say, table
from rag.cli.options import DataOptions, JsonOption, checked_task
from rag.cli.shell import DONE, NOTHING_DONE, Shell
from rag.render.text import duration

if TYPE_CHECKING:
    from rag.evaluation.data.datasets import Dataset
    from rag.services import Rag

_ASK_SECONDS = 60.0
"""Work of more than this is asked about first."""
_LISTED = 8


def evaluate_retrieval(
    shell: Shell,
    data: DataOptions,
    systems: Annotated[str, typer.Option("--systems", help="Names, with commas between; `+rerank` behind any.")] = "",
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the report.", file_okay=False)] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Embed what is missing without asking.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Compare retrieval systems on judged questions: prompts alone, and the whole pipeline, with intervals.

    Every system is compared with naive: no prompts, one vector search for all.
    """
    from rag.evaluation.report.tables import headline, tables
    from rag.evaluation.run.systems import STANDARD

    names = [name.strip() for name in systems.split(",") if name.strip()] or list(STANDARD)
    with shell.opened() as rag:
        dataset, task = _read(rag, data)
        if not as_json and not yes and sys.stdin.isatty():
            _confirm_cost(rag, dataset, task, names)
        with shell.working() as (report, cancel):
            result, folder = rag.evaluations.run(dataset, task, names, out, report, cancel)
    if as_json:
        emit({"report": folder, "result": fields(result)})
        return
    say(f"{result.dataset}: {result.documents:,} documents, {len(result.questions):,} questions; {result.origin}")
    for section in tables(result):
        say(f"\n{section.title}")
        table(list(section.columns), [list(row) for row in section.rows])
    for line in (*(finding.sentence for finding in headline(result)), *result.notes):
        say(f"- {line}")
    note(f"report in {folder} ({duration(result.seconds)})")


def choose_profile(
    shell: Shell,
    data: DataOptions,
    chunk_tokens: Annotated[
        list[int] | None, typer.Option("--chunk-tokens", min=32, help="Another chunk size to try; may be repeated.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Choose prompts, mix and chunk size on one half of the questions, confirm on the other, and keep what holds."""
    with shell.opened() as rag:
        dataset, task = _read(rag, data)
        with shell.working() as (report, cancel):
            result, path = rag.evaluations.tune(dataset, task, chunk_tokens or [], report, cancel)
    if as_json:
        emit({"profile": path, "result": fields(result)})
    else:
        rows = [
            [
                trial.symmetry,
                f"{trial.dense_weight:g}",
                f"{trial.second_share:g}",
                str(trial.chunk_tokens),
                f"{trial.score:.3f}",
            ]
            for trial in result.tried
        ]
        headers = ["prompts", "dense weight", "second model", "chunk tokens", "nDCG@10, development half"]
        table(headers, rows[:_LISTED], right=(1, 2, 3, 4))
        for line in result.words:
            say(f"- {line}")
        if path is not None:
            note(f"profile in {path}; if the index now refuses, run `python -m rag reindex --task {task}`")
    raise typer.Exit(DONE if path is not None else NOTHING_DONE)


def export_judgments(
    shell: Shell,
    index: Annotated[str, typer.Option("--index", help="Task whose library the judgments are about.")] = "qa",
    judgments: Annotated[str, typer.Option("--judgments", help="feedback, sample, synthetic, or a file.")] = "feedback",
    out: Annotated[Path, typer.Option("--out", help="Folder to write to.", file_okay=False)] = Path("judgments"),
) -> None:
    """Write judgments as qrels in the BEIR layout, with the bias of where they come from stated."""
    with shell.opened() as rag:
        folder = rag.evaluations.export(checked_task(index), judgments, out)
    say(str(folder))


def calibrate_index(
    shell: Shell,
    task: Annotated[str, typer.Option("--task", "-t", help="Task whose index is meant; `tasks` lists them.")],
    off: Annotated[bool, typer.Option("--off", help="Return to the task's own shares and keep them.")] = False,
    judgments: Annotated[
        Path | None,
        typer.Option("--judgments", help="File of question, document and grade, instead of thumbs.", dir_okay=False),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Adapt a task's shares of words and of meaning to its index, or take that back."""
    name = checked_task(task)
    with shell.opened() as rag:
        if off:
            was_on = rag.take_back_calibration(name)
            calibration = None
        else:
            was_on, calibration = False, rag.calibrate(name, judgments)
    if as_json:
        emit({"task": name, "taken_back": was_on, "calibration": calibration and fields(calibration)})
    elif calibration is not None:
        say(calibration.describe())
    else:
        say(f"Task {name} ranks by its own shares{'' if was_on else ', as it did'}; its index stays as it is.")


COMMANDS = {
    "calibrate": calibrate_index,
    "evaluate": evaluate_retrieval,
    "tune": choose_profile,
    "judgments": export_judgments,
}


def _read(rag: Rag, options: DataOptions) -> tuple[Dataset, str]:
    """Return the judged data and the task they are for.

    Raises:
        BadParameter: It is not clear which data are meant.
        RagError: They are malformed or too few.
    """
    if (options.dataset is None) == (not options.index):
        raise typer.BadParameter("give --dataset FOLDER with --task, or --index TASK", param_hint="--dataset")
    if options.dataset is None:
        task = checked_task(options.index)
        return rag.evaluations.from_index(task, options.judgments), task
    if not options.task:
        raise typer.BadParameter("say which task the data are for, e.g. --task faq", param_hint="--task")
    task = checked_task(options.task)
    return rag.evaluations.from_path(options.dataset), task


def _confirm_cost(rag: Rag, dataset: Dataset, task: str, systems: list[str]) -> None:
    """Ask before much has to be embedded."""
    cost = rag.evaluations.cost(dataset, task, systems)
    if cost.seconds > _ASK_SECONDS:
        note(f"{cost.texts:,} texts have no vectors yet, such as the naive ones: about {duration(cost.seconds)}")
        typer.confirm("Embed them?", default=True, abort=True)
