"""Commands that take groups of options, each as one value."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, get_type_hints

import typer

from rag.cli.shell import Shell

Parameters = list[inspect.Parameter]
_CONTEXT = "context"


def flattened(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command as Typer wants it: with the fields of its option groups one by one.

    Args:
        command: A parameter that is a `Shell` is given the surroundings; those of another dataclass are groups of
            options.
    """
    hints: dict[str, Any] = get_type_hints(command, include_extras=True)
    groups = {name: hint for name, hint in hints.items() if is_dataclass(hint) and hint is not Shell}
    parameters = [_parameter(_CONTEXT, typer.Context)]
    for name, parameter in inspect.signature(command).parameters.items():
        if name in groups:
            parameters += _members(groups[name])
        elif hints[name] is not Shell:
            parameters.append(_parameter(name, hints[name], parameter.default))

    def call(**values: Any) -> None:
        context: typer.Context = values.pop(_CONTEXT)
        for name, hint in hints.items():
            if hint is Shell:
                values[name] = context.find_object(Shell) or Shell()
            elif name in groups:
                values[name] = hint(**{member.name: values.pop(member.name) for member in fields(hint)})
        command(**values)

    call.__doc__ = command.__doc__
    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return call


def _members(group: Any) -> Parameters:
    hints = get_type_hints(group, include_extras=True)
    return [_parameter(member.name, hints[member.name], member.default) for member in fields(group)]


def _parameter(name: str, annotation: Any, default: Any = MISSING) -> inspect.Parameter:
    if default is MISSING:
        default = inspect.Parameter.empty
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
