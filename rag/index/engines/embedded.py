"""The embedded engine: one folder per collection, in the process, by qdrant-edge-py."""

from __future__ import annotations

import shutil
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

from rag.disk import Reserve, disk_errors
from rag.errors import RagError, VectorIndexError
from rag.index.collection import IndexCollection
from rag.index.edge.build import build_in_process
from rag.index.edge.folder import (
    RECIPE_FILE,
    create_folder,
    current_shard,
    files_in_use,
    open_shard,
    remove_other_shards,
    shard_to_build,
    start_copy,
    store_owner,
    stored_identity,
    stored_owner,
    stored_vectors,
    switch_shard,
)
from rag.index.edge.residue import deleted_points
from rag.index.edge.rewrite import rewrite_in_process
from rag.index.engines.spec import EngineEntry
from rag.index.recipe import collection_name, identity, recipe_from, recipe_mismatch, require_vectors
from rag.index.stillness import Stillness
from rag.types import Recipe

BUILD_FROM = 50_000
"""Points after the last build from which a build pays: below, a scan takes about ten milliseconds."""
_GROWTH = 0.1
"""Share of the built points that has to come as well, so that a large collection is not built for every file."""
_SMALL = 10_000
_WASTE = 0.1
"""A thrifty rewrite leaves a collection of more points alone until so many were deleted, as a share of those left. To
rewrite ten thousand takes some five seconds."""
_PENDING = ".new-"
_STALE = 3600.0
"""Seconds after which an unfinished creation or removal is taken for a killed one."""


class EmbeddedEngine:
    """Collections in sub-folders of a folder, each with its recipe beside its data. One process owns a collection.

    Args:
        folder: Made when the first collection is.
        build: Builds the search structures of a shard; called with its folder and the length of each named vector.
        rewrite: Writes a shard anew; called as `rewrite_in_process` is.
        reserve: Disk space that writing leaves free; by default that of the settings.
    """

    kind = "embedded"

    def __init__(
        self,
        folder: Path,
        build: Callable[[Path, Mapping[str, int]], None] = build_in_process,
        rewrite: Callable[[Path, Path, bool, threading.Event], None] = rewrite_in_process,
        reserve: Reserve | None = None,
    ) -> None:
        self.folder = self._folder = folder
        self._build_shard = build
        self._rewrite_shard = rewrite
        self._reserve = reserve or Reserve(folder)
        self._stillness = Stillness(folder)
        self._open: dict[str, IndexCollection] = {}
        self._lock = threading.Lock()
        self._building = threading.Lock()

    def open(self, recipe: Recipe) -> IndexCollection:
        """Open the recipe's collection, created when absent; the same object while it stays open.

        Raises:
            RecipeMismatchError: The folder of that name was built by another recipe.
            IndexLockedError: Another process has it open.
            DiskFullError: It has to be made, and there is no room for it.
            VectorIndexError: The folder is damaged.
        """
        name = collection_name(recipe)
        folder = self._folder / name
        with self._lock:
            index = self._open.get(name)
            if index is None or index.closed:
                if not folder.exists():
                    self._create(folder, recipe)
                built = stored_identity(folder)
                if built != identity(recipe):
                    raise recipe_mismatch(built, recipe)
                require_vectors(stored_vectors(folder), recipe)
                index = self._open[name] = self._load(name, recipe.sizes)
            return index

    def open_as_built(self, name: str) -> IndexCollection | None:
        """Open a collection whatever recipe, and whatever version of this program, built it; None when it is absent.

        Raises:
            RecipeMismatchError: The folder of that name is no collection.
            IndexLockedError: Another process has it open.
            VectorIndexError: The folder is damaged.
        """
        folder = self._folder / name
        with self._lock:
            if name not in self.collections():
                return None
            index = self._open.get(name)
            if index is None or index.closed:
                index = self._open[name] = self._load(name, recipe_from(stored_identity(folder)).sizes)
            return index

    def collections(self) -> list[str]:
        """Return the names of all collections in the folder, sorted."""
        return sorted(path.parent.name for path in self._folder.glob(f"[!.]*/{RECIPE_FILE}"))

    def recipe(self, name: str) -> Recipe:
        """Return the recipe that a collection was built by.

        Raises:
            RecipeMismatchError: It does not say.
        """
        return recipe_from(stored_identity(self._folder / name))

    def owner(self, name: str) -> str:
        """Return the id of the catalog that a collection belongs to; empty when nobody has claimed it."""
        return stored_owner(self._folder / name)

    def claim(self, name: str, owner: str) -> None:
        """Note the id of the catalog that a collection belongs to from now on."""
        store_owner(self._folder / name, owner)

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
                with disk_errors(folder, VectorIndexError), self._stillness:
                    folder.rename(trash)
                shutil.rmtree(trash, ignore_errors=True)

    def close(self) -> None:
        """Flush and close every open collection."""
        with self._lock:
            for index in self._open.values():
                index.close()
            self._open.clear()

    def still(self) -> AbstractContextManager[None]:
        """Within it, no process changes a file of any collection; writers wait, readers go on."""
        return self._stillness.still()

    def files(self) -> list[Path]:
        """Return the files that make up all collections, relative to the folder; copy them while they are still.

        Raises:
            VectorIndexError: A collection does not say which of its shards is in use.
        """
        marks = [path for path in self._folder.glob("[!.]*") if path.is_file()]
        inside = [path for name in self.collections() for path in files_in_use(self._folder / name)]
        return sorted(path.relative_to(self._folder) for path in [*marks, *inside])

    def optimise(self, name: str) -> int:
        """Build a collection when `BUILD_FROM` points, and a tenth of those built, came since its last build."""
        index = self.open_as_built(name)
        points = 0 if index is None else index.count()
        if index is None or points < BUILD_FROM:
            return 0
        built = current_shard(self._folder / name).points
        return self._build(index) if points - built >= max(BUILD_FROM, _GROWTH * built) else 0

    def build(self, recipe: Recipe) -> int:
        """Build the collection for fast search in another process, and switch over to it.

        Searches go on throughout; writes wait while the shard is copied and while what was written during the build is
        added. Worth it from `BUILD_FROM` points after the last build on.

        Returns:
            Points in the built shard.

        Raises:
            VectorIndexError: The build failed; the collection works as before.
        """
        return self._build(self.open(recipe))

    def unerased(self) -> list[str]:
        """Return the collections whose files may hold deleted points; those of earlier versions do until rewritten."""
        self._sweep()  # a collection that was dropped by a killed process is one to be erased as well
        names = self.collections()
        shards = {name: self._folder / name / current_shard(self._folder / name).shard for name in names}
        return [name for name, shard in shards.items() if deleted_points(shard) != 0]

    def erase(self, name: str, cancel: threading.Event | None = None, *, thrifty: bool = False) -> bool:
        """Write a collection anew without what was deleted from it, in another process, and switch over to it.

        Searches go on throughout; writes wait as for `build`, and what they delete meanwhile is left to the next time.
        """
        index = self.open_as_built(name) if name in self.unerased() else None
        if index is None or (thrifty and not self._is_worthwhile(index)):
            return False
        is_built = bool(current_shard(self._folder / name).points)
        self._rewrite(index, is_built, cancel or threading.Event())
        return True

    def _is_worthwhile(self, index: IndexCollection) -> bool:
        folder = self._folder / index.name
        deleted, points = deleted_points(folder / current_shard(folder).shard), index.count()
        return points < _SMALL or deleted is None or deleted >= _WASTE * points

    def _build(self, index: IndexCollection) -> int:
        folder = self._folder / index.name

        def build(copy: Path) -> Path:
            self._build_shard(copy, index.sizes)
            return copy

        if deleted_points(folder / current_shard(folder).shard):
            self._rewrite(index, True, threading.Event())
        else:
            self._renew(index, build, is_built=True)
        return current_shard(folder).points

    def _rewrite(self, index: IndexCollection, is_built: bool, cancel: threading.Event) -> None:
        def rewrite(copy: Path) -> Path:
            target = shard_to_build(copy.parent)
            self._rewrite_shard(copy, target, is_built, cancel)
            return target

        self._renew(index, rewrite, is_built=is_built)

    def _renew(self, index: IndexCollection, work: Callable[[Path], Path], *, is_built: bool) -> None:
        """Go over to the shard that `work` makes of a copy of the one in use, and remove all others, come what may."""
        folder = self._folder / index.name
        with self._building:
            before, copy = folder / current_shard(folder).shard, shard_to_build(folder)
            try:
                index.pause(partial(start_copy, before, copy, self._reserve))
                index.exchange(partial(switch_shard, work(copy), self._reserve, is_built))
            finally:
                remove_other_shards(folder)

    def _load(self, name: str, sizes: Mapping[str, int]) -> IndexCollection:
        # Opening a shard plays its log back, and the engine writes some small files for it.
        with self._reserve.spare(), self._stillness:
            shard = open_shard(self._folder / name, self._reserve)
        return IndexCollection(name, sizes, shard, self._stillness)

    def _create(self, folder: Path, recipe: Recipe) -> None:
        """Make the collection beside its place and move it there whole, so that a kill leaves none or all of it."""
        self._sweep()
        pending = self._folder / f"{_PENDING}{uuid.uuid4().hex}"
        try:
            create_folder(pending, recipe, self._reserve)
            with disk_errors(folder, VectorIndexError), self._stillness:
                pending.rename(folder)
        except RagError:
            shutil.rmtree(pending, ignore_errors=True)
            raise

    def _sweep(self) -> None:
        for path in self._folder.glob(f"{_PENDING}*"):
            if time.time() - path.stat().st_mtime > _STALE:
                shutil.rmtree(path, ignore_errors=True)


ENGINE = EngineEntry(
    name="embedded",
    is_default=lambda settings: not settings.qdrant_url,
    open=lambda settings: EmbeddedEngine(settings.data_dir / "index", reserve=settings.reserve),
    describe=lambda _: "Qdrant Edge, in this process",
)
