"""Retrieval tasks: `spec` says what one is, every other module here that has a `TASK` is one.

A task's file holds all that is its own, down to how it quotes and how it makes judgments, so it may use any room below
the shells; those rooms know tasks by their spec alone.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from functools import cache
from typing import cast

from rag.discovery import by_key, entries
from rag.errors import UnknownNameError
from rag.tasks.spec import Mix, PromptMode, Signal, TaskSpec

__all__ = ["TASKS", "Mix", "PromptMode", "Signal", "TaskSpec", "discover_tasks", "get_task"]


@cache
def discover_tasks() -> dict[str, TaskSpec]:
    """Find the tasks, by name, in their order.

    Raises:
        DuplicateNameError: Two modules claim one name.
    """
    specs = cast("list[TaskSpec]", entries(sys.modules[__name__], "TASK"))
    return by_key("task", sorted(specs, key=lambda spec: (spec.order, spec.name)), lambda spec: [spec.name])


class _Tasks(Mapping[str, TaskSpec]):
    """The tasks by name. They are looked for on first use: a task's file imports rooms that import this module."""

    def __getitem__(self, name: str) -> TaskSpec:
        return discover_tasks()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(discover_tasks())

    def __len__(self) -> int:
        return len(discover_tasks())


TASKS: Mapping[str, TaskSpec] = _Tasks()


def get_task(name: str) -> TaskSpec:
    """Return the task of that name.

    Raises:
        UnknownNameError: Naming near matches.
    """
    tasks = discover_tasks()
    if name not in tasks:
        raise UnknownNameError("task", name, tasks)
    return tasks[name]
