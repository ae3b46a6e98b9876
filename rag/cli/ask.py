"""`ask` and `search`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rag.cli.console import emit, note, say
from rag.cli.options import OutputOptions, QuestionOptions
from rag.cli.shell import DONE, NOTHING_DONE, PARTLY_DONE, Shell
from rag.errors import DiskFullError, NotFoundError
from rag.render.endings import ending
from rag.render.hits import label
from rag.render.text import printable, rank_change
from rag.serialise import hit_to_dict
from rag.text import shorten
from rag.types import Chunk, Mode

if TYPE_CHECKING:
    from rag.answering.chain import AnswerEvent
    from rag.retrieval.request import Comparison, Request, Retrieved
    from rag.services import Rag

_EXCERPT_CHARACTERS = 160


def ask(
    shell: Shell,
    options: QuestionOptions,
    output: OutputOptions,
    conversation: Annotated[str, typer.Option("--conversation", help="Go on with this one; `new` starts one.")] = "",
) -> None:
    """Answer a question from the library, with its sources."""
    request = options.request()
    with shell.opened() as rag:
        request = replace(request, conversation=_conversation(rag, conversation))
        code = _ask_both(rag, request, output) if output.compare else _ask_one(rag, request, output)
    raise typer.Exit(code)


def search(shell: Shell, options: QuestionOptions, output: OutputOptions) -> None:
    """Find sources without writing an answer."""
    request = options.request()
    with shell.opened() as rag:
        if output.compare:
            raise typer.Exit(_report_comparison(rag.compare(request), {}, None, output))
        retrieved = rag.search(request)
    if output.as_json:
        emit(_retrieved_fields(retrieved))
    else:
        _print_sources(retrieved, output.passages)
        note(_timings(retrieved.timings))
    raise typer.Exit(DONE if retrieved.hits else NOTHING_DONE)


COMMANDS = {"ask": ask, "search": search}


def _conversation(rag: Rag, name: str) -> str | None:
    if name == "new":
        try:
            return rag.new_conversation()
        except DiskFullError as exc:
            note(f"no conversation could be started: {exc}")
            return None
    if name and name not in {record.id for record in rag.conversations()}:
        raise NotFoundError(f"No conversation {name!r}. Start one with --conversation new.")
    return name or None


def _ask_one(rag: Rag, request: Request, output: OutputOptions) -> int:
    from rag.answering.chain import AnswerEvent, SourcesEvent, TokenEvent

    retrieved, last = None, None
    for event in rag.ask(request):
        if isinstance(event, SourcesEvent):
            retrieved = event.retrieved
        elif isinstance(event, TokenEvent) and not output.as_json:
            typer.echo(printable(event.text), nl=False)
        elif isinstance(event, AnswerEvent):
            last = event
    assert retrieved is not None and last is not None  # noqa: PT018 - the chain's promise
    if output.as_json:
        emit({**_answer_fields(retrieved, last), "conversation": request.conversation})
    else:
        typer.echo("\n")
        _print_sources(retrieved, output.passages)
        _print_notes(last)
        if request.conversation:
            note(f"conversation: {request.conversation}")
    return _exit_code(last, bool(retrieved.hits))


def _ask_both(rag: Rag, request: Request, output: OutputOptions) -> int:
    """Answer in both modes; the conversation keeps the task-aware answer."""
    both = rag.compare(request)
    naive = replace(request, mode=Mode.NAIVE, conversation=None)
    answers = {
        Mode.TASK_AWARE: _answer(rag, replace(request, mode=Mode.TASK_AWARE), both.task_aware),
        Mode.NAIVE: _answer(rag, naive, both.naive),
    }
    return _report_comparison(both, answers, request.conversation, output)


def _answer(rag: Rag, request: Request, retrieved: Retrieved) -> AnswerEvent:
    from rag.answering.chain import AnswerEvent

    return next(event for event in rag.ask(request, retrieved=retrieved) if isinstance(event, AnswerEvent))


def _report_comparison(
    both: Comparison, answers: Mapping[Mode, AnswerEvent], conversation: str | None, output: OutputOptions
) -> int:
    """Print both modes and return the exit code; without answers, as for a search, the hits alone."""
    changes = both.rank_changes()
    sides = (both.task_aware, both.naive)
    if output.as_json:
        modes = {
            side.mode.value: _answer_fields(side, answers[side.mode]) if answers else _retrieved_fields(side)
            for side in sides
        }
        strategy = both.task_aware.strategy.value
        head = {"question": both.task_aware.question, "task": both.task_aware.task, "strategy": strategy}
        emit({**head, "conversation": conversation, **modes, "rank_changes": changes})
    else:
        for side in sides:
            say(f"== {side.mode.value} ({side.strategy.value}) ==")
            if answers:
                say(answers[side.mode].answer.text + "\n")
            _print_sources(side, output.passages, changes if side is both.task_aware else None)
            if answers:
                _print_notes(answers[side.mode])
            else:
                note(_timings(side.timings))
            say()
        if conversation:
            note(f"conversation: {conversation}")
    codes = {_exit_code(event, bool(both.task_aware.hits)) for event in answers.values()}
    return max(codes, default=DONE if both.task_aware.hits else NOTHING_DONE)


def _retrieved_fields(retrieved: Retrieved) -> dict[str, Any]:
    return {
        "question": retrieved.question,
        "task": retrieved.task,
        "mode": retrieved.mode.value,
        "strategy": retrieved.strategy.value,
        "sources": [hit_to_dict(hit) for hit in retrieved.hits],
        "timings": dict(retrieved.timings),
    }


def _answer_fields(retrieved: Retrieved, event: AnswerEvent) -> dict[str, Any]:
    answer = event.answer
    return {
        **_retrieved_fields(retrieved),
        "answer": answer.text,
        "answered": answer.answered,
        "citations": [
            {"number": citation.number, "id": citation.hit.id, "name": citation.hit.payload.name}
            for citation in answer.citations
        ],
        "removed_citations": answer.removed_citations,
        "complete": answer.complete,
        "finish_reason": answer.finish_reason,
        "note": ending(answer.finish_reason),
        "unkept": event.unkept,
        "error": answer.error,
        "timings": dict(event.timings),
    }


def _print_sources(retrieved: Retrieved, passages: bool, changes: Mapping[str, int | None] | None = None) -> None:
    if not retrieved.hits:
        note(f"nothing found; `documents --task {retrieved.task}` lists what the library holds")
    for hit in retrieved.hits:
        chunk = hit.payload.chunk
        change = f" {rank_change(changes[hit.id]):<4}" if changes is not None else ""
        about = " ".join(part for part in (chunk.symbol, " > ".join(chunk.headings)) if part)
        say(f"[{hit.rank}]{change} {hit.score:.3f}  {label(hit)}" + (f"  ({about})" if about else ""))
        for line in (chunk.text if passages else _excerpt(chunk)).split("\n"):
            say(f"      {line}")


def _excerpt(chunk: Chunk) -> str:
    return shorten(" ".join((chunk.answer or chunk.summary or chunk.text).split()), _EXCERPT_CHARACTERS)


def _print_notes(event: AnswerEvent) -> None:
    answer = event.answer
    if answer.removed_citations:
        note(f"{answer.removed_citations} citation marks named no source and were removed")
    note(_timings(event.timings))
    if incomplete := ending(answer.finish_reason):
        note(f"note: {incomplete}")
    if answer.error:
        note(f"error: {answer.error}")
    if event.unkept:
        note(f"the conversation could not be kept: {event.unkept}")


def _timings(timings: Mapping[str, float]) -> str:
    return ", ".join(f"{stage} {milliseconds:.0f} ms" for stage, milliseconds in timings.items())


def _exit_code(event: AnswerEvent, has_hits: bool) -> int:
    """An answer that failed after its sources were shown is half of the work."""
    return NOTHING_DONE if not has_hits else PARTLY_DONE if event.answer.error else DONE
