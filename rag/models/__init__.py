"""Embedding models and their prompts: one file a family, found by looking into this package.

Adding a model is adding one entry to its family's file; adding a family is adding one file. `prompt` is the only
renderer.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import cast

from rag.discovery import by_key, entries
from rag.errors import UnknownNameError
from rag.models.spec import BUNDLED, MINILM, EmbeddingModel, Family
from rag.tasks import PromptMode, TaskSpec, get_task
from rag.types import Mode, Role

__all__ = ["BUNDLED", "FAMILIES", "MINILM", "MODELS", "EmbeddingModel", "Family", "families_in", "models_of", "prompt"]


def families_in(package: ModuleType) -> dict[str, Family]:
    """Collect the `FAMILY` of every module of a package, by name.

    Raises:
        DuplicateNameError: Two families have one name.
    """
    return by_key("model family", cast("list[Family]", entries(package, "FAMILY")), lambda family: [family.name])


def models_of(families: dict[str, Family]) -> dict[str, EmbeddingModel]:
    """Collect the models of all families by id, the default first.

    Raises:
        DuplicateNameError: Two models have one id.
    """
    models = [model for family in families.values() for model in family.models]
    return by_key("model", sorted(models, key=lambda model: model.id != BUNDLED), lambda model: [model.id])


FAMILIES: dict[str, Family] = families_in(sys.modules[__name__])
MODELS: dict[str, EmbeddingModel] = models_of(FAMILIES)


def prompt(model: EmbeddingModel, task: str | TaskSpec, role: Role, mode: Mode = Mode.TASK_AWARE) -> str:
    """Return the exact string put before a text, which may be empty.

    Args:
        model: Any model; its family decides.
        task: A task or its name.
        role: The side of the comparison the text is on.
        mode: `naive` gives the empty string on both sides.

    Raises:
        UnknownNameError: No such task or family.
    """
    if mode is Mode.NAIVE:
        return ""
    spec = get_task(task) if isinstance(task, str) else task
    if spec.bare:
        return ""
    try:
        family = FAMILIES[model.family]
    except KeyError:
        raise UnknownNameError("model family", model.family, FAMILIES) from None
    if family.two_sided and spec.prompts is PromptMode.NONE:
        return ""
    query, document = family.by_task.get(spec.name, (family.query, family.document))
    if family.two_sided and spec.prompts is PromptMode.QUERY_QUERY:
        document = query
    if family.two_sided and spec.prompts is PromptMode.PASSAGE_PASSAGE:
        query = document
    text = query if role is Role.QUERY else document
    return text.replace("{instruction}", spec.instruction)
