"""A fresh library for every test."""

from pathlib import Path

import pytest

from tests.ingest.library import Library


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path)
