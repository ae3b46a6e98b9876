"""Whether a backup may become the library in the data folder: its schema, its recipes, and what is there already."""

from __future__ import annotations

from pathlib import Path

from rag.catalog import VersionState, WriterLock
from rag.catalog.migrations import HEAD, REVISIONS
from rag.errors import BackupError, IndexLockedError, VectorIndexError
from rag.index import describe_difference
from rag.ingest.index_records import is_built_by, recipe_of
from rag.maintenance.copying import active_indexes
from rag.maintenance.manifest import Manifest
from rag.parts import Parts
from rag.types import Recipe

WORKPLACE = ".restore"
"""Folder in a data folder that is a mount point, in which the work is done; otherwise it is done beside."""
_SETTINGS = {
    "model": "RAG_MODEL",
    "query_prompt": "RAG_QUERY_PROMPT",
    "document_prompt": "RAG_DOCUMENT_PROMPT",
    "precision": "RAG_PRECISION",
}


def check_target(parts: Parts, *, force: bool) -> None:
    """Refuse a data folder that is in use, or not empty unless `force` is set.

    Raises:
        BackupError: What is there, and what to do.
    """
    folder = parts.settings.data_dir
    if folder.exists() and not folder.is_dir():
        raise BackupError(f"RAG_DATA_DIR names {folder}, which is a file; expected a folder. Name another one.")
    if not folder.is_dir() or not _contents(folder):
        return
    if not force:
        raise BackupError(
            f"The data folder {folder} is not empty. Set RAG_DATA_DIR to an empty folder, or add --force, which moves "
            "what is there aside."
        )
    if folder.is_mount():
        raise BackupError(
            f"{folder} is a mount point, so what is there cannot be moved aside. Empty it, or set RAG_DATA_DIR to a "
            "folder inside it."
        )
    _check_unused(parts)


def _contents(folder: Path) -> list[Path]:
    """What is in a data folder, but for what a killed restore left and what the file system has of its own."""
    return [path for path in folder.iterdir() if path.name not in (WORKPLACE, "lost+found")]


def _check_unused(parts: Parts) -> None:
    """Refuse to move a library away that a program has open."""
    folder = parts.settings.data_dir
    message = f"A program has the library in {folder} open. Stop it, then restore again."
    resident = parts.in_folder(folder)
    try:
        with WriterLock(folder / "writer.lock").attempt() as is_free:
            if not is_free:
                raise BackupError(message)
        for collection in resident.engine.collections():
            try:
                resident.engine.open_as_built(collection)
            except IndexLockedError as exc:
                raise BackupError(message) from exc
            except VectorIndexError:
                continue  # a damaged one is moved aside as it is
    finally:
        resident.close()


def check_schema(source: Path, manifest: Manifest) -> None:
    """Refuse a backup of tables that this program does not know; older ones are migrated.

    Raises:
        BackupError: What was found and what was expected.
    """
    if manifest.schema not in REVISIONS:
        raise BackupError(
            f"{source} has schema version {manifest.schema[:40]}, expected at most {HEAD}: version "
            f"{manifest.program[:40]} of this program wrote it. Nothing was changed. Install that version or a newer "
            "one, and restore again."
        )


def check_recipes(parts: Parts) -> None:
    """Refuse a library whose indexes the settings in force would not build.

    Args:
        parts: Those of the unpacked library: its profiles are part of its recipes.

    Raises:
        BackupError: What differs, and what to set.
    """
    catalog = parts.opened_catalog  # what it owns is not unpacked yet
    for task, record in active_indexes(catalog).items():
        if not catalog.version_ids(task, VersionState.CURRENT):
            continue
        identity = parts.recipes.of(task).identity(parts.embedder, parts.others)
        if not is_built_by(identity, record):
            difference = describe_difference(recipe_of(record), identity)
            raise BackupError(
                f"The backup's index of task {task!r} was built differently from what the settings now ask for "
                f"({difference or 'in another layout'}). Nothing was changed. {_remedy(recipe_of(record), identity)}"
            )


def _remedy(built: Recipe, current: Recipe) -> str:
    differing = {
        field: getattr(built, field) for field in _SETTINGS if getattr(built, field) != getattr(current, field)
    }
    if "model" in differing:  # the rest follows from it
        differing = {"model": differing["model"]}
    settings = " ".join(f"{_SETTINGS[field]}={value!r}" for field, value in differing.items())
    undo = f"Set {settings} and restore again" if settings else "Restore with the version that wrote it"
    return f"{undo}, or restore with --any-recipe and then run `python -m rag reindex`."
