"""`check`: whether catalog, originals and index agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rag.cli.console import emit, fields, note, say
from rag.cli.options import JsonOption
from rag.cli.shell import DONE, NOTHING_DONE, Shell
from rag.render.text import duration, number

if TYPE_CHECKING:
    from rag.maintenance import CheckReport, Fault


def check(
    shell: Shell,
    repair: Annotated[bool, typer.Option("--repair", help="Mend what can be mended, and say what was done.")] = False,
    remove_unknown: Annotated[
        bool, typer.Option("--remove-unknown", help="With --repair: remove what nothing refers to as well.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Compare catalog, originals and index with each other; with --repair rebuild what one of them lost."""
    if remove_unknown and not repair:
        raise typer.BadParameter("goes with --repair only", param_hint="--remove-unknown")
    with shell.opened() as rag, shell.working() as (progress, cancel):
        report = rag.check(progress, cancel, repair=repair, remove_unknown=remove_unknown)
    if as_json:
        emit({"sound": report.is_sound, **fields(report)})
    else:
        _print(report)
    raise typer.Exit(DONE if report.is_sound else NOTHING_DONE)


COMMANDS = {"check": check}


def _print(report: CheckReport) -> None:
    for action in report.actions:
        say(f"repaired: {action}")
    counts = f"{number(report.files, 'file')}, {number(report.chunks, 'chunk')}, {number(report.originals, 'original')}"
    result = "all is sound" if report.is_sound else f"{number(len(report.findings), 'problem')}"
    say(f"{counts} compared, {duration(report.seconds)}: {result}")
    for finding in report.findings:
        note(f"{finding.kind}: {_subject(finding)}{finding.message}")


def _subject(finding: Fault) -> str:
    subject = " ".join(part for part in (finding.name, f"({finding.task})" if finding.task else "") if part)
    return f"{subject}: " if subject else ""
