"""The embedded engine: one folder per collection, in the process, by qdrant-edge-py."""

from __future__ import annotations

import json
import shutil
import threading
import time
import uuid
from pathlib import Path

from rag.errors import RecipeMismatchError, VectorIndexError
from rag.index.collection import Collection
from rag.index.recipe import collection_name, identity, recipe_from, refuse
from rag.index.shard import Shard, create_shard
from rag.types import Recipe, VectorIndex

_RECIPE = "recipe.json"
_SHARD = "shard"
_PENDING = ".new-"
_STALE = 3600.0
"""Seconds after which an unfinished creation or removal is taken for a killed one."""


class EmbeddedEngine:
    """Collections in sub-folders of `folder`, each with its recipe beside its data. One process owns a collection."""

    kind = "embedded"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, Collection] = {}
        self._lock = threading.Lock()

    def open(self, recipe: Recipe) -> VectorIndex:
        """Open the recipe's collection, created when absent; the same object while it stays open.

        Raises:
            RecipeMismatchError: The folder of that name was built by another recipe.
            IndexLockedError: Another process has it open.
            VectorIndexError: The folder is damaged.
        """
        name = collection_name(recipe)
        with self._lock:
            index = self._open.get(name)
            if index is None or index.closed:
                index = self._open[name] = self._load(name, recipe)
            return index

    def exists(self, recipe: Recipe) -> bool:
        """Whether the recipe's collection is there."""
        return (self._folder / collection_name(recipe) / _RECIPE).is_file()

    def collections(self) -> list[str]:
        """Names of all collections in the folder, sorted."""
        return sorted(path.parent.name for path in self._folder.glob(f"[!.]*/{_RECIPE}"))

    def recipes(self) -> dict[str, Recipe]:
        """The recipe of every collection, by name."""
        return {name: recipe_from(_read(self._folder / name)) for name in self.collections()}

    def drop(self, name: str) -> None:
        """Close and remove a collection; an absent one is no error.

        Raises:
            VectorIndexError: `name` is not the name of a collection here.
        """
        folder = self._folder / name
        if not name or folder.parent != self._folder or name.startswith("."):
            raise VectorIndexError(f"Found {name!r}, expected a collection's name, one of {self.collections()}.")
        with self._lock:
            index = self._open.pop(name, None)
            if index is not None:
                index.close()
            if folder.exists():
                doomed = self._folder / f"{_PENDING}{uuid.uuid4().hex}"
                folder.rename(doomed)
                shutil.rmtree(doomed)

    def close(self) -> None:
        """Flush and close every open collection."""
        with self._lock:
            for index in self._open.values():
                index.close()
            self._open.clear()

    def _load(self, name: str, recipe: Recipe) -> Collection:
        folder = self._folder / name
        if not folder.exists():
            self._create(folder, recipe)
        found = _read(folder)
        if found != identity(recipe):
            raise refuse(found, recipe)
        return Collection(name, recipe, Shard(folder / _SHARD))

    def _create(self, folder: Path, recipe: Recipe) -> None:
        """Make the collection beside its place and move it there whole, so that a kill leaves none or all of it."""
        self._sweep()
        pending = self._folder / f"{_PENDING}{uuid.uuid4().hex}"
        create_shard(pending / _SHARD, recipe)
        text = json.dumps(identity(recipe), indent=1, ensure_ascii=False)
        (pending / _RECIPE).write_text(text + "\n", encoding="utf-8")
        pending.rename(folder)

    def _sweep(self) -> None:
        for left in self._folder.glob(f"{_PENDING}*"):
            if time.time() - left.stat().st_mtime > _STALE:
                shutil.rmtree(left, ignore_errors=True)


def _read(folder: Path) -> dict[str, object]:
    try:
        found = json.loads((folder / _RECIPE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise RecipeMismatchError(
            f"{folder} is no index of this program: its {_RECIPE} cannot be read ({exc}). Move the folder away, "
            "or reindex with `python -m rag reindex`."
        ) from exc
    if not isinstance(found, dict):
        raise RecipeMismatchError(
            f"{folder / _RECIPE} holds a {type(found).__name__}, expected the recipe's fields. Move the folder "
            "away, or reindex with `python -m rag reindex`."
        )
    return found
