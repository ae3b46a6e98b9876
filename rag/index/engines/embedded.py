"""The embedded engine: one folder per collection, in the process, by qdrant-edge-py."""

from __future__ import annotations

import json
import shutil
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from rag.errors import RecipeMismatchError, VectorIndexError
from rag.index.collection import IndexCollection
from rag.index.driver import BATCH, Driver, Where
from rag.index.edge.build import build_in_process, copy_shard
from rag.index.edge.shard import Shard, create_shard
from rag.index.engines.spec import EngineEntry
from rag.index.recipe import collection_name, identity, recipe_from, recipe_mismatch
from rag.types import Recipe, VectorIndex

_RECIPE = "recipe.json"
_SHARD = "shard"
_CURRENT = "current.json"
_PENDING = ".new-"
BUILD_FROM = 50_000
"""Pending points from which a build pays: below, a scan takes about ten milliseconds."""
_GROWTH = 0.1
"""Share of the built points that has to be pending as well, so that a large collection is not built for every file."""
_STALE = 3600.0
"""Seconds after which an unfinished creation or removal is taken for a killed one."""


class EmbeddedEngine:
    """Collections in sub-folders of a folder, each with its recipe beside its data. One process owns a collection.

    Args:
        folder: Made when the first collection is.
        build: Builds the search structures of a shard; called with its folder and the dimension.
    """

    kind = "embedded"

    def __init__(self, folder: Path, build: Callable[[Path, int], None] = build_in_process) -> None:
        self._folder = folder
        self._build_shard = build
        self._open: dict[str, IndexCollection] = {}
        self._lock = threading.Lock()
        self._building = threading.Lock()

    def open(self, recipe: Recipe) -> VectorIndex:
        """Open the recipe's collection, created when absent; the same object while it stays open.

        Raises:
            RecipeMismatchError: The folder of that name was built by another recipe.
            IndexLockedError: Another process has it open.
            VectorIndexError: The folder is damaged.
        """
        return self._opened(recipe)

    def open_as_built(self, name: str) -> VectorIndex | None:
        """Open a collection whatever recipe, and whatever version of this program, built it; None when it is absent.

        Raises:
            RecipeMismatchError: The folder of that name is no collection.
            IndexLockedError: Another process has it open.
            VectorIndexError: The folder is damaged.
        """
        return self._as_built(name)

    def collections(self) -> list[str]:
        """Return the names of all collections in the folder, sorted."""
        return sorted(path.parent.name for path in self._folder.glob(f"[!.]*/{_RECIPE}"))

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
                # Renamed first, so that a kill leaves a whole collection or none.
                trash = self._folder / f"{_PENDING}{uuid.uuid4().hex}"
                folder.rename(trash)
                shutil.rmtree(trash)

    def close(self) -> None:
        """Flush and close every open collection."""
        with self._lock:
            for index in self._open.values():
                index.close()
            self._open.clear()

    def pending(self, recipe: Recipe) -> int:
        """Count the points of the recipe's collection that came after its last build."""
        return max(0, self._opened(recipe).count() - _current(self._folder / collection_name(recipe)).points)

    def optimise(self, name: str) -> int:
        """Build a collection when `BUILD_FROM` points, and a tenth of those built, came since its last build."""
        built = _current(self._folder / name).points
        index = self._as_built(name)
        if index is None or index.count() - built < max(BUILD_FROM, _GROWTH * built):
            return 0
        return self._build(index, recipe_from(_stored_identity(self._folder / name)).dimension)

    def build(self, recipe: Recipe) -> int:
        """Build the collection for fast search in another process, and switch over to it.

        Searches go on throughout; writes wait while the shard is copied and while what was written during the build is
        added. Worth it from `BUILD_FROM` pending points on.

        Returns:
            Points in the built shard.

        Raises:
            VectorIndexError: The build failed; the collection works as before.
        """
        return self._build(self._opened(recipe), recipe.dimension)

    def _build(self, index: IndexCollection, dimension: int) -> int:
        folder = self._folder / index.name
        with self._building:
            before = folder / _current(folder).shard
            shard = f"{_SHARD}-{uuid.uuid4().hex[:8]}"
            index.pause(partial(_copy, before, folder / shard))
            try:
                self._build_shard(folder / shard, dimension)
                index.exchange(partial(_switch, folder, shard))
            except VectorIndexError:
                shutil.rmtree(folder / shard, ignore_errors=True)
                raise
            shutil.rmtree(before, ignore_errors=True)
            return _current(folder).points

    def _as_built(self, name: str) -> IndexCollection | None:
        with self._lock:
            if name not in self.collections():
                return None
            index = self._open.get(name)
            if index is None or index.closed:
                index = self._open[name] = self._load(name, recipe_from(_stored_identity(self._folder / name)))
            return index

    def _opened(self, recipe: Recipe) -> IndexCollection:
        name = collection_name(recipe)
        with self._lock:
            index = self._open.get(name)
            if index is None or index.closed:
                folder = self._folder / name
                if not folder.exists():
                    self._create(folder, recipe)
                built = _stored_identity(folder)
                if built != identity(recipe):
                    raise recipe_mismatch(built, recipe)
                index = self._open[name] = self._load(name, recipe)
            return index

    def _load(self, name: str, recipe: Recipe) -> IndexCollection:
        folder = self._folder / name
        current = _current(folder)
        index = IndexCollection(name, recipe.dimension, Shard(folder / current.shard))
        for path in folder.glob(f"{_SHARD}*"):
            if path.name != current.shard:  # of a build that was killed
                shutil.rmtree(path, ignore_errors=True)
        return index

    def _create(self, folder: Path, recipe: Recipe) -> None:
        """Make the collection beside its place and move it there whole, so that a kill leaves none or all of it."""
        self._sweep()
        pending = self._folder / f"{_PENDING}{uuid.uuid4().hex}"
        create_shard(pending / _SHARD, recipe)
        text = json.dumps(identity(recipe), indent=1, ensure_ascii=False)
        (pending / _RECIPE).write_text(text + "\n", encoding="utf-8")
        pending.rename(folder)

    def _sweep(self) -> None:
        for path in self._folder.glob(f"{_PENDING}*"):
            if time.time() - path.stat().st_mtime > _STALE:
                shutil.rmtree(path, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Current:
    """The shard of a collection's folder that is in use, and how many points it had when it was built."""

    shard: str = _SHARD
    points: int = 0


def _current(folder: Path) -> Current:
    path = folder / _CURRENT
    try:
        return Current(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else Current()
    except (ValueError, TypeError) as exc:
        raise VectorIndexError(
            f"{path} is damaged: {exc}. Move {folder} away and run `python -m rag reindex`."
        ) from exc


def _copy(source: Path, target: Path, driver: Driver) -> None:
    _touched(driver).clear()
    copy_shard(source, target)


def _switch(folder: Path, shard: str, old: Driver) -> Driver:
    """Open the built shard, bring over what was written meanwhile, and make it the current one in one rename."""
    new = Shard(folder / shard)
    touched = sorted(_touched(old))
    for version in touched:
        where = Where({"version": [version]})
        new.delete(where)
        offset: str | None = None
        while True:
            rows, offset = old.page(where, BATCH, offset, None, True)
            if rows:
                new.write(rows)
            if offset is None:
                break
    new.flush()
    pending = folder / f".{_CURRENT}"
    pending.write_text(json.dumps(asdict(Current(shard, new.count(Where())))), encoding="utf-8")
    pending.replace(folder / _CURRENT)
    return new


def _touched(driver: Driver) -> set[str]:
    assert isinstance(driver, Shard)
    return driver.touched


def _stored_identity(folder: Path) -> dict[str, object]:
    try:
        stored = json.loads((folder / _RECIPE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise RecipeMismatchError(
            f"{folder} is no index of this program: its {_RECIPE} cannot be read ({exc}). Move the folder away, "
            "or reindex with `python -m rag reindex`."
        ) from exc
    if not isinstance(stored, dict):
        raise RecipeMismatchError(
            f"{folder / _RECIPE} holds a {type(stored).__name__}, expected the recipe's fields. Move the folder "
            "away, or reindex with `python -m rag reindex`."
        )
    return stored


ENGINE = EngineEntry(
    name="embedded",
    is_default=lambda settings: not settings.qdrant_url,
    open=lambda settings: EmbeddedEngine(settings.data_dir / "index"),
    describe=lambda _: "Qdrant Edge, in this process",
)
