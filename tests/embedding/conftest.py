"""The bundled model is unpacked once for all tests of this folder."""

from pathlib import Path

import pytest

from rag.embedding import open_bundled, open_embedder
from rag.models import MINILM
from rag.settings import Settings
from rag.types import Embedder


@pytest.fixture(scope="session")
def bundled_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose model cache is filled on first use."""
    return tmp_path_factory.mktemp("bundled")


@pytest.fixture(scope="session")
def float32(bundled_data: Path) -> Embedder:
    return open_embedder(Settings(data_dir=bundled_data, precision="float32"))


@pytest.fixture(scope="session")
def bfloat16(bundled_data: Path) -> Embedder:
    import openvino

    if "BF16" not in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        pytest.skip("this CPU has no bfloat16")
    return open_embedder(Settings(data_dir=bundled_data, precision="bfloat16"))


@pytest.fixture(scope="session")
def shipped(bundled_data: Path) -> Embedder:
    return open_embedder(Settings(data_dir=bundled_data))


@pytest.fixture(scope="session")
def minilm(bundled_data: Path) -> Embedder:
    return open_bundled(MINILM, Settings(data_dir=bundled_data))
