"""Opens the index of a task, and refuses one that was built by another recipe or by another model."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np

from rag.catalog import Catalog, IndexRecord, VersionState
from rag.errors import RecipeMismatchError, VectorIndexError
from rag.index import collection_name, content_hash, describe_difference, fingerprint, vector_key
from rag.recipes import RecipeInForce, Recipes
from rag.settings import Settings
from rag.types import Embedder, Filter, IndexEngine, Mode, Recipe, StoredPoint, VectorIndex

_CANARIES = 3
_SAME_COSINE = 0.99


@dataclass(frozen=True, slots=True)
class IndexInForce:
    """The index of a task with the recipe and the model that are in force for it: all that writing to it needs.

    Attributes:
        record: How the catalog remembers the index.
        prompts: Text before a document, by the modes whose vectors are stored.
        prompt_tokens: Tokens of the longest of these prompts.
        max_tokens: Longest input of the model, special tokens included.
        vector_key: Hash of what turns an input into a vector, a part of every content hash.
    """

    record: IndexRecord
    recipe: RecipeInForce
    embedder: Embedder
    index: VectorIndex
    prompts: Mapping[Mode, str]
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
        self._trusted: dict[str, IndexInForce] = {}

    def open(self, task: str) -> VectorIndex:
        """Return the task's active index; see `in_force`."""
        return self.in_force(task).index

    def in_force(self, task: str) -> IndexInForce:
        """Return the task's active index with all that is in force for it; an index is made when there is none.

        An index without chunks follows the settings. One with chunks must have been built by the recipe that the
        settings ask for, and a few of its chunks are embedded again to see that the model still is what it was.

        Raises:
            UnknownNameError: No such task.
            RecipeMismatchError: What differs, and the command that rebuilds the index.
        """
        with self._lock:
            recipe = self.recipes.of(task)
            active = self.catalog.active_index(task)
            trusted = self._trusted.get(task)
            if trusted is None or trusted.record != active or trusted.recipe != recipe:
                trusted = self._trusted[task] = self._open(recipe, active)
            return trusted

    def at(self, record: IndexRecord, recipe: RecipeInForce) -> IndexInForce:
        """Open the collection of a record, created when absent, to be written by a recipe. Nothing is checked."""
        embedder = self.embedder()
        prompts = {Mode.TASK_AWARE: recipe.document_prompt}
        if self.settings.comparison:
            prompts[Mode.NAIVE] = ""
        return IndexInForce(
            record=record,
            recipe=recipe,
            embedder=embedder,
            index=self.engine.open(recipe_of(record)),
            prompts=prompts,
            prompt_tokens=max(len(embedder.token_offsets(prompt)) for prompt in prompts.values()),
            max_tokens=embedder.max_tokens,
            vector_key=vector_key(recipe.identity(embedder)),
        )

    def active(self, task: str) -> VectorIndex | None:
        """Return the task's active index whatever the settings say and whichever version built it, or None."""
        record = self.catalog.active_index(task)
        return None if record is None else self.engine.open_as_built(record.collection)

    def same_model(self, index: VectorIndex, recipe: RecipeInForce) -> bool:
        """True when the model still gives a few stored chunks the vectors they have, or when none can be checked."""
        embedder = self.embedder()
        key = vector_key(recipe.identity(embedder))
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

    def drop(self, collection: str) -> None:
        """Remove a collection, when it exists."""
        if collection in self.engine.collections():
            self.engine.drop(collection)

    def _open(self, recipe: RecipeInForce, active: IndexRecord | None) -> IndexInForce:
        task, identity = recipe.task.name, recipe.identity(self.embedder())
        if active is None or (
            not is_built_by(identity, active) and not self.catalog.version_ids(task, VersionState.CURRENT)
        ):
            return self._start(recipe, identity, active)
        if not is_built_by(identity, active):
            raise _mismatch(identity, active)
        opened = self.at(active, recipe)
        if self.engine.kind == "embedded":
            self._remove_unknown(opened.index, task)
        if not self.same_model(opened.index, recipe):
            raise RecipeMismatchError(
                f"The model {identity.model!r} no longer gives the vectors that the index of task {task!r} holds: "
                f"embedding stored chunks again gave a cosine below {_SAME_COSINE}. {_remedy(task)}"
            )
        return opened

    def _start(self, recipe: RecipeInForce, identity: Recipe, before: IndexRecord | None) -> IndexInForce:
        """Make an empty index the active one."""
        record = record_of(identity, 0)
        opened = self.at(record, recipe)
        if self.engine.kind == "embedded":
            self._remove_unknown(opened.index, identity.task)
        elif before is None and opened.index.versions():
            raise VectorIndexError(
                f"The collection {record.collection!r} on the Qdrant server has points that are not in this catalog: "
                "it belongs to another installation, or the catalog was lost. Set RAG_DATABASE_URL to the catalog it "
                "belongs to, use another server, or remove the collection."
            )
        self.catalog.switch(record)
        if before is not None and before.collection != record.collection:
            self.drop(before.collection)
        return opened

    def _remove_unknown(self, index: VectorIndex, task: str) -> None:
        """Remove points of versions that the catalog does not know: it was lost, or an older one was put back."""
        unknown = index.versions() - self.catalog.version_ids(task)
        if unknown:
            index.delete_versions(sorted(unknown))

    def _sample(self, index: VectorIndex, task: str) -> list[StoredPoint]:
        """The first few points of the first workspace that has some."""
        for workspace in self.catalog.workspaces():
            hidden = self.catalog.workspace(workspace).hidden_versions(task)
            for batch in index.scroll(Filter(workspace, hidden), batch=32, with_vectors=True):
                return batch
        return []


def record_of(identity: Recipe, generation: int) -> IndexRecord:
    """Return how the catalog remembers an index; `identity` is the recipe without a generation."""
    built = _with_generation(identity, generation)
    return IndexRecord(identity.task, collection_name(built), json.dumps(asdict(built)), fingerprint(built), generation)


def recipe_of(record: IndexRecord) -> Recipe:
    """Return the recipe that an index was built by, its generation included."""
    return Recipe(**json.loads(record.recipe))


def is_built_by(identity: Recipe, record: IndexRecord) -> bool:
    """True when an index was built by this recipe, in any generation."""
    return record.fingerprint == fingerprint(_with_generation(identity, record.generation))


def _with_generation(identity: Recipe, generation: int) -> Recipe:
    """Tell rebuilds by one and the same recipe apart: each needs a collection of its own."""
    return replace(identity, revision=f"{identity.revision}#{generation}") if generation else identity


def _input(point: StoredPoint, key: str) -> str | None:
    """Return the text that was embedded for a chunk, when it can be derived from what is stored."""
    payload = point.payload
    texts = [text for text in (payload.chunk.text, payload.chunk.summary) if text]
    candidates = [*texts, *(f"{payload.title}\n{text}" for text in texts)]
    return next((text for text in candidates if content_hash(key, (text,)) == payload.content), None)


def _mismatch(identity: Recipe, active: IndexRecord) -> RecipeMismatchError:
    """Return the error that says how an index was built differently, and the remedy."""
    task, built = identity.task, recipe_of(active)
    built = replace(built, revision=built.revision.removesuffix(f"#{active.generation}"))
    difference = describe_difference(built, identity)
    if not difference:
        return RecipeMismatchError(
            f"The index of task {task!r} was built by an earlier version of this program, in another layout. "
            f"Nothing is lost: run `python -m rag reindex --task {task}`, which takes its vectors over."
        )
    return RecipeMismatchError(
        f"The index of task {task!r} was built differently from what the settings now ask for ({difference}). "
        f"{_remedy(task)}"
    )


def _remedy(task: str) -> str:
    return f"Run `python -m rag reindex --task {task}`, or undo the change."
