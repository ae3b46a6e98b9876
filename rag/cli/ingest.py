"""`ingest` and `reindex`: long work with progress and a clean stop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rag.cli.progress import progress_bar, stoppable
from rag.cli.shell import (
    DONE,
    NOTHING_DONE,
    PARTLY_DONE,
    Json,
    OneTask,
    Task,
    checked_task,
    command,
    emit,
    fields,
    note,
    opened,
    say,
)
from rag.render.text import duration, number

if TYPE_CHECKING:
    from rag.ingest import FileOutcome, IngestReport, ReindexReport

EXIT_CODES = {"all": DONE, "some": PARTLY_DONE, "none": NOTHING_DONE}
"""Exit code by how much was done."""
_STATES = ("added", "updated", "unchanged", "duplicate", "failed", "stopped")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, ingest)
    command(app, reindex)


def ingest(
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="PATH...", help="Files and folders.", exists=True)
    ] = None,
    task: Task = "qa",
    sample: Annotated[bool, typer.Option("--sample", help="Load the sample library, for every task.")] = False,
    as_json: Json = False,
) -> None:
    """Read files into the library of a task. Unchanged files cost nothing; changed ones replace their old version."""
    checked_task(task)
    if bool(paths) == sample:
        raise typer.BadParameter("give files or folders, or --sample", param_hint="PATH...")
    with opened() as rag, stoppable() as cancel, progress_bar() as report:
        reports = (
            rag.ingest_sample(progress=report, cancel=cancel)
            if sample
            else {task: rag.ingest(paths or [], task, progress=report, cancel=cancel)}
        )
        stopped = cancel.is_set()
    if as_json:
        emit({"stopped": stopped, "tasks": {name: _as_dict(one) for name, one in reports.items()}})
    else:
        _print(reports, stopped)
    raise typer.Exit(_combined({EXIT_CODES[report.completion.value] for report in reports.values()}))


def reindex(task: OneTask = "", as_json: Json = False) -> None:
    """Build the index again after a changed model, prompt or chunking; questions are answered meanwhile."""
    checked_task(task)
    with opened() as rag, stoppable() as cancel, progress_bar() as report:
        reports = rag.reindex(task or None, progress=report, cancel=cancel)
        stopped = cancel.is_set()
    if as_json:
        emit({"stopped": stopped, "tasks": {name: fields(one) for name, one in reports.items()}})
    else:
        for name, one in reports.items():
            say(f"{name}: {_rebuilt(one)}")
            _print_failures(one.outcomes)
    codes = {EXIT_CODES[one.completion.value] for one in reports.values() if one.files or one.outcomes}
    raise typer.Exit(_combined(codes, stopped))


def _rebuilt(report: ReindexReport) -> str:
    if not report.files and not report.outcomes:
        return "empty, nothing to do" if not report.switched else "ready"
    state = "the new index answers" if report.switched else "the old index still answers; run it again to go on"
    work = f"{number(report.files, 'file')}, {number(report.chunks, 'chunk')}, {report.embedded:,} embedded"
    return f"{work}, {report.reused:,} reused, {duration(report.seconds)}; {state}"


def _combined(codes: set[int], stopped: bool = False) -> int:
    """One exit code for several tasks."""
    if stopped:
        codes = codes | {NOTHING_DONE}
    if codes <= {DONE}:
        return DONE
    return NOTHING_DONE if codes == {NOTHING_DONE} else PARTLY_DONE


def _as_dict(report: IngestReport) -> dict[str, Any]:
    return {
        "files": [fields(outcome) for outcome in report.outcomes],
        "chunks": report.chunks,
        "embedded": report.embedded,
        "reused": report.reused,
        "seconds": dict(report.seconds),
    }


def _print(reports: Mapping[str, IngestReport], stopped: bool) -> None:
    for task, report in reports.items():
        say(f"{task}: {_outcomes(report)}; {_work(report)}")
        _print_failures(report.outcomes)
    if stopped:
        note("stopped; what is listed is kept, and the same command goes on from here")


def _print_failures(outcomes: Sequence[FileOutcome]) -> None:
    for outcome in outcomes:
        if outcome.status == "failed":
            note(f"  failed: {outcome.name}: {outcome.reason}")


def _outcomes(report: IngestReport) -> str:
    parts = [(state, sum(outcome.status == state for outcome in report.outcomes)) for state in _STATES]
    return ", ".join(f"{count} {state}" for state, count in parts if count) or "no files"


def _work(report: IngestReport) -> str:
    total = report.seconds.get("total", sum(report.seconds.values()))
    embedded = f"{number(report.chunks, 'chunk')}, {report.embedded:,} embedded, {report.reused:,} reused"
    return f"{embedded}, {duration(total)}"
