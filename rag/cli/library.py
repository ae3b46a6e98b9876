"""`documents` and `delete`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from rag.cli.shell import Json, OneTask, checked_task, command, emit, fields, note, opened, say, table
from rag.render.text import number, size, when

if TYPE_CHECKING:
    from rag.catalog import DocumentRecord, FileRecord


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, documents)
    command(app, delete)


def documents(
    task: OneTask = "",
    files: Annotated[bool, typer.Option("--files", help="One line a file instead of one a document.")] = False,
    as_json: Json = False,
) -> None:
    """List what the library holds, and what could not be read."""
    checked_task(task)
    with opened() as rag:
        rows = rag.files(task or None) if files else rag.documents(task or None)
        failures = rag.failures(task or None)
    if as_json:
        emit([fields(row) for row in rows])
        return
    if rows:
        _print(rows)
    else:
        say("No documents yet. Add some with `python -m rag ingest PATH...`, or `ingest --sample`.")
    for failure in failures:
        note(f"could not be read: {failure.name} ({failure.task}): {failure.reason}")


def _print(rows: Sequence[DocumentRecord] | Sequence[FileRecord]) -> None:
    from rag.catalog import FileRecord

    files = [row for row in rows if isinstance(row, FileRecord)]
    documents = [row for row in rows if not isinstance(row, FileRecord)]
    if files:
        cells = [[f.task, f.name, f"{f.documents:,}", f"{f.chunks:,}", size(f.size), when(f.committed)] for f in files]
        table(["task", "file", "documents", "chunks", "size", "updated"], cells, right=(2, 3, 4))
    if documents:
        cells = [[d.task, d.name, d.key or d.title, f"{d.chunks:,}", when(d.committed)] for d in documents]
        table(["task", "file", "key or title", "chunks", "updated"], cells, right=(3,))


def delete(
    ids: Annotated[list[str], typer.Argument(metavar="ID_OR_NAME...", help="File ids, document ids or file names.")],
    task: OneTask = "",
    as_json: Json = False,
) -> None:
    """Remove files with all their chunks, in both modes."""
    checked_task(task)
    with opened() as rag:
        gone = rag.delete(ids, task or None)
    if as_json:
        emit({"deleted": gone})
    else:
        say(f"Deleted {number(gone, 'file')}.")
