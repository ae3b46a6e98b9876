"""Options that several commands share, and groups of options that a command takes as one value."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from rag.render.replies import NAIVE_GLOSS
from rag.retrieval.request import Filters, Request
from rag.tasks import get_task
from rag.text import well_formed
from rag.types import Mode, Strategy

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
TaskOption = Annotated[str, typer.Option("--task", "-t", help="Retrieval task; `tasks` lists them.")]
AnyTaskOption = Annotated[str, typer.Option("--task", "-t", help="Only this task; all of them without it.")]


def checked_task(name: str) -> str:
    """Return the name of a task, or an empty one for all tasks.

    Raises:
        UnknownNameError: There is no such task; the message names near ones.
    """
    return get_task(name).name if name else ""


@dataclass(frozen=True, slots=True)
class QuestionOptions:
    """A question, and everything that decides how its sources are searched."""

    question: Annotated[str, typer.Argument(help="The question, topic or text; - reads it from standard input.")]
    task: TaskOption = "qa"
    mode: Annotated[Mode, typer.Option("--mode", "-m", help=f"How texts are embedded. naive: {NAIVE_GLOSS}.")] = (
        Mode.TASK_AWARE
    )
    strategy: Annotated[
        Strategy | None, typer.Option("--strategy", "-s", help="How hits are found; the naive mode is always dense.")
    ] = None
    k: Annotated[int | None, typer.Option("--k", "-k", min=1, max=100, help="Number of sources.")] = None
    files: Annotated[list[str] | None, typer.Option("--file", "-f", help="Only this file; may be repeated.")] = None

    def request(self) -> Request:
        """Return the request, its question read from standard input when it is `-`.

        Raises:
            UnknownNameError: There is no such task.
            BadParameter: The question is empty.
        """
        task = checked_task(self.task)
        is_piped = self.question == "-"
        # bytes that are not UTF-8 arrive as lone surrogates in an argument
        text = typer.get_text_stream("stdin", errors="replace").read() if is_piped else well_formed(self.question)
        if not text.strip():
            raise typer.BadParameter("found nothing, expected a question", param_hint="QUESTION")
        filters = Filters(names=tuple(map(well_formed, self.files)) if self.files else None)
        return Request(text.strip(), task, self.mode, self.strategy, self.k, filters)


@dataclass(frozen=True, slots=True)
class OutputOptions:
    """How hits are printed."""

    compare: Annotated[
        bool,
        typer.Option("--compare", "-c", help=f"Both modes side by side. naive: {NAIVE_GLOSS}."),
    ] = False
    passages: Annotated[bool, typer.Option("--passages", "-p", help="Print the passages in full.")] = False
    as_json: JsonOption = False


@dataclass(frozen=True, slots=True)
class DataOptions:
    """Judged data: a dataset, or the library of a task with judgments about it."""

    dataset: Annotated[
        Path | None,
        typer.Option("--dataset", "-d", help="Judged data in the BEIR layout: a folder or a zip file.", exists=True),
    ] = None
    task: Annotated[str, typer.Option("--task", "-t", help="Task that the data are for; `tasks` lists them.")] = ""
    index: Annotated[str, typer.Option("--index", help="Instead of a dataset: the library of this task.")] = ""
    judgments: Annotated[
        str,
        typer.Option(
            "--judgments",
            help="With --index: sample, synthetic, feedback, or a file of question, document and grade; by default "
            "sample when the task has files of the sample library, else synthetic.",
        ),
    ] = ""
