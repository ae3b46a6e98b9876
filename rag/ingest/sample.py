"""The sample library: the papers of an invented maker of greenhouse controllers, something for every task."""

from __future__ import annotations

from pathlib import Path

from rag.errors import NotFoundError
from rag.ingest.items import IngestItem
from rag.tasks import TASKS, TaskSpec

LIBRARY = Path(__file__).resolve().parents[2] / "examples" / "library"
"""Folder of the sample library in a checkout; an installed package without it has no sample."""


def sample_items(root: Path = LIBRARY) -> dict[str, list[IngestItem]]:
    """Return the files of the sample library by task, each named by its path in the folder.

    Raises:
        NotFoundError: The files are not beside the package.
    """
    return {task.name: _items(root, task) for task in TASKS.values() if task.sample}


def _items(root: Path, task: TaskSpec) -> list[IngestItem]:
    paths = sorted({path for pattern in task.sample for path in root.glob(pattern) if path.is_file()})
    if not paths:
        raise NotFoundError(
            f"The sample library is not there: task {task.name!r} expects {', '.join(task.sample)} in {root.name}."
        )
    return [IngestItem(path, path.relative_to(root).as_posix()) for path in paths]
