"""The recipe in force of each task: spec, tuned profile, model and prompts, resolved once into one frozen value."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from rag.chunking import chunking_id
from rag.embedding.langchain import TaskEmbeddings
from rag.loaders.cleaning import CLEANING
from rag.models import EmbeddingModel, prompt
from rag.settings import Settings
from rag.tasks import TASKS, get_task
from rag.tasks.calibrated import Calibration, calibration_path, load_calibration
from rag.tasks.profiles import Profile, apply_profile, load_profile, profile_path
from rag.tasks.spec import PromptMode, Signal, TaskSpec
from rag.types import Embedder, FurtherVector, Mode, Recipe, Role

DENSE, UNPROMPTED, SECOND = "dense", "dense, no prompts", "dense, second model"
"""Labels of signals: the model in force with the task's prompts, the same without prompts, the second model."""
_NO_OTHERS: Mapping[str, Embedder] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class DenseSignal:
    """One way of comparing by meaning: a model with its pair of prompts, and its own named vector.

    Attributes:
        name: Name of the vector; equal names mean interchangeable vectors of one library.
        model: The embedding model.
        query_prompt: Exact string before every question; may be empty.
        document_prompt: Exact string before every document; may be empty.
        share: Share of the dense score, in [0, 1]; the shares of a recipe add up to one.
        label: Name of its score on a hit.
    """

    name: str
    model: EmbeddingModel
    query_prompt: str
    document_prompt: str
    share: float = 1.0
    label: str = DENSE


@dataclass(frozen=True, slots=True)
class RecipeInForce:
    """All that determines a task's vectors and its ranking. Ingest, retrieval, reindex and evaluation receive it.

    Attributes:
        task: The task, its profile applied.
        signals: The dense signals of the task-aware mode. The first one is that of the model in force with the task's
            own prompts.
        profile: The tuned profile that is applied, or None.
        calibration: The shares that its index calibrated, or None.
    """

    task: TaskSpec
    signals: tuple[DenseSignal, ...]
    profile: Profile | None = None
    calibration: Calibration | None = None

    @property
    def model(self) -> EmbeddingModel:
        """The model in force."""
        return self.signals[0].model

    @property
    def models(self) -> tuple[str, ...]:
        """Ids of the models of its signals, each once."""
        return tuple(dict.fromkeys(signal.model.id for signal in self.signals))

    @property
    def query_prompt(self) -> str:
        """Exact string before every question for the model in force; may be empty."""
        return self.signals[0].query_prompt

    @property
    def document_prompt(self) -> str:
        """Exact string before every document for the model in force; may be empty."""
        return self.signals[0].document_prompt

    def signals_of(self, mode: Mode) -> tuple[DenseSignal, ...]:
        """Return the dense signals of a mode: the naive one has the model in force without prompts, and no other."""
        return self.signals if mode is Mode.TASK_AWARE else (DenseSignal(Mode.NAIVE.value, self.model, "", ""),)

    def describe(self) -> str:
        """Say in words what a ranking is mixed of."""
        weight = self.task.mix.dense_weight
        parts = {"BM25 (words)": 1.0 - weight} if weight < 1 else {}
        for signal in self.signals:
            prompts = ", no prompts" if signal.label == UNPROMPTED else ""
            parts[f"{signal.model.id.rsplit('/', 1)[-1]}{prompts}"] = weight * signal.share
        return " + ".join(f"{100 * part:.3g}% {name}" for name, part in parts.items() if part)

    def embeddings(self, embedder: Embedder, mode: Mode = Mode.TASK_AWARE) -> TaskEmbeddings:
        """Return LangChain `Embeddings` that put the prompts of a mode before texts."""
        if mode is Mode.NAIVE:
            return TaskEmbeddings(embedder)
        return TaskEmbeddings(embedder, self.query_prompt, self.document_prompt)

    def identity(self, embedder: Embedder, others: Mapping[str, Embedder] = _NO_OTHERS) -> Recipe:
        """Return the recipe as an index remembers it.

        Args:
            embedder: The model in force; its precision and dimension are part of the identity.
            others: The other models of the signals, by id.
        """
        return Recipe(
            task=self.task.name,
            model=self.model.id,
            revision=self.model.revision,
            precision=embedder.precision,
            pooling=self.model.pooling,
            normalised=True,
            dimension=embedder.dimension,
            document_prompt=self.document_prompt,
            query_prompt=self.query_prompt,
            chunking=chunking_id(self.task.chunking),
            cleaning=CLEANING,
            further=tuple(
                _further_vector(signal, embedder if signal.model.id == self.model.id else others[signal.model.id])
                for signal in self.signals[1:]
            ),
        )


def _further_vector(signal: DenseSignal, embedder: Embedder) -> FurtherVector:
    return FurtherVector(
        name=signal.name,
        model=signal.model.id,
        revision=signal.model.revision,
        precision=embedder.precision,
        pooling=signal.model.pooling,
        dimension=embedder.dimension,
        document_prompt=signal.document_prompt,
        query_prompt=signal.query_prompt,
    )


def resolve(settings: Settings, task: TaskSpec, profile: Profile | None = None) -> RecipeInForce:
    """Resolve a task into its recipe.

    Args:
        settings: Name the models; RAG_QUERY_PROMPT and RAG_DOCUMENT_PROMPT replace the first one's own prompts.
        task: As shipped, or a variation of it.
        profile: Choices made by measurement, put in the place of the shipped ones.

    Raises:
        UnknownNameError: The model's family is unknown.
        SettingsError: The settings do not describe a model.
    """
    spec = task if profile is None else apply_profile(task, profile)
    model, second = settings.embedding_model, settings.second_embedding_model
    query, document = _prompts(settings, spec)
    further = [_further(settings, spec, signal) for signal in spec.signals if second is not None or not signal.second]
    further = [signal for signal in further if signal.share > 0]
    rest = 1.0 - sum(signal.share for signal in further)
    return RecipeInForce(
        task=spec,
        signals=(DenseSignal(Mode.TASK_AWARE.value, model, query, document, rest), *further),
        profile=profile,
    )


def calibrated(recipe: RecipeInForce, calibration: Calibration) -> RecipeInForce:
    """Return a recipe with the shares that its index calibrated; vectors and identity stay what they are."""
    task = replace(recipe.task, mix=replace(recipe.task.mix, dense_weight=calibration.dense_weight))
    signals, second = recipe.signals, calibration.second_share
    own = sum(signal.share for signal in signals if signal.label == SECOND)
    if second is not None and 0.0 < own < 1.0:
        factors = {True: second / own, False: (1.0 - second) / (1.0 - own)}
        signals = tuple(replace(each, share=each.share * factors[each.label == SECOND]) for each in signals)
        further = [replace(each, share=each.share * factors[each.second]) for each in task.signals]
        task = replace(task, signals=tuple(further))
    return replace(recipe, task=task, signals=signals, calibration=calibration)


def _prompts(settings: Settings, spec: TaskSpec) -> tuple[str, str]:
    """The exact prompts of the model in force."""
    query, document = (prompt(settings.embedding_model, spec, role) for role in (Role.QUERY, Role.DOCUMENT))
    return (
        query if settings.query_prompt is None else settings.query_prompt,
        document if settings.document_prompt is None else settings.document_prompt,
    )


def _further(settings: Settings, spec: TaskSpec, signal: Signal) -> DenseSignal:
    variation = replace(spec, prompts=signal.prompts, bare=signal.prompts is PromptMode.NONE)
    if signal.second and settings.second_embedding_model is not None:
        model = settings.second_embedding_model
        # A model with prompts of its own gets those of the task: its makers trained it with them.
        query, document = prompt(model, spec, Role.QUERY), prompt(model, spec, Role.DOCUMENT)
    else:
        model = settings.embedding_model
        query, document = _prompts(settings, variation)
        if not document:  # its vectors are those of the naive mode
            return DenseSignal(Mode.NAIVE.value, model, query, document, signal.share, UNPROMPTED)
    label = SECOND if signal.second else signal.prompts.value
    return DenseSignal(vector_name(model, document), model, query, document, signal.share, label)


def vector_name(model: EmbeddingModel, document_prompt: str) -> str:
    """Return the name of a further vector, which says what made it: equal names, interchangeable vectors."""
    made_by = json.dumps([model.id, model.revision, model.pooling, document_prompt])
    slug = re.sub(r"[^a-z0-9]+", "-", model.id.rsplit("/", 1)[-1].lower()).strip("-")
    return f"{slug}-{hashlib.sha256(made_by.encode()).hexdigest()[:8]}"


def with_prompts(settings: Settings, task: TaskSpec, mode: PromptMode) -> RecipeInForce:
    """Resolve a task with another prompt mode than its own, and without further signals.

    The two symmetric modes put the model's query prompt, or its document prompt, on both sides, whatever its family.
    """
    plain = resolve(settings, replace(task, prompts=PromptMode.QUERY_PASSAGE, bare=False, signals=()))
    query, document = {
        PromptMode.NONE: ("", ""),
        PromptMode.QUERY_PASSAGE: (plain.query_prompt, plain.document_prompt),
        PromptMode.QUERY_QUERY: (plain.query_prompt, plain.query_prompt),
        PromptMode.PASSAGE_PASSAGE: (plain.document_prompt, plain.document_prompt),
    }[mode]
    variation = replace(task, prompts=mode, bare=mode is PromptMode.NONE, signals=())
    signal = replace(plain.signals[0], query_prompt=query, document_prompt=document)
    return replace(plain, task=variation, signals=(signal,))


def with_second_model(settings: Settings, task: TaskSpec) -> RecipeInForce | None:
    """Resolve a task with the second model alone; None without one."""
    model = settings.second_embedding_model
    if model is None:
        return None
    query, document = prompt(model, task, Role.QUERY), prompt(model, task, Role.DOCUMENT)
    signal = DenseSignal(Mode.TASK_AWARE.value, model, query, document)
    return RecipeInForce(replace(task, signals=()), (signal,))


@dataclass(frozen=True, slots=True)
class _Resolved:
    """A recipe with the state of the files that it was resolved from."""

    paths: tuple[Path, ...]
    stamps: tuple[int, ...]
    recipe: RecipeInForce


def _modified(paths: tuple[Path, ...]) -> tuple[int, ...]:
    """Time of the last change of each in nanoseconds; -1 without a file."""
    return tuple(map(_modified_one, paths))


def _modified_one(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return -1


class Recipes:
    """The recipe in force of every task. Safe to call from many threads.

    A recipe is resolved when it is first asked for, and again when its profile or its calibration was written or
    removed, by this process or another one; otherwise no file is read.

    Args:
        settings: Model, prompts and the data folder, which holds the profiles.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._resolved: dict[str, _Resolved] = {}

    def of(self, task: str) -> RecipeInForce:
        """Return the recipe in force of a task.

        Raises:
            UnknownNameError: No such task.
            SettingsError: Its profile is damaged, or the settings do not describe the model.
        """
        resolved = self._resolved.get(task)
        if resolved is None or resolved.stamps != _modified(resolved.paths):
            folder = self._settings.data_dir
            paths = profile_path(folder, task), calibration_path(folder, task)
            # The stamps are taken first: a profile written while it is read is read again at the next question.
            stamps = _modified(paths)
            resolved = self._resolved[task] = _Resolved(paths, stamps, self._resolve(task))
        return resolved.recipe

    def shipped(self, task: str) -> RecipeInForce:
        """Return the recipe of a task without what its index calibrated, which a calibration starts from.

        Raises:
            UnknownNameError: No such task.
            SettingsError: Its profile is damaged, or the settings do not describe the model.
        """
        return resolve(self._settings, get_task(task), load_profile(self._settings.data_dir, task))

    def _resolve(self, task: str) -> RecipeInForce:
        recipe = self.shipped(task)
        calibration = None if recipe.profile is not None else load_calibration(self._settings.data_dir, task)
        if calibration is None or not (self._settings.calibrate or calibration.by_hand):
            return recipe
        applies = calibration.applies_to(recipe.models, recipe.task.mix.dense_weight)
        return calibrated(recipe, calibration) if applies else recipe

    def all(self) -> dict[str, RecipeInForce]:
        """Return the recipe of every task, by name."""
        return {task: self.of(task) for task in TASKS}
