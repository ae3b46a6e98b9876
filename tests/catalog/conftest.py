"""A catalog on SQLite, and on Postgres when RAG_TEST_POSTGRES_URL names an empty database; its tables are dropped."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import MetaData, create_engine

from rag.catalog import Catalog, IndexRecord, WorkspaceCatalog

POSTGRES = os.environ.get("RAG_TEST_POSTGRES_URL", "")


@pytest.fixture(
    params=["sqlite", pytest.param("postgres", marks=pytest.mark.skipif(not POSTGRES, reason="RAG_TEST_POSTGRES_URL"))]
)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/catalog.db"
        return
    _empty()
    yield POSTGRES
    _empty()


def _empty() -> None:
    engine = create_engine(POSTGRES)
    tables = MetaData()
    tables.reflect(engine)
    tables.drop_all(engine)
    engine.dispose()


@pytest.fixture
def catalog(tmp_path: Path, url: str) -> Iterator[Catalog]:
    catalog = Catalog(tmp_path, url)
    catalog.switch(IndexRecord("qa", "qa-one", "{}", "one"))
    yield catalog
    catalog.close()


@pytest.fixture
def workspace(catalog: Catalog) -> WorkspaceCatalog:
    return catalog.workspace("default")
