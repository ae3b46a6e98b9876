"""`documents` and `delete`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from rag.cli.console import emit, fields, note, say, table
from rag.cli.options import AnyTaskOption, JsonOption, checked_task
from rag.cli.shell import Shell, erase_deleted
from rag.render.text import number, size, when

if TYPE_CHECKING:
    from rag.catalog import DocumentRecord, FileRecord


def documents(
    shell: Shell,
    task: AnyTaskOption = "",
    files: Annotated[bool, typer.Option("--files", help="One line a file instead of one a document.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List what the library holds, and what could not be read."""
    checked_task(task)
    with shell.opened() as rag:
        records = rag.files(task or None) if files else rag.documents(task or None)
        failures = rag.failures(task or None)
        problems = rag.library_problems()
    for problem in problems:
        note(f"problem: {problem}")
    if as_json:
        emit([fields(record) for record in records])
        return
    if records:
        _print(records)
    else:
        say("No documents yet. Add some with `python -m rag ingest PATH...`, or `ingest --sample`.")
    for failure in failures:
        note(f"could not be read: {failure.name} ({failure.task}): {failure.reason}")


def delete(
    shell: Shell,
    ids: Annotated[list[str], typer.Argument(metavar="ID_OR_NAME...", help="File ids, document ids or file names.")],
    task: AnyTaskOption = "",
    as_json: JsonOption = False,
) -> None:
    """Remove files with all their chunks, in both modes."""
    checked_task(task)
    with shell.opened() as rag:
        removed = rag.delete(ids, task or None)
        erase_deleted(rag)
    if as_json:
        emit({"deleted": removed})
    else:
        say(f"Deleted {number(removed, 'file')}.")


COMMANDS = {"documents": documents, "delete": delete}


def _print(records: Sequence[DocumentRecord] | Sequence[FileRecord]) -> None:
    from rag.catalog import FileRecord

    files = [record for record in records if isinstance(record, FileRecord)]
    documents = [record for record in records if not isinstance(record, FileRecord)]
    if files:
        rows = [[f.task, f.name, f"{f.documents:,}", f"{f.chunks:,}", size(f.size), when(f.committed)] for f in files]
        table(["task", "file", "documents", "chunks", "size", "updated"], rows, right=(2, 3, 4))
    if documents:
        rows = [[d.task, d.name, d.key or d.title, f"{d.chunks:,}", when(d.committed)] for d in documents]
        table(["task", "file", "key or title", "chunks", "updated"], rows, right=(3,))
