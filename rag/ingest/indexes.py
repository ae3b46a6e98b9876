"""Opens the index of a task, and refuses one that was built by another recipe or by another model."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import asdict, replace

import numpy as np

from rag.catalog import Catalog, IndexRecord, VersionState
from rag.embedding import TaskEmbeddings
from rag.errors import RecipeMismatchError, VectorIndexError
from rag.index import collection_name, describe_difference, fingerprint
from rag.ingest.vectors import content_hash, vector_key
from rag.recipes import Recipes
from rag.settings import Settings
from rag.types import Embedder, Filter, IndexEngine, Mode, Recipe, StoredPoint, VectorIndex

_CANARIES = 3
_SAME_COSINE = 0.99


def generation_of(recipe: Recipe, generation: int) -> Recipe:
    """The recipe of a rebuild by one and the same recipe, which needs a collection of its own."""
    return replace(recipe, revision=f"{recipe.revision}#{generation}") if generation else recipe


class Indexes:
    """The indexes of all tasks. Safe to call from many threads.

    Args:
        catalog: Says which index of a task is active.
        engine: Holds the collections.
        embedder: Gives the model; called when it is first needed.
        settings: Say whether comparison is on.
        recipes: The recipe in force of every task.
    """

    def __init__(
        self,
        catalog: Catalog,
        engine: IndexEngine,
        embedder: Callable[[], Embedder],
        settings: Settings,
        recipes: Recipes,
    ) -> None:
        self.catalog = catalog
        self.engine = engine
        self.embedder = embedder
        self.settings = settings
        self.recipes = recipes
        self._lock = threading.Lock()
        self._trusted: dict[str, tuple[IndexRecord, VectorIndex]] = {}

    def open(self, task: str) -> VectorIndex:
        """The task's active index, made when there is none.

        An index without chunks follows the settings. One with chunks must have been built by the recipe that the
        settings ask for, and a few of its chunks are embedded again to see that the model still is what it was.

        Raises:
            RecipeMismatchError: What differs, and the command that rebuilds the index.
        """
        with self._lock:
            active = self.catalog.active_index(task)
            trusted = self._trusted.get(task)
            if trusted is not None and trusted[0] == active:
                return trusted[1]
            index = self._open(task, active)
            record = self.catalog.active_index(task)
            if record is not None:
                self._trusted[task] = (record, index)
            return index

    def active(self, task: str) -> VectorIndex | None:
        """Return the task's active index whatever the settings say and whichever version built it, or None."""
        record = self.catalog.active_index(task)
        return None if record is None else self.engine.open_as_built(record.collection)

    def wanted(self, task: str) -> Recipe:
        """Return the recipe in force as an index remembers it."""
        return self.recipes.of(task).identity(self.embedder())

    def encoders(self, task: str) -> dict[Mode, TaskEmbeddings]:
        """Return what embeds the task's documents, by the modes that the settings ask for."""
        modes = (Mode.TASK_AWARE, Mode.NAIVE) if self.settings.comparison else (Mode.TASK_AWARE,)
        return {mode: self.recipes.of(task).embeddings(self.embedder(), mode) for mode in modes}

    def has_files(self, task: str) -> bool:
        """Whether any workspace has a current file in the task."""
        return bool(self.catalog.version_ids(task, VersionState.CURRENT))

    def same_model(self, index: VectorIndex, task: str) -> bool:
        """Whether the model still gives a few stored chunks the vectors they have; True when none can be checked."""
        key = vector_key(self.wanted(task))
        inputs = [(stored, _input(stored, key)) for stored in self._sample(index, task)]
        chosen = [(stored, text) for stored, text in inputs if text is not None][:_CANARIES]
        if not chosen:
            return True
        again = self.encoders(task)[Mode.TASK_AWARE].documents([text for _, text in chosen])
        kept = np.stack([stored.vectors[Mode.TASK_AWARE] for stored, _ in chosen])
        return bool(np.all(np.sum(kept * again, axis=1) >= _SAME_COSINE))

    def has_all_modes(self, index: VectorIndex, task: str) -> bool:
        """Whether stored chunks have a vector for every mode that the settings keep."""
        wanted = self.encoders(task).keys()
        return all(wanted <= stored.vectors.keys() for stored in self._sample(index, task))

    def drop(self, collection: str) -> None:
        """Remove a collection, when it is there."""
        if collection in self.engine.collections():
            self.engine.drop(collection)

    def _open(self, task: str, active: IndexRecord | None) -> VectorIndex:
        wanted = self.wanted(task)
        if active is None or (not is_wanted(active, wanted) and not self.has_files(task)):
            return self._start(wanted, active)
        if not is_wanted(active, wanted):
            built = recipe_of(active)
            built = replace(built, revision=built.revision.removesuffix(f"#{active.generation}"))
            difference = describe_difference(built, wanted)
            if not difference:
                raise RecipeMismatchError(
                    f"The index of task {task!r} was built by an earlier version of this program, in another layout. "
                    f"Nothing is lost: run `python -m rag reindex --task {task}`, which takes its vectors over."
                )
            raise RecipeMismatchError(
                f"The index of task {task!r} was built differently from what the settings now ask for "
                f"({difference}). {_remedy(task)}"
            )
        index = self.engine.open(recipe_of(active))
        if self.engine.kind == "embedded":
            self._remove_strangers(index, task)
        if not self.same_model(index, task):
            raise RecipeMismatchError(
                f"The model {wanted.model!r} no longer gives the vectors that the index of task {task!r} holds: "
                f"embedding stored chunks again gave a cosine below {_SAME_COSINE}. {_remedy(task)}"
            )
        return index

    def _start(self, wanted: Recipe, before: IndexRecord | None) -> VectorIndex:
        """Make an empty index the active one."""
        record = record_of(wanted, 0)
        index = self.engine.open(wanted)
        if self.engine.kind == "embedded":
            self._remove_strangers(index, wanted.task)
        elif before is None and index.versions():
            raise VectorIndexError(
                f"The collection {record.collection!r} on the Qdrant server has points that are not in this catalog: "
                "it belongs to another installation, or the catalog was lost. Set RAG_DATABASE_URL to the catalog it "
                "belongs to, use another server, or remove the collection."
            )
        self.catalog.switch(record)
        if before is not None and before.collection != record.collection:
            self.drop(before.collection)
        return index

    def _remove_strangers(self, index: VectorIndex, task: str) -> None:
        """Remove points that the catalog knows nothing of: an older catalog was put back, or it was lost."""
        strangers = index.versions() - self.catalog.version_ids(task)
        if strangers:
            index.delete_versions(sorted(strangers))

    def _sample(self, index: VectorIndex, task: str) -> list[StoredPoint]:
        """The first few points of the first workspace that has some."""
        for workspace in self.catalog.workspaces():
            hidden = self.catalog.workspace(workspace).hidden_versions(task)
            for batch in index.scroll(Filter(workspace, hidden), batch=32, with_vectors=True):
                return batch
        return []


def record_of(recipe: Recipe, generation: int) -> IndexRecord:
    """How the catalog remembers an index; `recipe` is the one without a generation."""
    built = generation_of(recipe, generation)
    return IndexRecord(recipe.task, collection_name(built), json.dumps(asdict(built)), fingerprint(built), generation)


def recipe_of(record: IndexRecord) -> Recipe:
    """The recipe that an index was built by, its generation included."""
    return Recipe(**json.loads(record.recipe))


def is_wanted(record: IndexRecord, wanted: Recipe) -> bool:
    """Whether an index was built by the recipe that the settings ask for."""
    return record.fingerprint == fingerprint(generation_of(wanted, record.generation))


def _input(stored: StoredPoint, key: str) -> str | None:
    """The text that was embedded for a chunk, when it can be told from what is stored."""
    payload = stored.payload
    shown = [text for text in (payload.chunk.text, payload.chunk.summary) if text]
    candidates = [*shown, *(f"{payload.title}\n{text}" for text in shown)]
    return next((text for text in candidates if content_hash(key, (text,)) == payload.content), None)


def _remedy(task: str) -> str:
    return f"Run `python -m rag reindex --task {task}`, or undo the change."
