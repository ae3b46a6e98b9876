"""DATA: the systems that an evaluation compares. Adding one is adding one entry.

The effect of prompts alone (`Group.PROMPTS`: the same dense search, other prompts) and of the whole pipeline
(`Group.PIPELINE`) are kept apart. `naive` is the baseline of both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from rag.errors import SettingsError, UnknownNameError
from rag.models import EmbeddingModel, prompt
from rag.settings import Settings
from rag.tasks import Symmetry, TaskSpec
from rag.types import Role

NAIVE = "naive"
DEFAULT = "default"
RERANK = "+rerank"
"""Put behind the name of a system, its best 30 documents are reordered by the reranker in the settings."""


class Group(StrEnum):
    """Whose effect a system shows."""

    PROMPTS = "prompts alone"
    PIPELINE = "whole pipeline"


class Method(StrEnum):
    """How a system ranks."""

    DENSE = "dense"
    BM25 = "bm25"
    RRF = "rrf"
    PRODUCT = "product"


@dataclass(frozen=True, slots=True)
class System:
    """One way to rank.

    Attributes:
        name: What `--systems` calls it.
        title: What people read.
        group: Whose effect it shows.
        method: How it ranks.
        prompts: For dense systems the prompt mode.
        reranked: Whether a reranker reorders its best documents.
    """

    name: str
    title: str
    group: Group
    method: Method
    prompts: Symmetry = Symmetry.NONE
    reranked: bool = False


SYSTEMS: dict[str, System] = {
    system.name: system
    for system in (
        System(NAIVE, "naive: no prompts, dense", Group.PROMPTS, Method.DENSE),
        *(
            System(mode.value, f"prompts {mode.value}, dense", Group.PROMPTS, Method.DENSE, mode)
            for mode in Symmetry
            if mode is not Symmetry.NONE
        ),
        System("bm25", "BM25", Group.PIPELINE, Method.BM25),
        System("hybrid", "one-size-fits-all hybrid: no prompts, RRF 60", Group.PIPELINE, Method.RRF),
        System(DEFAULT, "the shipped default of the task", Group.PIPELINE, Method.PRODUCT),
    )
}
STANDARD: tuple[str, ...] = tuple(SYSTEMS)
"""What is compared unless people choose."""

PromptPair = tuple[str, str]
"""The exact strings before a query and before a document."""


def get_systems(names: Iterable[str], has_reranker: bool = False) -> tuple[System, ...]:
    """The systems of these names, `naive` first, which everything is compared with.

    Args:
        names: Names, each maybe with `+rerank` behind it; `none` is `naive`.
        has_reranker: Whether a reranker is at hand.

    Raises:
        UnknownNameError: Naming near matches.
        SettingsError: A reranked system without a reranker.
    """
    chosen = {NAIVE: SYSTEMS[NAIVE]}
    for given in names:
        name = NAIVE if given == Symmetry.NONE else given
        base = name.removesuffix(RERANK)
        if base not in SYSTEMS:
            raise UnknownNameError("system", name, SYSTEMS)
        system = SYSTEMS[base]
        if base != name:
            if not has_reranker:
                raise SettingsError(f"{name!r} needs a reranker: set RAG_RERANKER to a cross-encoder, or leave it out.")
            system = replace(system, name=name, title=f"{system.title}, reranked", group=Group.PIPELINE, reranked=True)
        chosen[name] = system
    return tuple(chosen.values())


def prompt_pairs(settings: Settings, model: EmbeddingModel, spec: TaskSpec) -> dict[Symmetry, PromptPair]:
    """The exact prompts of each mode.

    The two symmetric modes put the model's query prompt, or its document prompt, on both sides, whatever its family.
    """
    spec = replace(spec, symmetry=Symmetry.QUERY_PASSAGE, bare=False)
    query = prompt(model, spec, Role.QUERY) if settings.query_prompt is None else settings.query_prompt
    document = prompt(model, spec, Role.DOCUMENT) if settings.document_prompt is None else settings.document_prompt
    return {
        Symmetry.NONE: ("", ""),
        Symmetry.QUERY_PASSAGE: (query, document),
        Symmetry.QUERY_QUERY: (query, query),
        Symmetry.PASSAGE_PASSAGE: (document, document),
    }


def shipped_prompts(settings: Settings, model: EmbeddingModel, spec: TaskSpec) -> PromptPair:
    """The prompts that an index of this task uses."""
    query, document = prompt(model, spec, Role.QUERY), prompt(model, spec, Role.DOCUMENT)
    return (
        query if settings.query_prompt is None else settings.query_prompt,
        document if settings.document_prompt is None else settings.document_prompt,
    )


def without_repeats(systems: Iterable[System], pairs: Mapping[Symmetry, PromptPair]) -> tuple[System, ...]:
    """Without dense systems whose prompts are those of an earlier one, as with a model that has no prompts."""
    seen: set[tuple[PromptPair, bool]] = set()
    kept = []
    for system in systems:
        if system.method is Method.DENSE:
            key = (pairs[system.prompts], system.reranked)
            if key in seen:
                continue
            seen.add(key)
        kept.append(system)
    return tuple(kept)
