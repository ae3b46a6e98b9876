"""Judgments for people who have none, made from the corpus itself and labelled as synthetic.

How a task makes them stands in its file, `rag/tasks/*.py`. They compare systems on a corpus; they are no
measure of how good a system is for people.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from rag.errors import DatasetError
from rag.tasks.corpus import Passage
from rag.evaluation.data.datasets import Dataset, Provenance, assemble
from rag.tasks import TaskSpec

MAX_QUESTIONS = 400
"""More are sampled, always the same ones."""
SEED = 13


def synthetic(passages: Sequence[Passage], spec: TaskSpec, name: str = "", limit: int = MAX_QUESTIONS) -> Dataset:
    """Make judgments from a corpus itself.

    Args:
        passages: All chunks of the task's index.
        spec: Decides how questions are made.
        name: Name of the dataset.
        limit: Most questions.

    Raises:
        DatasetError: The corpus has nothing that questions can be made from; what it would need.
    """
    judgments = spec.judge(passages)
    if not judgments.rows:
        raise DatasetError(
            f"No questions can be made from the {len(passages)} chunks of task {spec.name!r}: {spec.needs} "
            "Add such documents, or bring judgments of your own."
        )
    keys = sorted(judgments.questions)
    random.Random(SEED).shuffle(keys)  # noqa: S311 - a sample, not a secret
    sample = set(keys[:limit])
    questions = {key: text for key, text in judgments.questions.items() if key in sample}
    rows = {pair: grade for pair, grade in judgments.rows.items() if pair[0] in sample}
    note = f"Synthetic judgments: {judgments.how} They compare systems; they do not say how good one is for people."
    provenance = Provenance(split="synthetic", origin="synthetic", notes=(note,))
    return assemble(name or f"{spec.name} index", judgments.records, questions, rows, provenance)
