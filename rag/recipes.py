"""The recipe in force of each task: spec, tuned profile, model and prompts, resolved once into one frozen value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from rag.chunking import chunking_id
from rag.embedding.langchain import TaskEmbeddings
from rag.loaders.cleaning import CLEANING
from rag.models import EmbeddingModel, prompt
from rag.settings import Settings
from rag.tasks import TASKS, get_task
from rag.tasks.profiles import Profile, apply_profile, load_profile, profile_path
from rag.tasks.spec import PromptMode, TaskSpec
from rag.types import Embedder, Mode, Recipe, Role


@dataclass(frozen=True, slots=True)
class RecipeInForce:
    """All that determines a task's vectors and its ranking. Ingest, retrieval, reindex and evaluation receive it.

    Attributes:
        task: The task, its profile applied.
        model: The embedding model.
        query_prompt: Exact string before every question in the task-aware mode; may be empty.
        document_prompt: Exact string before every document in the task-aware mode; may be empty.
        profile: The tuned profile that is applied, or None.
    """

    task: TaskSpec
    model: EmbeddingModel
    query_prompt: str
    document_prompt: str
    profile: Profile | None = None

    def embeddings(self, embedder: Embedder, mode: Mode = Mode.TASK_AWARE) -> TaskEmbeddings:
        """Return LangChain `Embeddings` that put the prompts of a mode before texts."""
        if mode is Mode.NAIVE:
            return TaskEmbeddings(embedder)
        return TaskEmbeddings(embedder, self.query_prompt, self.document_prompt)

    def identity(self, embedder: Embedder) -> Recipe:
        """Return the recipe as an index remembers it.

        Args:
            embedder: Its precision and dimension are part of the identity.
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
        )


def resolve(settings: Settings, task: TaskSpec, profile: Profile | None = None) -> RecipeInForce:
    """Resolve a task into its recipe.

    Args:
        settings: Name the model; RAG_QUERY_PROMPT and RAG_DOCUMENT_PROMPT replace its own prompts.
        task: As shipped, or a variation of it.
        profile: Choices made by measurement, put in the place of the shipped ones.

    Raises:
        UnknownNameError: The model's family is unknown.
        SettingsError: The settings do not describe the model.
    """
    spec = task if profile is None else apply_profile(task, profile)
    model = settings.embedding_model
    query, document = prompt(model, spec, Role.QUERY), prompt(model, spec, Role.DOCUMENT)
    return RecipeInForce(
        task=spec,
        model=model,
        query_prompt=query if settings.query_prompt is None else settings.query_prompt,
        document_prompt=document if settings.document_prompt is None else settings.document_prompt,
        profile=profile,
    )


def with_prompts(settings: Settings, task: TaskSpec, mode: PromptMode) -> RecipeInForce:
    """Resolve a task with another prompt mode than its own.

    The two symmetric modes put the model's query prompt, or its document prompt, on both sides, whatever its family.
    """
    plain = resolve(settings, replace(task, prompts=PromptMode.QUERY_PASSAGE, bare=False))
    query, document = {
        PromptMode.NONE: ("", ""),
        PromptMode.QUERY_PASSAGE: (plain.query_prompt, plain.document_prompt),
        PromptMode.QUERY_QUERY: (plain.query_prompt, plain.query_prompt),
        PromptMode.PASSAGE_PASSAGE: (plain.document_prompt, plain.document_prompt),
    }[mode]
    variation = replace(task, prompts=mode, bare=mode is PromptMode.NONE)
    return replace(plain, task=variation, query_prompt=query, document_prompt=document)


@dataclass(frozen=True, slots=True)
class _Resolved:
    """A recipe with the state of the profile that it was resolved from."""

    path: Path
    stamp: int
    recipe: RecipeInForce


def _modified(path: Path) -> int:
    """Time of the last change in nanoseconds; -1 without a file."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return -1


class Recipes:
    """The recipe in force of every task. Safe to call from many threads.

    A recipe is resolved when it is first asked for, and again when its profile was written or removed, by this process
    or another one; otherwise no file is read.

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
        if resolved is None or resolved.stamp != _modified(resolved.path):
            folder = self._settings.data_dir
            path = profile_path(folder, task)
            # The stamp is taken first: a profile written while it is read is read again at the next question.
            stamp = _modified(path)
            recipe = resolve(self._settings, get_task(task), load_profile(folder, task))
            resolved = self._resolved[task] = _Resolved(path, stamp, recipe)
        return resolved.recipe

    def all(self) -> dict[str, RecipeInForce]:
        """Return the recipe of every task, by name."""
        return {task: self.of(task) for task in TASKS}
