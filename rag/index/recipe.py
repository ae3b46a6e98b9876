"""The identity of an index: fingerprints, collection names, and what makes its vectors."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, cast

from rag.errors import RecipeMismatchError
from rag.types import FurtherVector, Recipe

DISTANCE = "Cosine"
"""How vectors are compared, as engines call it. It is the same in every recipe, and checked when an index is opened."""
_FURTHER = "further"
LAYOUT = 3
"""Version of what is stored beside the vectors: payload fields and BM25 terms. A new layout is a new collection."""


def identity(recipe: Recipe) -> dict[str, object]:
    """Return the recipe and the layout as plain data, as an index stores them.

    A recipe without further vectors reads as it did before there were any, so that such indexes stay what they are.
    """
    plain = {name: value for name, value in asdict(recipe).items() if name != _FURTHER or value}
    if recipe.further:
        plain[_FURTHER] = [asdict(encoding) for encoding in recipe.further]
    return {**plain, "layout": LAYOUT}


def recipe_from(stored: Mapping[str, object]) -> Recipe:
    """Return the recipe that `identity` wrote, in this layout or an earlier one.

    Raises:
        RecipeMismatchError: Fields are missing: another program or another version wrote it.
    """
    names = [field.name for field in fields(Recipe) if field.name != _FURTHER]
    missing = [name for name in names if name not in stored]
    if missing:
        raise RecipeMismatchError(
            f"The index does not say how it was built: found no {', '.join(missing)} among {sorted(stored)}. "
            "It was written by another version or program; reindex with `python -m rag reindex`."
        )
    plain: dict[str, Any] = {name: stored[name] for name in names}
    further = cast("list[dict[str, Any]]", stored.get(_FURTHER, []))
    return Recipe(**plain, further=tuple(FurtherVector(**encoding) for encoding in further))


def fingerprint(recipe: Recipe) -> str:
    """Return the SHA-256 of the recipe's canonical JSON, 64 hexadecimal digits.

    Equal fingerprints mean interchangeable points.
    """
    text = json.dumps(identity(recipe), sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def collection_name(recipe: Recipe) -> str:
    """Return the name of the recipe's collection: the task and the first twelve digits of the fingerprint."""
    return f"{recipe.task}-{fingerprint(recipe)[:12]}"


def vector_key(recipe: Recipe) -> str:
    """Hash what turns an input into a vector: the recipe without the task, the query prompt and the chunking."""
    parts: tuple[object, ...]
    parts = (recipe.model, recipe.revision, recipe.precision, recipe.pooling, recipe.normalised, recipe.dimension)
    # Further vectors have names that say what made them, all but the arithmetic, which mostly is one for all models.
    parts += tuple(encoding.precision for encoding in recipe.further if encoding.precision != recipe.precision)
    return hashlib.sha256(json.dumps([*parts, recipe.document_prompt]).encode()).hexdigest()


def describe_difference(built: Recipe | Mapping[str, object], current: Recipe) -> str:
    """Return each field that differs, as `field: built -> current`; empty when none does."""
    old = identity(built) if isinstance(built, Recipe) else dict(built)
    new = identity(current)
    names = [name for name in {**new, **old} if old.get(name) != new.get(name)]
    return "; ".join(f"{name}: {_shown(old.get(name))} -> {_shown(new.get(name))}" for name in names)


def _shown(value: object) -> str:
    """Return a field for people; further vectors by their names and arithmetic."""
    if isinstance(value, list):
        return " and ".join(f"{encoding['name']} ({encoding['precision']})" for encoding in value)
    return "nothing" if value is None else repr(value)


def recipe_mismatch(built: Recipe | Mapping[str, object], current: Recipe) -> RecipeMismatchError:
    """Return the error to raise when another recipe built an index; it names the differences and the remedy."""
    return RecipeMismatchError(
        f"The index of task {current.task!r} was built differently from what the settings now say "
        f"({describe_difference(built, current)}). "
        f"Run `python -m rag reindex --task {current.task}`, or undo the change."
    )


def require_vectors(stored: Mapping[str, tuple[int, str]], recipe: Recipe) -> None:
    """Refuse a collection whose vectors have another length, or are compared in another way, than the recipe says.

    Args:
        stored: Dimension and distance of each named vector, as the engine knows them.
        recipe: What the collection says that it was built by.

    Raises:
        RecipeMismatchError: Naming what differs and the remedy.
    """
    names = ("dimension", "distance")
    differences = dict.fromkeys(
        f"{field}: {old!r} -> {new!r}"
        for vector, size in recipe.sizes.items()
        for field, old, new in zip(names, stored.get(vector, (0, "")), (size, DISTANCE), strict=True)
        if vector in stored and old != new
    )
    differences |= dict.fromkeys(f"vectors named {name!r}: missing" for name in recipe.sizes if name not in stored)
    if differences or not stored:
        raise RecipeMismatchError(
            f"The index of task {recipe.task!r} holds other vectors than its recipe says "
            f"({'; '.join(differences) or 'none at all'}). Run `python -m rag reindex --task {recipe.task}`."
        )
