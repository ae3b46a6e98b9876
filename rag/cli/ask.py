"""`ask` and `search`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rag.cli.shell import DONE, NOTHING_DONE, PARTLY_DONE, Json, Task, checked_task, command, emit, note, opened, say
from rag.errors import NotFoundError
from rag.render.text import clean, rank_change
from rag.render.views import SourceView
from rag.types import Mode, Strategy

if TYPE_CHECKING:
    from rag.answering.chain import AnswerEvent
    from rag.retrieval.request import Comparison, Retrieved
    from rag.services import Rag

Question = Annotated[str, typer.Argument(help="The question, topic or text; - reads it from standard input.")]
ModeOption = Annotated[Mode, typer.Option("--mode", "-m", help="How texts are embedded.")]
StrategyOption = Annotated[
    Strategy | None, typer.Option("--strategy", "-s", help="How hits are found; the naive mode is always dense.")
]
Count = Annotated[int | None, typer.Option("--k", "-k", min=1, max=100, help="Number of sources.")]
Files = Annotated[list[str] | None, typer.Option("--file", "-f", help="Only this file; may be repeated.")]
Compare = Annotated[bool, typer.Option("--compare", "-c", help="Both modes side by side.")]
Passages = Annotated[bool, typer.Option("--passages", "-p", help="Print the passages in full.")]

_SHORT = 160


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, ask)
    command(app, search)


def ask(
    question: Question,
    task: Task = "qa",
    mode: ModeOption = Mode.TASK_AWARE,
    strategy: StrategyOption = None,
    k: Count = None,
    compare: Compare = False,
    files: Files = None,
    conversation: Annotated[str, typer.Option("--conversation", help="Go on with this one; `new` starts one.")] = "",
    passages: Passages = False,
    as_json: Json = False,
) -> None:
    """Answer a question from the library, with its sources."""
    question, task = _question(question), checked_task(task)
    with opened() as rag:
        talk = _conversation(rag, conversation)
        if compare:
            both = rag.compare(question, task, strategy=strategy, k=k, names=files)
            answers = {
                retrieved.mode: _run(rag, retrieved, talk if retrieved is both.task_aware else None)
                for retrieved in (both.task_aware, both.naive)
            }
            code = _report_comparison(both, answers, talk, as_json, passages)
        else:
            code = _ask_one(rag, question, task, mode, strategy, k, files, talk, as_json, passages)
    raise typer.Exit(code)


def search(
    question: Question,
    task: Task = "qa",
    mode: ModeOption = Mode.TASK_AWARE,
    strategy: StrategyOption = None,
    k: Count = None,
    compare: Compare = False,
    files: Files = None,
    passages: Passages = False,
    as_json: Json = False,
) -> None:
    """Find sources without writing an answer."""
    question, task = _question(question), checked_task(task)
    with opened() as rag:
        if compare:
            both = rag.compare(question, task, strategy=strategy, k=k, names=files)
            raise typer.Exit(_report_comparison(both, {}, None, as_json, passages))
        retrieved = rag.search(question, task, mode, strategy=strategy, k=k, names=files)
    if as_json:
        emit(_found(retrieved))
    else:
        _print_sources(retrieved, passages)
        note(_timings(retrieved.timings))
    raise typer.Exit(DONE if retrieved.hits else NOTHING_DONE)


def _question(text: str) -> str:
    if text == "-":
        text = typer.get_text_stream("stdin").read()
    if not text.strip():
        raise typer.BadParameter("found nothing, expected a question", param_hint="QUESTION")
    return text.strip()


def _conversation(rag: Rag, given: str) -> str | None:
    if given == "new":
        return rag.new_conversation()
    if given and given not in {one.id for one in rag.conversations()}:
        raise NotFoundError(f"No conversation {given!r}. Start one with --conversation new.")
    return given or None


def _ask_one(
    rag: Rag,
    question: str,
    task: str,
    mode: Mode,
    strategy: Strategy | None,
    k: int | None,
    files: list[str] | None,
    talk: str | None,
    as_json: bool,
    passages: bool,
) -> int:
    from rag.answering.chain import AnswerEvent, SourcesEvent, TokenEvent

    retrieved, last = None, None
    for event in rag.ask(question, task, mode, strategy=strategy, k=k, names=files, conversation=talk):
        if isinstance(event, SourcesEvent):
            retrieved = event.retrieved
        elif isinstance(event, TokenEvent) and not as_json:
            typer.echo(clean(event.text), nl=False)
        elif isinstance(event, AnswerEvent):
            last = event
    assert retrieved is not None and last is not None  # noqa: PT018 - the chain's promise
    if as_json:
        emit({**_answered(retrieved, last), "conversation": talk})
    else:
        typer.echo("\n")
        _print_sources(retrieved, passages)
        _notes(last, talk)
    return _code(last, bool(retrieved.hits))


def _run(rag: Rag, retrieved: Retrieved, talk: str | None) -> AnswerEvent:
    from rag.answering.chain import AnswerEvent

    events = rag.ask(retrieved.question, retrieved.task, retrieved.mode, conversation=talk, retrieved=retrieved)
    return next(event for event in events if isinstance(event, AnswerEvent))


def _report_comparison(
    both: Comparison, answers: Mapping[Mode, AnswerEvent], talk: str | None, as_json: bool, passages: bool
) -> int:
    changes = both.rank_changes()
    sides = (both.task_aware, both.naive)
    if as_json:
        modes = {side.mode.value: _answered(side, answers[side.mode]) if answers else _found(side) for side in sides}
        strategy = both.task_aware.strategy.value
        head = {"question": both.task_aware.question, "task": both.task_aware.task, "strategy": strategy}
        emit({**head, "conversation": talk, **modes, "rank_changes": changes})
    else:
        for side in sides:
            say(f"== {side.mode.value} ({side.strategy.value}) ==")
            if answers:
                say(answers[side.mode].answer.text + "\n")
            _print_sources(side, passages, changes if side is both.task_aware else None)
            note(_timings(answers[side.mode].timings if answers else side.timings))
            say()
    codes = {_code(event, bool(both.task_aware.hits)) for event in answers.values()}
    return max(codes, default=DONE if both.task_aware.hits else NOTHING_DONE)


def _found(retrieved: Retrieved) -> dict[str, Any]:
    return {
        "question": retrieved.question,
        "task": retrieved.task,
        "mode": retrieved.mode.value,
        "strategy": retrieved.strategy.value,
        "sources": [SourceView.of(hit).as_dict() for hit in retrieved.hits],
        "timings": dict(retrieved.timings),
    }


def _answered(retrieved: Retrieved, event: AnswerEvent) -> dict[str, Any]:
    answer = event.answer
    return {
        **_found(retrieved),
        "answer": answer.text,
        "answered": answer.answered,
        "citations": [
            {"number": one.number, "id": one.hit.id, "name": one.hit.payload.name} for one in answer.citations
        ],
        "removed_citations": answer.removed_citations,
        "finish_reason": answer.finish_reason,
        "error": answer.error,
        "timings": dict(event.timings),
    }


def _print_sources(retrieved: Retrieved, passages: bool, changes: Mapping[str, int | None] | None = None) -> None:
    if not retrieved.hits:
        note(f"nothing found; `documents --task {retrieved.task}` lists what the library holds")
    for hit in retrieved.hits:
        view = SourceView.of(hit)
        change = f" {rank_change(changes[hit.id]):<4}" if changes is not None else ""
        about = " ".join(part for part in (view.symbol, " > ".join(view.headings)) if part)
        say(f"[{view.rank}]{change} {view.score:.3f}  {view.label}" + (f"  ({about})" if about else ""))
        for line in (view.text if passages else _shortened(view)).split("\n"):
            say(f"      {line}")


def _shortened(view: SourceView) -> str:
    line = " ".join((view.answer or view.summary or view.text).split())
    return line if len(line) <= _SHORT else line[: _SHORT - 1] + "…"


def _notes(event: AnswerEvent, talk: str | None) -> None:
    if talk:
        note(f"conversation: {talk}")
    if event.answer.removed_citations:
        note(f"{event.answer.removed_citations} citation marks named no source and were removed")
    note(_timings(event.timings))
    if event.answer.error:
        note(f"error: {event.answer.error}")


def _timings(timings: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.0f} ms" for name, value in timings.items())


def _code(event: AnswerEvent, found: bool) -> int:
    """An answer that failed after its sources were shown is half of what was asked for."""
    return NOTHING_DONE if not found else PARTLY_DONE if event.answer.error else DONE
