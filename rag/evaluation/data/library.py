"""Judged data about the documents that a task's own index holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rag.catalog.feedback import Feedback
from rag.errors import DatasetError
from rag.evaluation.data.datasets import Dataset
from rag.evaluation.data.judgments import from_feedback, from_file
from rag.evaluation.data.passages import read_passages
from rag.evaluation.data.sample import from_sample
from rag.evaluation.data.synthetic import synthetic
from rag.tasks import TaskSpec
from rag.types import Filter, VectorIndex

SAMPLE, SYNTHETIC, FEEDBACK = "sample", "synthetic", "feedback"


def index_dataset(
    index: VectorIndex, visible: Filter, task: TaskSpec, judgments: str = SYNTHETIC, thumbs: Sequence[Feedback] = ()
) -> Dataset:
    """Make a dataset out of a task's own index.

    Args:
        index: The task's index.
        visible: The points that the workspace may see.
        task: The task.
        judgments: `sample`, `synthetic`, `feedback`, or the path of a file of questions, documents and grades.
        thumbs: For `feedback`.

    Raises:
        DatasetError: The index has nothing to ask about, or the judgments do not fit it; what would be needed.
    """
    passages = read_passages(index, visible)
    if not passages:
        raise DatasetError(f"The index of task {task.name!r} is empty. Ingest documents first: `python -m rag ingest`.")
    if judgments == SAMPLE:
        return from_sample(passages, task.name)
    if judgments == SYNTHETIC:
        return synthetic(passages, task)
    if judgments == FEEDBACK:
        return from_feedback(thumbs, passages, task.name)
    return from_file(Path(judgments), passages, task.name)
