"""DATA: the systems that an evaluation compares. Adding one is adding one entry.

Every system is the product's own retrieval by another recipe. The effect of prompts alone (`Group.PROMPTS`: the same
dense search, other prompts) and of the whole pipeline (`Group.PIPELINE`) are kept apart; `naive` is their baseline.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from rag.errors import SettingsError, UnknownNameError
from rag.recipes import RecipeInForce, with_prompts
from rag.settings import Settings
from rag.tasks import PromptMode
from rag.types import Strategy

NAIVE = "naive"
DEFAULT = "default"
RERANK = "+rerank"
"""Put behind the name of a system, its best hits are reordered by the reranker in the settings."""
RRF_K = 60


class Group(StrEnum):
    """The effect that a system shows."""

    PROMPTS = "prompts alone"
    PIPELINE = "whole pipeline"


@dataclass(frozen=True, slots=True)
class System:
    """One way to rank: the product's retrieval with some of its choices replaced.

    Attributes:
        name: Its name for `--systems`.
        title: Its name for people.
        group: The effect it shows.
        prompts: Prompt mode; None for the task's own.
        strategy: Signals that rank; None for the settings' choice.
        rrf: With a number, both signals are fused by reciprocal ranks with this `k` in place of the task's mix.
        reranked: True when a reranker reorders its best hits.
    """

    name: str
    title: str
    group: Group
    prompts: PromptMode | None = None
    strategy: Strategy | None = None
    rrf: int | None = None
    reranked: bool = False


_DENSE = {
    mode: System(
        NAIVE if mode is PromptMode.NONE else mode.value,
        "naive: no prompts, dense" if mode is PromptMode.NONE else f"prompts {mode.value}, dense",
        Group.PROMPTS,
        mode,
        Strategy.DENSE,
    )
    for mode in (PromptMode.NONE, *(mode for mode in PromptMode if mode is not PromptMode.NONE))
}
SYSTEMS: dict[str, System] = {
    system.name: system
    for system in (
        *_DENSE.values(),
        System("bm25", "BM25", Group.PIPELINE, strategy=Strategy.BM25),
        System(
            "hybrid",
            f"one-size-fits-all hybrid: no prompts, RRF {RRF_K}",
            Group.PIPELINE,
            PromptMode.NONE,
            Strategy.HYBRID,
            RRF_K,
        ),
        System(DEFAULT, "the shipped default of the task", Group.PIPELINE),
    )
}
STANDARD: tuple[str, ...] = tuple(SYSTEMS)
"""Compared unless people choose."""

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
    seen: set[tuple[PromptPair | None, bool]] = set()
    resolved = []
    for system in get_systems(names, has_reranker):
        contender = Contender(
            system, system_recipe(system, recipe, settings), system.strategy or Strategy(settings.strategy)
        )
        if system.strategy is Strategy.DENSE:
            key = contender.prompts, system.reranked
            if key in seen:
                continue
            seen.add(key)
        resolved.append(contender)
    return tuple(resolved)


def get_systems(names: Iterable[str], has_reranker: bool = False) -> tuple[System, ...]:
    """Look up systems by name, `naive` first, which everything is compared with.

    Args:
        names: Names, each maybe with `+rerank` behind it; `none` is `naive`.
        has_reranker: True when a reranker is at hand.

    Raises:
        UnknownNameError: Naming near matches.
        SettingsError: A reranked system without a reranker.
    """
    systems = {NAIVE: SYSTEMS[NAIVE]}
    for written in names:
        name = NAIVE if written == PromptMode.NONE else written
        base = name.removesuffix(RERANK)
        if base not in SYSTEMS:
            raise UnknownNameError("system", name, SYSTEMS)
        system = SYSTEMS[base]
        if base != name:
            if not has_reranker:
                raise SettingsError(f"{name!r} needs a reranker: set RAG_RERANKER to a cross-encoder, or leave it out.")
            system = replace(system, name=name, title=f"{system.title}, reranked", group=Group.PIPELINE, reranked=True)
        systems[name] = system
    return tuple(systems.values())


def system_recipe(system: System, recipe: RecipeInForce, settings: Settings) -> RecipeInForce:
    """Put a system's choices in the place of the task's own."""
    varied = recipe if system.prompts is None else with_prompts(settings, recipe.task, system.prompts)
    if system.rrf is None:
        return varied
    # Ranks alone are fused: what the task adds to its weighted mean has no part in it.
    mix = replace(varied.task.mix, rrf=system.rrf, spread=0.0, centred=False)
    return replace(varied, task=replace(varied.task, mix=mix))
