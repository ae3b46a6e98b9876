"""How the catalog remembers an index: its recipe, its generation, and what to say when another recipe is in force."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

from rag.catalog import Catalog, IndexRecord, VersionState
from rag.errors import RecipeMismatchError
from rag.index import collection_name, describe_difference, fingerprint, recipe_from
from rag.types import IndexEngine, Recipe


def record_of(identity: Recipe, generation: int) -> IndexRecord:
    """Return how the catalog remembers an index; `identity` is the recipe without a generation."""
    built = _with_generation(identity, generation)
    return IndexRecord(identity.task, collection_name(built), json.dumps(asdict(built)), fingerprint(built), generation)


def recipe_of(record: IndexRecord) -> Recipe:
    """Return the recipe that an index was built by, its generation included."""
    return recipe_from(json.loads(record.recipe))


def is_built_by(identity: Recipe, record: IndexRecord) -> bool:
    """True when an index was built by this recipe, in any generation."""
    return record.fingerprint == fingerprint(_with_generation(identity, record.generation))


def _with_generation(identity: Recipe, generation: int) -> Recipe:
    """Tell rebuilds by one and the same recipe apart: each needs a collection of its own."""
    return replace(identity, revision=f"{identity.revision}#{generation}") if generation else identity


def record_as_built(recipe: Recipe, collection: str) -> IndexRecord:
    """Return the record of a collection by the recipe that it says it was built by, its generation included.

    The record of a collection in the layout of an earlier version has no fingerprint: no recipe in force builds it.
    """
    _, _, suffix = recipe.revision.rpartition("#")
    generation = int(suffix) if "#" in recipe.revision and suffix.isdecimal() else 0
    digest = fingerprint(recipe) if collection_name(recipe) == collection else ""
    return IndexRecord(recipe.task, collection, json.dumps(asdict(recipe)), digest, generation)


def missing_index(catalog: Catalog, engine: IndexEngine, active: IndexRecord) -> str:
    """Return what is wrong, and the remedy, when an index is gone while the catalog lists files in it; else ""."""
    if active.collection in engine.collections():
        return ""
    files = len(catalog.version_ids(active.task, VersionState.CURRENT))
    if not files:
        return ""
    return (
        f"The index of task {active.task!r} is missing: expected the collection {active.collection} with the chunks of "
        f"{files} {'files' if files > 1 else 'file'}. The originals are not touched: run `python -m rag reindex --task "
        f"{active.task}`, which builds it again from them, or put the collection back."
    )


def mismatch(identity: Recipe, active: IndexRecord) -> RecipeMismatchError:
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
        f"{remedy(task)}"
    )


def remedy(task: str) -> str:
    """Return what to do about an index of another recipe."""
    return f"Run `python -m rag reindex --task {task}`, or undo the change."
