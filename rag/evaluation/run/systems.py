"""DATA: the systems that an evaluation compares. Adding one is adding one entry.

Every system is the product's own retrieval by another recipe. The effect of prompts alone (`Group.PROMPTS`: the same
dense search, other prompts) and of the whole pipeline (`Group.PIPELINE`) are kept apart; `naive` is their baseline.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from rag.errors import SettingsError, UnknownNameError
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
        second: True for the second model in the place of the one in force; the system is left out without one.
    """

    name: str
    title: str
    group: Group
    prompts: PromptMode | None = None
    strategy: Strategy | None = None
    rrf: int | None = None
    reranked: bool = False
    second: bool = False


SYSTEMS: dict[str, System] = {
    system.name: system
    for system in (
        System(NAIVE, "naive: no prompts, dense", Group.PROMPTS, PromptMode.NONE, Strategy.DENSE),
        *(
            System(mode.value, f"prompts {mode.value}, dense", Group.PROMPTS, mode, Strategy.DENSE)
            for mode in PromptMode
            if mode is not PromptMode.NONE
        ),
        System("second", "the second model, dense", Group.PIPELINE, strategy=Strategy.DENSE, second=True),
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
