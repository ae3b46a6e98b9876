"""`tasks`, `models` and `status`: what would be sent, and what is there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from rag.cli.console import emit, fields, note, say, table
from rag.cli.options import JsonOption
from rag.cli.shell import DONE, NOTHING_DONE, Shell
from rag.render.replies import NAIVE_GLOSS
from rag.render.text import visible

if TYPE_CHECKING:
    from rag.models import EmbeddingModel
    from rag.recipes import RecipeInForce
    from rag.status import Status

_WORDS = ("name", "title", "query_is", "document_is", "gives", "examples")


def tasks(as_json: JsonOption = False) -> None:
    """List the tasks and the exact prompts that the configured model gets for each."""
    from rag.recipes import Recipes
    from rag.settings import load_settings

    settings = load_settings()
    rows = [_task_fields(recipe) for recipe in Recipes(settings).all().values()]
    if as_json:
        emit({"model": settings.embedding_model.id, "tasks": rows})
        return
    say(f"Prompts of {settings.embedding_model.id}. The naive mode puts nothing before either side: {NAIVE_GLOSS}.\n")
    for row in rows:
        say(f"{row['name']}: {row['title']}")
        for label, key in (("a query is", "query_is"), ("a document is", "document_is"), ("you get", "gives")):
            say(f"  {label:<16}{row[key]}")
        for side, text in row["prompts"].items():
            say(f"  {side + ' prompt':<16}{visible(text)}")
        say(f"  {'for example':<16}{row['examples'][0]}\n")


def models(as_json: JsonOption = False) -> None:
    """List the embedding models with the exact prompts each gets for every task and side."""
    from rag.models import MODELS
    from rag.settings import load_settings

    current = load_settings().embedding_model
    listed = {**MODELS, current.id: current}
    rows = [{**_model_fields(model), "in_use": model.id == current.id} for model in listed.values()]
    if as_json:
        emit(rows)
        return
    for row in rows:
        _print_model(row)


def status(shell: Shell, as_json: JsonOption = False) -> None:
    """Show what answers: model, engine, database, LLM, counts, and problems with their remedies."""
    with shell.opened() as rag:
        state = rag.status()
    if as_json:
        emit(fields(state))
    else:
        _print_status(state)
    raise typer.Exit(NOTHING_DONE if state.problems else DONE)


COMMANDS = {"tasks": tasks, "models": models, "status": status}


def _print_model(row: Mapping[str, Any]) -> None:
    say(f"{row['id']}{'  (in use)' if row['in_use'] else ''}")
    limits = f"{row['dimension'] or 'found on loading'} dimensions, {row['max_tokens'] or 'its own limit of'} tokens"
    pooling = f"{row['pooling'] or 'its own'} pooling"
    say(f"  {row['family']}, {limits}, {pooling}, {row['licence']}, {row['megabytes']} MB")
    for names, sides in _grouped(row["prompts"]):
        say(f"  {names}")
        for side, text in sides.items():
            say(f"    {side:<9} {visible(text)}")
    say()


def _print_status(state: Status) -> None:
    for name, value in fields(state).items():
        if isinstance(value, str | int | Path):
            say(f"{name.replace('_', ' '):<12}{value}")
    prompts = [[task, visible(query), visible(document)] for task, query, document in state.prompts]
    table(["task", "before a query", "before a document"], prompts)
    table(["task", "ranked by"], [list(row) for row in state.signals])
    counts = [[task, *(f"{count:,}" for count in numbers)] for task, numbers in state.counts.items()]
    table(["task", "files", "documents", "chunks"], counts, right=(1, 2, 3))
    for task, profile in state.tuned:
        say(f"tuned {task}: {profile}")
    for task, shares in state.calibrated:
        say(f"calibrated {task}: {shares}")
    for problem in state.problems:
        note(f"problem: {problem}")


def _task_fields(recipe: RecipeInForce) -> dict[str, Any]:
    words = {name: getattr(recipe.task, name) for name in _WORDS}
    return {**words, "prompts": {"query": recipe.query_prompt, "document": recipe.document_prompt}}


def _model_fields(model: EmbeddingModel) -> dict[str, Any]:
    from rag.models import prompt
    from rag.tasks import TASKS
    from rag.types import Role

    prompts = {task: {role.value: prompt(model, task, role) for role in Role} for task in TASKS}
    return {**fields(model), "prompts": prompts}


def _grouped(prompts: Mapping[str, dict[str, str]]) -> list[tuple[str, dict[str, str]]]:
    """Return tasks with the same prompts on one line."""
    groups: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for task, sides in prompts.items():
        groups.setdefault(tuple(sides.items()), []).append(task)
    return [(", ".join(names), dict(sides)) for sides, names in groups.items()]
