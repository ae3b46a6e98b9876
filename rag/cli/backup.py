"""`backup` and `restore`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rag.cli.console import emit, fields, note, say
from rag.cli.options import JsonOption
from rag.cli.shell import DONE, NOTHING_DONE, Shell
from rag.render.text import duration, number, size, when

if TYPE_CHECKING:
    from rag.maintenance.backup import BackupReport

_DAILY = 24.0


def backup(
    shell: Shell,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="File to write; with --schedule a folder.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a file of that name.")] = False,
    schedule: Annotated[
        str, typer.Option("--schedule", help="Go on for ever: `daily`, or hours between two backups.")
    ] = "",
    keep: Annotated[int, typer.Option("--keep", min=1, help="With --schedule: how many backups stay.")] = 7,
    as_json: JsonOption = False,
) -> None:
    """Write everything of the library into one file; the app and an ingest may run meanwhile."""
    if schedule:
        _back_up_regularly(shell, file, _hours(schedule), keep)
    with shell.opened() as rag, shell.working() as (progress, cancel):
        report = rag.backups.make(file, progress, cancel, force=force)
    if as_json:
        emit(fields(report))
    else:
        say(_written(report))
        _print_warnings(report.warnings)


def restore(
    shell: Shell,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup.")],
    force: Annotated[bool, typer.Option("--force", help="Move a library that is there aside.")] = False,
    any_recipe: Annotated[
        bool, typer.Option("--any-recipe", help="Even if the settings name another model; then run `reindex`.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Restore a backup into the data folder, which must be empty. The app must not run on it."""
    with shell.opened() as rag, shell.working() as (progress, cancel):
        report = rag.backups.restore(file, progress, cancel, force=force, any_recipe=any_recipe)
    if as_json:
        emit(fields(report))
        return
    counts = f"{number(report.files, 'file')}, {number(report.chunks, 'chunk')}"
    counts += f", {number(report.conversations, 'conversation')}"
    say(f"Restored {counts} of {when(report.created)} to {report.folder}.")
    if report.moved is not None:
        note(f"what was there is now in {report.moved}")
    _print_warnings(report.warnings)


COMMANDS = {"backup": backup, "restore": restore}


def _back_up_regularly(shell: Shell, folder: Path, hours: float, keep: int) -> None:
    """Make backups until Ctrl-C, then exit; with an error when the last one failed."""
    code = NOTHING_DONE
    with shell.opened() as rag, shell.working() as (progress, cancel):
        rounds = rag.backups.make_regularly(folder, keep, lambda: cancel.wait(hours * 3600), progress, cancel)
        for made in rounds:
            code = NOTHING_DONE if made.report is None else DONE
            if made.report is None:
                note(f"no backup: {made.error}")
                continue
            say(_written(made.report))
            _print_warnings(made.report.warnings)
            for path in made.removed:
                note(f"removed {path}")
    raise typer.Exit(code)


def _hours(schedule: str) -> float:
    if schedule == "daily":
        return _DAILY
    if not re.fullmatch(r"\d+(\.\d+)?", schedule) or not float(schedule):
        raise typer.BadParameter(f"found {schedule!r}, expected `daily` or a number of hours", param_hint="--schedule")
    return float(schedule)


def _written(report: BackupReport) -> str:
    counts = f"{number(report.files, 'file')}, {number(report.chunks, 'chunk')}"
    counts += f", {number(report.conversations, 'conversation')}"
    return f"{report.path}: {counts}; {size(report.size)}, {duration(report.seconds)}"


def _print_warnings(warnings: Sequence[str]) -> None:
    for warning in warnings:
        note(f"warning: {warning}")
    if warnings:
        note("`python -m rag check` says more")
