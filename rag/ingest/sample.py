"""The sample library: files of this project, named by each task, so that every task has something to answer."""

from __future__ import annotations

from pathlib import Path

from rag.errors import NotFoundError
from rag.ingest.items import IngestItem
from rag.tasks import TASKS, TaskSpec

ROOT = Path(__file__).resolve().parents[2]
"""Root of a checkout; an installed package without the folders has no sample."""


def sample_items(root: Path = ROOT) -> dict[str, list[IngestItem]]:
    """Return the files of the sample library by task, each named by its path in the project.

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
