"""Systems resolved for a task: each with the recipe that it ranks by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from rag.evaluation.run.systems import System, get_systems
from rag.recipes import DenseSignal, RecipeInForce, with_prompts, with_second_model
from rag.settings import Settings
from rag.types import Strategy

PromptPair = tuple[str, str]
"""The exact strings before a query and before a document."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A system with its recipe, ready to rank a task's documents."""

    system: System
    recipe: RecipeInForce
    strategy: Strategy

    @property
    def name(self) -> str:
        """Name of the system."""
        return self.system.name

    @property
    def prompts(self) -> PromptPair | None:
        """The exact prompts before queries and documents; None when nothing is embedded."""
        return None if self.strategy is Strategy.BM25 else prompt_pair(self.recipe)

    @property
    def signals(self) -> tuple[DenseSignal, ...]:
        """The dense signals that rank."""
        return () if self.strategy is Strategy.BM25 else self.recipe.signals

    @property
    def fuses(self) -> bool:
        """True when signals are fused, over a number of candidates that is part of the system."""
        return self.system.strategy in (None, Strategy.HYBRID)


def prompt_pair(recipe: RecipeInForce) -> PromptPair:
    """The exact prompts of a recipe."""
    return recipe.query_prompt, recipe.document_prompt


def contenders(
    names: Iterable[str], recipe: RecipeInForce, settings: Settings, has_reranker: bool = False
) -> tuple[Contender, ...]:
    """Resolve systems for a task.

    A dense system whose prompts are those of an earlier one is left out, as with a model that has no prompts.

    Args:
        names: As for `get_systems`.
        recipe: The task's recipe in force.
        settings: Model, prompts and strategy.
        has_reranker: True when a reranker is at hand.

    Raises:
        UnknownNameError: Naming near matches.
        SettingsError: A reranked system without a reranker.
    """
    seen: set[tuple[object, bool]] = set()
    resolved = []
    for system in get_systems(names, has_reranker):
        varied = system_recipe(system, recipe, settings)
        if varied is None:
            continue
        contender = Contender(system, varied, system.strategy or Strategy(settings.strategy))
        if system.strategy is Strategy.DENSE:
            key = (contender.recipe.model.id, contender.prompts), system.reranked
            if key in seen:
                continue
            seen.add(key)
        resolved.append(contender)
    return tuple(resolved)


def system_recipe(system: System, recipe: RecipeInForce, settings: Settings) -> RecipeInForce | None:
    """Put a system's choices in the place of the task's own; None for the second model where there is none."""
    if system.second:
        return with_second_model(settings, recipe.task)
    varied = recipe if system.prompts is None else with_prompts(settings, recipe.task, system.prompts)
    if system.rrf is None:
        return varied
    # Ranks alone are fused: what the task adds to its weighted mean has no part in it.
    mix = replace(varied.task.mix, rrf=system.rrf, spread=0.0, centred=False)
    return replace(varied, task=replace(varied.task, mix=mix))
