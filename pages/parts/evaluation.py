"""The data that an evaluation is to run on, and what a run on them costs."""

from __future__ import annotations

import hashlib
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import streamlit as st

from rag import Dataset, Evaluations, RagError, Scratch
from rag.render import duration, number, printable

SAMPLE, SYNTHETIC, FEEDBACK, FILE = "sample", "synthetic", "feedback", "file"
_UNSAFE = re.compile(r"[^\w.-]+")
_NAME_CHARACTERS = 60


class Upload:
    """An uploaded file in a folder of its own, which is removed as soon as nobody holds the upload.

    Args:
        data_dir: The data folder.
        name: The file's name.
        content: Its bytes.

    Raises:
        RagError: It cannot be saved.
    """

    def __init__(self, data_dir: Path, name: str, content: BinaryIO) -> None:
        safe = _UNSAFE.sub("-", printable(name)).lstrip(".-")[-_NAME_CHARACTERS:]
        try:
            self._scratch = Scratch(data_dir)
            self.path = self._scratch.path / (safe or "data")
            with self.path.open("wb") as target:
                shutil.copyfileobj(content, target)
        except OSError as exc:
            raise RagError(f"The upload cannot be saved in {data_dir} ({exc.strerror}). Check RAG_DATA_DIR.") from exc
        with self.path.open("rb") as saved:
            self.digest = hashlib.file_digest(saved, "sha256").hexdigest()


@dataclass(frozen=True)
class DataChoice:
    """Judged data as they were chosen on the page.

    Attributes:
        task: Says how documents are cut and searched.
        judgments: `sample`, `synthetic`, `feedback` or `file`, about the task's library; empty for an uploaded dataset.
        upload: The dataset, or the file of judgments.
        chunks: Visible chunks of the library.
        thumbs: Thumbs on answers of the task.
    """

    task: str
    judgments: str = SYNTHETIC
    upload: Upload | None = None
    chunks: int = 0
    thumbs: int = 0

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for choices of the same data in the same state."""
        return self.task, self.judgments, self.upload.digest if self.upload else "", self.chunks, self.thumbs


def read_data(evaluations: Evaluations, choice: DataChoice) -> Dataset:
    """Return the chosen data; messages name an uploaded file without its folder.

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
    """Size of the data of a run, and number of texts without vectors."""

    documents: int
    questions: int
    notes: tuple[str, ...]
    texts: int
    seconds: float

    @property
    def sentences(self) -> str:
        """The data and the cost in a sentence each."""
        data = f"{number(self.questions, 'question')} about {number(self.documents, 'document')}. "
        if not self.texts:
            return data + "All vectors are there: a run takes seconds."
        return (
            data
            + f"{number(self.texts, 'text')} without vectors yet, those of the other prompt modes included: about "
            + f"{duration(max(1.0, self.seconds))} to embed."
        )


@st.cache_data(ttl=60, max_entries=32, show_spinner=False)
def preview(_evaluations: Evaluations, _choice: DataChoice, key: object, systems: tuple[str, ...]) -> Preview:
    """Read the data and count what a run would have to embed.

    Raises:
        RagError: The data are malformed or too few.
    """
    del key  # it tells the choices apart; the choice itself is not hashed
    data = read_data(_evaluations, _choice)
    cost = _evaluations.cost(data, _choice.task, systems)
    return Preview(len(data.documents), len(data.questions), data.notes, cost.texts, cost.seconds)
