from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.index.engines.embedded import EmbeddedEngine
from rag.index.engines.server import ServerEngine
from rag.types import IndexEngine, VectorIndex
from tests.build import RECIPE
from tests.fakes_index import FakeEngine
from tests.memory_qdrant import memory_client


def _engine(kind: str, folder: Path) -> IndexEngine:
    if kind == "fake":
        return FakeEngine()
    if kind == "embedded":
        return EmbeddedEngine(folder)
    if kind == "memory":
        return ServerEngine("http://memory", client=memory_client())
    url = os.environ.get("RAG_TEST_QDRANT_URL")
    if not url:
        pytest.skip("set RAG_TEST_QDRANT_URL to run the contract on a real server")
    return ServerEngine(url, os.environ.get("RAG_TEST_QDRANT_API_KEY", ""))


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where the system has one, because every write waits for the disk."""
    memory = Path("/dev/shm")
    if not memory.is_dir():
        yield tmp_path / "index"
        return
    with tempfile.TemporaryDirectory(dir=memory) as name:
        yield Path(name) / "index"


@pytest.fixture(params=["embedded", "memory", "server", "fake"])
def engine(request: pytest.FixtureRequest, folder: Path) -> Iterator[IndexEngine]:
    """Every engine in turn, the tests' own one too; empty before and after."""
    opened = _engine(request.param, folder)
    yield opened
    for name in opened.collections():
        opened.drop(name)
    opened.close()


@pytest.fixture
def index(engine: IndexEngine) -> VectorIndex:
    """An empty open collection."""
    return engine.open(RECIPE)
