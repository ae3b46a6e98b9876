"""Opens the index of a task, and refuses one of another catalog, of another recipe or of another model."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from rag.catalog import Catalog, IndexRecord, VersionState
from rag.catalog.ownership import (
    REMEDY,
    drop_collection,
    require_collection,
    require_unclaimed,
    unknown_versions,
)
from rag.errors import IndexLockedError, IndexUnavailableError, RecipeMismatchError, VectorIndexError
from rag.index import content_hash, vector_key
from rag.ingest.index_records import is_built_by, mismatch, missing_index, recipe_of, record_of, remedy
from rag.recipes import RecipeInForce, Recipes
from rag.settings import Settings
from rag.types import Embedder, Filter, IndexEngine, Mode, Recipe, StoredPoint, VectorIndex

_LOG = logging.getLogger(__name__)
_CANARIES = 3
_SAME_COSINE = 0.99
TRUSTED_SECONDS = 86400.0
"""How long an index is used before a few of its chunks are embedded again: an endpoint may change its model any day."""


@dataclass(frozen=True, slots=True)
class VectorSource:
    """What makes one named vector of a chunk.

    Attributes:
        embedder: Its model.
        prompt: Text before a document.
        spoken: The one language that the model knows; chunks in another one have no such vector. Empty for many.
    """

    embedder: Embedder
    prompt: str
    spoken: str = ""


@dataclass(frozen=True, slots=True)
class IndexInForce:
    """The index of a task with the recipe and the model that are in force for it: all that writing to it needs.

    Attributes:
        record: How the catalog remembers the index.
        sources: What makes each named vector that is stored, by name.
        prompt_tokens: Tokens of the longest of these prompts.
        max_tokens: Longest input of the model, special tokens included.
        vector_key: Hash of what turns an input into a vector, a part of every content hash.
    """

    record: IndexRecord
    recipe: RecipeInForce
    embedder: Embedder
    index: VectorIndex
    sources: Mapping[str, VectorSource]
    prompt_tokens: int
    max_tokens: int
    vector_key: str


class Indexes:
    """The indexes of all tasks. Safe to call from many threads.

    Args:
        catalog: Remembers which index of a task is active.
        engine: Holds the collections.
        embedder: Gives the model; called when it is first needed.
        settings: Say whether comparison is on.
        recipes: The recipe in force of every task.
        others: Gives the other models of the recipes, by id; called when they are first needed.
    """

    def __init__(
        self,
        catalog: Catalog,
        engine: IndexEngine,
        embedder: Callable[[], Embedder],
        settings: Settings,
        recipes: Recipes,
        others: Callable[[], Mapping[str, Embedder]] = dict,
    ) -> None:
        self.catalog = catalog
        self.engine = engine
        self.embedder = embedder
        self.settings = settings
        self.recipes = recipes
        self.others = others
        self._lock = threading.Lock()
        self._trusted: dict[str, IndexInForce] = {}
        self._checked: dict[str, float] = {}

    def open(self, task: str) -> VectorIndex:
        """Return the task's active index; see `in_force`."""
        return self.in_force(task).index

    def in_force(self, task: str) -> IndexInForce:
        """Return the task's active index with all that is in force for it; an index is made when there is none.

        An index without chunks follows the settings. One with chunks must have been built by the recipe that the
        settings ask for, and a few of its chunks are embedded again, once a day, to see that the model still is what
        it was.

        Raises:
            UnknownNameError: No such task.
            RecipeMismatchError: What differs, and the command that rebuilds the index.
            VectorIndexError: It is missing or damaged, or belongs to another catalog.
        """
        with self._lock:
            recipe = self.recipes.of(task)
            active = self.catalog.active_index(task)
            trusted = self._trusted.get(task)
            if trusted is None or trusted.record != active or trusted.recipe != recipe or self._is_due(task):
                self._trusted.pop(task, None)
                trusted = self._trusted[task] = self._open(recipe, active)
                self._checked[task] = time.monotonic()
            return trusted

    def forget(self) -> None:
        """Look at every index anew when it is next asked for."""
        with self._lock:
            self._trusted.clear()

    def identity(self, recipe: RecipeInForce) -> Recipe:
        """Return a recipe as an index remembers it."""
        return recipe.identity(self.embedder(), self.others())

    def at(self, record: IndexRecord, recipe: RecipeInForce) -> IndexInForce:
        """Open the collection of a record, created when absent, to be written by a recipe.

        Raises:
            VectorIndexError: The collection belongs to another catalog.
        """
        embedder = self.embedder()
        index = self.engine.open(recipe_of(record))
        require_collection(self.catalog, self.engine, index)
        sources = {
            signal.name: VectorSource(
                embedder if signal.model.id == recipe.model.id else self.others()[signal.model.id],
                signal.document_prompt,
                signal.model.spoken,
            )
            for signal in recipe.signals
        }
        if self.settings.comparison:
            sources[Mode.NAIVE.value] = VectorSource(embedder, "")
        prompts = {source.prompt for source in sources.values() if source.embedder is embedder}
        return IndexInForce(
            record=record,
            recipe=recipe,
            embedder=embedder,
            index=index,
            sources=sources,
            prompt_tokens=max(len(embedder.token_offsets(prompt)) for prompt in prompts),
            max_tokens=embedder.max_tokens,
            vector_key=vector_key(self.identity(recipe)),
        )

    def active(self, task: str) -> VectorIndex | None:
        """Return the task's active index whatever the settings say and whichever version built it, or None.

        Raises:
            VectorIndexError: It is damaged, or belongs to another catalog.
        """
        record = self.catalog.active_index(task)
        if record is None:
            return None
        index = self.engine.open_as_built(record.collection)
        if index is not None:
            require_unclaimed(self.catalog, self.engine, record.collection)
        return index

    def readable(self, task: str) -> VectorIndex | None:
        """Return the task's active index as `active` does, or None when it is damaged.

        Raises:
            IndexLockedError: Another process has it open.
            IndexUnavailableError: The server cannot be reached or refused.
        """
        try:
            return self.active(task)
        except (IndexLockedError, IndexUnavailableError):
            raise
        except VectorIndexError as exc:
            _LOG.warning("the index of task %s is not used: %s", task, exc)
            return None

    def same_model(self, index: VectorIndex, recipe: RecipeInForce) -> bool:
        """True when the model still gives a few stored chunks the vectors they have, or when none can be checked."""
        embedder = self.embedder()
        key = vector_key(self.identity(recipe))
        inputs = [(point, _input(point, key)) for point in self._sample(index, recipe.task.name)]
        canaries = [(point, text) for point, text in inputs if text is not None][:_CANARIES]
        if not canaries:
            return True
        stored = np.stack([point.vectors[Mode.TASK_AWARE] for point, _ in canaries])
        again = embedder.encode([recipe.document_prompt + text for _, text in canaries])
        return bool(np.all(np.sum(stored * again, axis=1) >= _SAME_COSINE))

    def has_all_modes(self, index: VectorIndex, task: str) -> bool:
        """True when stored chunks have a vector for every mode that the settings ask for."""
        modes = {Mode.TASK_AWARE, Mode.NAIVE} if self.settings.comparison else {Mode.TASK_AWARE}
        return all(modes <= point.vectors.keys() for point in self._sample(index, task))

    def drop(self, collection: str) -> bool:
        """Remove a collection of this catalog, unless it holds what the catalog does not know; True when it is gone."""
        return drop_collection(self.catalog, self.engine, collection)

    def _is_due(self, task: str) -> bool:
        return time.monotonic() - self._checked.get(task, 0.0) > TRUSTED_SECONDS

    def _open(self, recipe: RecipeInForce, active: IndexRecord | None) -> IndexInForce:
        task, identity = recipe.task.name, self.identity(recipe)
        if active is None or (
            not is_built_by(identity, active) and not self.catalog.version_ids(task, VersionState.CURRENT)
        ):
            return self._start(recipe, identity, active)
        if not is_built_by(identity, active):
            raise mismatch(identity, active)
        self._require_present(active)
        opened = self.at(active, recipe)
        self.catalog.hide(task, sorted(unknown_versions(self.catalog, opened.index)))
        if not self.same_model(opened.index, recipe):
            raise RecipeMismatchError(
                f"The model {identity.model!r} no longer gives the vectors that the index of task {task!r} holds: "
                f"embedding stored chunks again gave a cosine below {_SAME_COSINE}. {remedy(task)}"
            )
        return opened

    def _start(self, recipe: RecipeInForce, identity: Recipe, before: IndexRecord | None) -> IndexInForce:
        """Make an empty index the active one."""
        record = record_of(identity, 0)
        opened = self.at(record, recipe)
        unknown = unknown_versions(self.catalog, opened.index)
        if unknown and before is None:
            raise VectorIndexError(
                f"The index {record.collection} holds {len(unknown)} files that the catalog does not list: most likely "
                f"an older copy of it was put back. {REMEDY}"
            )
        self.catalog.hide(identity.task, sorted(unknown))
        self.catalog.switch(record)
        if before is not None and before.collection != record.collection:
            self.drop(before.collection)
        return opened

    def _require_present(self, active: IndexRecord) -> None:
        """Refuse an index that is gone while the catalog lists files in it: an empty one would answer nothing."""
        message = missing_index(self.catalog, self.engine, active)
        if message:
            raise VectorIndexError(message)

    def _sample(self, index: VectorIndex, task: str) -> list[StoredPoint]:
        """The first few points of the first workspace that has some."""
        for workspace in self.catalog.workspaces():
            hidden = self.catalog.workspace(workspace).hidden_versions(task)
            for batch in index.scroll(Filter(workspace, hidden), batch=32, with_vectors=True):
                return batch
        return []


def _input(point: StoredPoint, key: str) -> str | None:
    """Return the text that was embedded for a chunk, when it can be derived from what is stored."""
    payload = point.payload
    texts = [text for text in (payload.chunk.text, payload.chunk.summary) if text]
    candidates = [*texts, *(f"{payload.title}\n{text}" for text in texts)]
    return next((text for text in candidates if content_hash(key, (text,)) == payload.content), None)
