"""A data folder with a small library in two tasks, on the embedded engine; opening it again is a restart."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rag.services import Rag
from rag.settings import load_settings
from tests.fakes import FakeEmbedder

GUIDE = b"# Lamp\n\nThe lamp is charged in three hours.\n\n# Warranty\n\nThe warranty lasts two years."
FAQ = b"question,answer\nHow long is the warranty?,Two years.\nIs tea served?,At eighty degrees.\n"
TEA = b"# Tea\n\nTea is brewed at eighty degrees."

Opened = Callable[..., Rag]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    """Open the library, as another process would: what was open is closed first."""
    library: list[Rag] = []

    def open_library(**options: object) -> Rag:
        while library:
            library.pop().close()
        rag = Rag(load_settings(**{"data_dir": tmp_path / "data", **options}), embedder=FakeEmbedder())
        library.append(rag)
        return rag

    yield open_library
    while library:
        library.pop().close()


@pytest.fixture
def data(tmp_path: Path, opened: Opened) -> Path:
    """The data folder, closed."""
    rag = opened()
    rag.ingest_uploads([("guide.md", GUIDE), ("notes/tea.md", TEA)], "qa")
    rag.ingest_uploads([("faq.csv", FAQ)], "faq")
    opened(workspace="other").ingest_uploads([("guide.md", GUIDE)], "qa")
    opened().close()
    return tmp_path / "data"


def remove_catalog(data: Path) -> None:
    for path in data.glob("catalog.db*"):
        path.unlink()


def put_back(data: Path, copy: Path) -> None:
    remove_catalog(data)
    shutil.copy(copy, data / "catalog.db")


def passages(rag: Rag, question: str, task: str = "qa") -> list[tuple[str, str]]:
    """Ids and texts of the hits of a question: what must be the same after a repair."""
    from rag import Request

    return [(hit.id, hit.payload.chunk.text) for hit in rag.search(Request(question, task=task)).hits]
