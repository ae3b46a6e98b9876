"""What is to be measured, and what that costs."""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
import weakref
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from pages.parts.shared import show_error
from rag import RagError
from rag.render import printable, duration, number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rag.evaluation.data.datasets import Dataset
    from rag.evaluation.service import Evaluations

SYNTHETIC, FEEDBACK, FILE = "synthetic", "feedback", "file"
_NAME = re.compile(r"[^\w.-]+")


class Upload:
    """An uploaded file in a folder of its own, which goes as soon as nobody holds the upload."""

    def __init__(self, name: str, content: bytes) -> None:
        folder = tempfile.mkdtemp(prefix="rag-upload-")
        self._gone = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self.digest = hashlib.sha256(content).hexdigest()
        self.path = Path(folder) / (_NAME.sub("-", printable(name)).lstrip(".-")[-60:] or "data")
        self.path.write_bytes(content)


@dataclass(frozen=True)
class Choice:
    """What is to be measured.

    Attributes:
        task: Says how documents are cut and searched.
        judgments: `synthetic`, `feedback` or `file`, about the task's library; empty for an uploaded dataset.
        upload: The dataset, or the file of judgments.
        state: Changes when the library or its thumbs do.
    """

    task: str
    judgments: str = SYNTHETIC
    upload: Upload | None = None
    state: tuple[int, ...] = ()

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for choices of the same data."""
        return self.task, self.judgments, self.upload.digest if self.upload else "", self.state


def read(evaluations: Evaluations, choice: Choice) -> Dataset:
    """The chosen data; messages name an uploaded file without its folder.

    Raises:
        RagError: They are malformed or too few.
    """
    if choice.upload is None:
        return evaluations.from_index(choice.task, choice.judgments)
    path = choice.upload.path
    try:
        if choice.judgments:
            return evaluations.from_index(choice.task, str(path))
        return evaluations.from_path(path)
    except RagError as exc:
        raise RagError(str(exc).replace(f"{path.parent}/", "")) from exc


@dataclass(frozen=True)
class Preview:
    """What a run would be: its data, and the texts that have no vectors yet."""

    documents: int
    questions: int
    notes: tuple[str, ...]
    texts: int
    seconds: float


@st.cache_data(ttl=60, max_entries=32, show_spinner=False)
def preview(_evaluations: Evaluations, _choice: Choice, key: object, systems: tuple[str, ...]) -> Preview:
    """Read the data and ask what a run would have to embed."""
    del key
    data = read(_evaluations, _choice)
    cost = _evaluations.cost(data, _choice.task, systems)
    return Preview(len(data.documents), len(data.questions), data.notes, cost.texts, cost.seconds)


@contextmanager
def told() -> Iterator[list[bool]]:
    """Show an expected error; the list is empty afterwards unless all went well."""
    well: list[bool] = []
    try:
        yield well
        well.append(True)
    except RagError as exc:
        show_error(str(exc))


def described(found: Preview) -> str:
    """The data and the cost in a sentence each."""
    data = f"{number(found.questions, 'question')} about {number(found.documents, 'document')}. "
    if not found.texts:
        return data + "All vectors are there: a run takes seconds."
    return (
        data
        + f"{number(found.texts, 'text')} without vectors yet, those of the other prompt modes included: about "
        + f"{duration(max(1.0, found.seconds))} to embed."
    )
