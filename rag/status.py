"""What is in force, and what does not work: the status page without a user interface."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from rag.catalog import VersionState
from rag.errors import RagError, RecipeMismatchError, VectorIndexError
from rag.index import engine_in_force
from rag.ingest.index_records import missing_index
from rag.parts import Parts
from rag.tasks import TASKS
from rag.types import VectorIndex

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Status:
    """What is in force.

    Attributes:
        second_model: The model that is mixed in, or empty.
        prompts: (task, prompt before a query, prompt before a document).
        signals: (task, what its ranking is mixed of, in words).
        counts: (files, documents, chunks) by task.
        problems: What does not work and what to do, for people.
        tuned: (task, its tuned profile in words) of tasks that have one.
        calibrated: (task, the shares that its index calibrated, in words) of tasks that have some in force.
    """

    model: str
    precision: str
    dimension: int
    max_tokens: int
    prompts: tuple[tuple[str, str, str], ...]
    engine: str
    database: str
    answerer: str
    workspace: str
    data_dir: Path
    counts: Mapping[str, tuple[int, int, int]]
    problems: tuple[str, ...]
    tuned: tuple[tuple[str, str], ...] = ()
    second_model: str = ""
    signals: tuple[tuple[str, str], ...] = ()
    calibrated: tuple[tuple[str, str], ...] = ()


def current_status(parts: Parts) -> Status:
    """What is in force, and what does not work."""
    settings, problems = parts.settings, list[str]()
    if shortage := settings.reserve.shortage():
        problems.append(shortage)
    model, recipes = settings.embedding_model, parts.recipes.all()
    embedder = _or_problem(lambda: parts.embedder, problems)
    answerer = _or_problem(lambda: parts.answerer, problems)
    counts = _or_problem(lambda: {task: parts.workspace.counts(task) for task in TASKS}, problems) or {}
    collections = _or_problem(lambda: parts.engine.collections(), problems) if counts else None
    built = {name.rpartition("-")[0] for name in collections or ()}
    for task, (files, _, _) in counts.items():
        if (files or task in built) and embedder is not None:
            _or_problem(partial(_check_index, parts, task), problems)
    return Status(
        model=model.id,
        precision=embedder.precision if embedder else "",
        dimension=embedder.dimension if embedder else model.dimension,
        max_tokens=embedder.max_tokens if embedder else model.max_tokens,
        prompts=tuple((name, recipe.query_prompt, recipe.document_prompt) for name, recipe in recipes.items()),
        engine=engine_in_force(settings).describe(settings),
        database="by RAG_DATABASE_URL" if settings.database_url.get_secret_value() else "SQLite in the data folder",
        answerer=answerer.name if answerer else "",
        workspace=settings.workspace,
        data_dir=settings.data_dir,
        counts=counts,
        problems=tuple(dict.fromkeys(problems)),
        second_model=settings.second_embedding_model.id if settings.second_embedding_model else "",
        signals=tuple((name, recipe.describe()) for name, recipe in recipes.items()),
        calibrated=tuple((name, each.calibration.describe()) for name, each in recipes.items() if each.calibration),
        tuned=tuple((name, recipe.profile.describe()) for name, recipe in recipes.items() if recipe.profile),
    )


def _check_index(parts: Parts, task: str) -> None:
    """Open the task's index, which says what is wrong with it.

    Raises:
        RagError: It is not as the settings want it; the message has the remedy.
    """
    index = parts.indexes.open(task)
    if not parts.indexes.has_all_modes(index, task):
        raise RecipeMismatchError(
            f"Comparison is on, but the index of task {task!r} was built without it, so that the naive mode finds "
            f"nothing there. Run `python -m rag reindex --task {task}`, or set RAG_COMPARISON=false."
        )

    _check_versions(parts, index, task)


def _check_versions(parts: Parts, index: VectorIndex, task: str) -> None:
    """Compare what the catalog lists with what the index holds, as far as counting shows it.

    Raises:
        VectorIndexError: They differ; the message has the remedy.
    """
    catalog = parts.catalog
    versions, count = index.versions(), index.count()
    unknown = len(versions - catalog.version_ids())
    lost = len(catalog.version_ids(task, VersionState.CURRENT) - versions)
    expected = sum(catalog.workspace(name).counts(task)[2] for name in catalog.workspaces())
    if unknown:
        raise VectorIndexError(
            f"The index of task {task!r} holds chunks that the catalog does not list, of {unknown:,} versions; no "
            "search returns them. Most likely an older copy of the catalog was put back. `python -m rag check` says "
            "which they are, and `python -m rag check --repair` takes them over."
        )
    if lost or count < expected:
        raise VectorIndexError(
            f"The index of task {task!r} lost chunks: found {count:,}, expected {expected:,}. Files that nothing is "
            f"found of: {lost:,}. `python -m rag check` says which they are, and `python -m rag check --repair` builds "
            "them again from their originals."
        )


def missing_indexes(parts: Parts) -> tuple[str, ...]:
    """What is wrong with indexes that are gone or cannot be reached while the catalog lists files in them."""
    problems: list[str] = []
    for task in TASKS:
        record = parts.catalog.active_index(task)
        if record is not None:
            problem = _or_problem(partial(missing_index, parts.catalog, parts.engine, record), problems)
            problems += [problem] if problem else []
    return tuple(dict.fromkeys(problems))


def _or_problem(make: Callable[[], T], problems: list[str]) -> T | None:
    try:
        return make()
    except RagError as exc:
        problems.append(str(exc))
        return None
