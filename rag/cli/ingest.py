"""`ingest` and `reindex`: long work with progress that can be stopped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rag.cli.console import emit, fields, note, say
from rag.cli.options import AnyTaskOption, JsonOption, TaskOption, checked_task
from rag.cli.shell import DONE, NOTHING_DONE, PARTLY_DONE, Shell, erase_deleted
from rag.render.text import duration, number

if TYPE_CHECKING:
    from rag.ingest import FileOutcome, IngestReport, ReindexReport

EXIT_CODES = {"all": DONE, "some": PARTLY_DONE, "none": NOTHING_DONE}
"""Exit code by how much of a task's work was done."""
_STATES = ("added", "updated", "unchanged", "duplicate", "failed", "stopped", "skipped")


def ingest_files(
    shell: Shell,
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="PATH...", help="Files and folders.", exists=True)
    ] = None,
    task: TaskOption = "qa",
    sample: Annotated[bool, typer.Option("--sample", help="Load the sample library, for every task.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Read files into the library of a task. Unchanged files cost nothing; changed ones replace their old version."""
    checked_task(task)
    if bool(paths) == sample:
        raise typer.BadParameter("give files or folders, or --sample", param_hint="PATH...")
    with shell.opened() as rag, shell.working() as (report, cancel):
        reports = rag.ingest_sample(report, cancel) if sample else {task: rag.ingest(paths or [], task, report, cancel)}
        stopped = cancel.is_set()
        if not stopped:
            erase_deleted(rag, thrifty=True)
    if as_json:
        emit({"stopped": stopped, "tasks": {name: _report_fields(report) for name, report in reports.items()}})
    else:
        _print(reports, stopped)
    raise typer.Exit(combined_exit_code(report.completion for report in reports.values()))


def reindex_tasks(shell: Shell, task: AnyTaskOption = "", as_json: JsonOption = False) -> None:
    """Build the index again after a changed model, prompt or chunking; questions are answered meanwhile."""
    checked_task(task)
    with shell.opened() as rag, shell.working() as (progress, cancel):
        reports = rag.reindex(task or None, progress, cancel)
        stopped = cancel.is_set()
        if not stopped:
            erase_deleted(rag, thrifty=True)
    if as_json:
        emit({"stopped": stopped, "tasks": {name: fields(report) for name, report in reports.items()}})
    else:
        for name, report in reports.items():
            say(f"{name}: {_rebuilt(report)}")
            _print_failures(report.outcomes)
    completions = [report.completion.value for report in reports.values() if report.files or report.outcomes]
    raise typer.Exit(combined_exit_code([*completions, "none"] if stopped else completions))


COMMANDS = {"ingest": ingest_files, "reindex": reindex_tasks}


def combined_exit_code(completions: Iterable[str]) -> int:
    """Return one exit code for the work on several tasks; no work at all is done."""
    codes = {EXIT_CODES[completion] for completion in completions}
    if codes <= {DONE}:
        return DONE
    return NOTHING_DONE if codes == {NOTHING_DONE} else PARTLY_DONE


def _rebuilt(report: ReindexReport) -> str:
    if report.unchanged:
        return f"up to date, {number(report.unchanged, 'file')}; nothing to do"
    if not report.files and not report.outcomes:
        return "empty, nothing to do" if not report.switched else "ready"
    state = "the new index answers" if report.switched else "the old index still answers; run it again to go on"
    work = f"{number(report.files, 'file')}, {number(report.chunks, 'chunk')}, {report.embedded:,} embedded"
    return f"{work}, {report.reused:,} reused, {duration(report.seconds)}; {state}"


def _report_fields(report: IngestReport) -> dict[str, Any]:
    return {
        "files": [fields(outcome) for outcome in (*report.outcomes, *report.skipped)],
        "hidden": report.hidden,
        "chunks": report.chunks,
        "embedded": report.embedded,
        "reused": report.reused,
        "seconds": dict(report.seconds),
    }


def _print(reports: Mapping[str, IngestReport], stopped: bool) -> None:
    for task, report in reports.items():
        say(f"{task}: {_counts(report)}; {_work(report)}")
        _print_failures((*report.outcomes, *report.skipped))
        if report.hidden:
            note(f"  {number(report.hidden, 'hidden file or folder', 'hidden files and folders')} left out")
    if stopped:
        note("stopped; what is listed is kept, and the same command goes on from here")


def _print_failures(outcomes: Sequence[FileOutcome]) -> None:
    for outcome in outcomes:
        if outcome.status in ("failed", "skipped"):
            note(f"  {outcome.status}: {outcome.name}: {outcome.reason}")


def _counts(report: IngestReport) -> str:
    tally = Counter(str(outcome.status) for outcome in (*report.outcomes, *report.skipped))
    counts = [(state, tally[state]) for state in _STATES]
    return ", ".join(f"{count} {state}" for state, count in counts if count) or "no files"


def _work(report: IngestReport) -> str:
    total = report.seconds.get("total", sum(report.seconds.values()))
    embedded = f"{number(report.chunks, 'chunk')}, {report.embedded:,} embedded, {report.reused:,} reused"
    return f"{embedded}, {duration(total)}"
