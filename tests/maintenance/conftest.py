"""Small libraries: one that restarts as often as a test opens it, and one with something of everything."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from rag.index.engines.server import ServerEngine
from rag.maintenance.sparse import copy_sparse
from rag.retrieval.request import Request
from rag.services import Rag
from rag.settings import Settings, load_settings
from rag.types import Filter, IndexEngine, Mode, Payload, Strategy
from tests.fakes import FakeEmbedder
from tests.fakes_index import FakeEngine
from tests.memory_qdrant import memory_client

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
    return [(hit.id, hit.payload.chunk.text) for hit in rag.search(Request(question, task=task)).hits]


DIMENSION = 384
QUESTIONS = ("apples and pears", "number 3", "the word of the second file")

Opener = Callable[..., Rag]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where the system has one, because every write waits for the disk."""
    memory = Path("/dev/shm")
    if not memory.is_dir():
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as name:
        yield Path(name)


@pytest.fixture
def open_rag(folder: Path) -> Iterator[Opener]:
    """Opens the library in a folder below the test's; all are closed at the end."""
    opened = []

    def call(name: str = "data", engine: IndexEngine | None = None, **options: object) -> Rag:
        settings = load_settings(data_dir=folder / name, **options)
        opened.append(Rag(settings, embedder=FakeEmbedder(DIMENSION), engine=engine))
        return opened[-1]

    yield call
    for rag in opened:
        rag.close()


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a library with files, an update, a deletion, a failure, a conversation and a backup of it."""
    folder = tmp_path_factory.mktemp("filled")
    rag = Rag(Settings(data_dir=folder / "data", _env_file=None), embedder=FakeEmbedder(DIMENSION))
    fill(rag)
    rag.backups.make(folder / "backup.zip")
    rag.close()
    return folder


@pytest.fixture
def rag(filled: Path, folder: Path, open_rag: Opener) -> Rag:
    """A copy of that library."""
    for path in (filled / "data").rglob("*"):
        if path.is_file():
            copy_sparse(path, folder / "data" / path.relative_to(filled / "data"))
    return open_rag()


@pytest.fixture
def backup(filled: Path, folder: Path) -> Path:
    """A copy of a backup of it."""
    return Path(shutil.copy(filled / "backup.zip", folder / "backup.zip"))


def fill(rag: Rag) -> None:
    """Put something of everything in."""
    texts = [(f"{i}.md", f"# Title {i}\n\nThe word of file number {i} is apples, {i} of them.") for i in range(6)]
    rag.ingest_uploads([(name, text.encode()) for name, text in texts], "qa")
    rag.ingest_uploads([("1.md", b"# Second\n\nThe word of the second file is pears now.")], "qa")
    rag.ingest_uploads([("empty.md", b" ")], "qa")
    rag.ingest_uploads([("a.md", b"# Similar\n\nA whole document about apples and pears.")], "similar")
    rag.delete(["5.md"], "qa")
    conversation = rag.new_conversation()
    for question in QUESTIONS[:2]:
        list(rag.ask(Request(question, conversation=conversation)))


def contents(rag: Rag) -> dict[str, object]:
    """All that people see of a library, with ids, vectors and scores."""
    conversations = rag.conversations()
    return {
        "documents": rag.documents(),
        "files": rag.files(),
        "failures": rag.failures(),
        "conversations": conversations,
        "turns": [rag.turns(record.id) for record in conversations],
        "points": points(rag),
        "hits": [
            [(hit.id, hit.score, hit.payload) for hit in rag.search(Request(question, task, mode, strategy)).hits]
            for question in QUESTIONS
            for task in ("qa", "similar")
            for mode in Mode
            for strategy in (Strategy.DENSE, Strategy.BM25, Strategy.HYBRID)
        ],
        "answers": [[str(event) for event in rag.ask(question)][1:-1] for question in QUESTIONS],
    }


def points(rag: Rag, task: str = "qa") -> dict[str, tuple[Payload, dict[Mode, bytes]]]:
    """Visible points: passage and vectors, bit by bit, by id."""
    parts = rag._parts
    index = parts.indexes.open(task)
    where = Filter("default", parts.workspace.hidden_versions(task))
    return {
        point.id: (point.payload, {mode: np.asarray(v, np.float32).tobytes() for mode, v in point.vectors.items()})
        for batch in index.scroll(where, with_vectors=True)
        for point in batch
    }


@pytest.fixture(params=["fake", "memory"])
def outer_engine(request: pytest.FixtureRequest) -> Callable[[], IndexEngine]:
    """Makes engines whose collections are no files."""
    if request.param == "fake":
        return FakeEngine
    return lambda: ServerEngine("http://memory", client=memory_client())
