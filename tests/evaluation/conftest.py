"""Fixtures of the evaluation tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.evaluation.data.datasets import Dataset
from rag.settings import Settings
from tests.evaluation.build import settings_in, topics
from tests.fakes import FakeEmbedder


@pytest.fixture
def dataset() -> Dataset:
    return topics()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path / "data")


@pytest.fixture
def embedder() -> FakeEmbedder:
    return FakeEmbedder(dimension=256)
