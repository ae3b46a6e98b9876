"""Entries of a room: one module each, found by looking into the package, so that nothing lists them by hand."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import TypeVar

from rag.errors import DuplicateNameError

Entry = TypeVar("Entry")


def entries(package: ModuleType, attribute: str) -> list[object]:
    """The `attribute` of every module of a package that has one, by module name.

    Args:
        package: Its `__path__` says where to look; a folder put there adds its modules.
        attribute: Name that an entry's module defines, e.g. `TASK`.
    """
    modules = (
        importlib.import_module(f"{package.__name__}.{name}")
        for name in sorted(info.name for info in pkgutil.iter_modules(package.__path__))
    )
    return [getattr(module, attribute) for module in modules if hasattr(module, attribute)]


def by_key(kind: str, found: Iterable[Entry], keys: Callable[[Entry], Iterable[str]]) -> dict[str, Entry]:
    """Entries by each of their keys.

    Args:
        kind: What the keys are, for people, e.g. `task` or `file extension`.
        found: Entries.
        keys: The keys of one entry.

    Raises:
        DuplicateNameError: Two entries claim one key.
    """
    known: dict[str, Entry] = {}
    for entry in found:
        for key in keys(entry):
            if key in known:
                raise DuplicateNameError(kind, key)
            known[key] = entry
    return known
