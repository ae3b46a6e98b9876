"""While one writes, all others read on, and further writers wait their turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import update

from rag.catalog import Catalog, FailureRecord, IndexRecord, StoredTurn, VersionState, WorkspaceCatalog
from rag.catalog.tables import conversations
from tests.catalog.test_catalog import add

WRITERS = 20
"""More than the connections that SQLAlchemy keeps by default."""
READS: dict[str, Callable[[Catalog, WorkspaceCatalog, str], object]] = {
    "conversations": lambda _, workspace, talk: workspace.conversations.list(),
    "conversation": lambda _, workspace, talk: workspace.conversations.get(talk),
    "messages": lambda _, workspace, talk: workspace.messages.turns(talk),
    "failures": lambda _, workspace, talk: workspace.failures.list(),
    "feedback": lambda _, workspace, talk: workspace.feedback.list(),
    "files": lambda _, workspace, talk: workspace.files(),
    "file ids": lambda _, workspace, talk: workspace.file_ids("qa"),
    "documents": lambda _, workspace, talk: workspace.documents(),
    "document": lambda _, workspace, talk: workspace.document(workspace.documents()[0].id),
    "counts": lambda _, workspace, talk: workspace.counts(),
    "view": lambda _, workspace, talk: workspace.view("qa"),
    "hidden": lambda _, workspace, talk: workspace.hidden_versions("qa"),
    "current": lambda _, workspace, talk: workspace.current_among(["v1"]),
    "index": lambda catalog, _, talk: catalog.active_index("qa"),
    "workspaces": lambda catalog, _, talk: catalog.workspaces(),
    "versions": lambda catalog, _, talk: catalog.versions(*VersionState),
    "version ids": lambda catalog, _, talk: catalog.version_ids("qa", *VersionState),
    "originals": lambda catalog, _, talk: catalog.wanted_originals(),
    "a second program": lambda _, workspace, talk: Catalog(Path(str(workspace._db._url.database)).parent).workspaces(),
}


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    catalog = Catalog(tmp_path)
    catalog.switch(IndexRecord("qa", "qa-one", "{}", "one"))
    yield catalog
    catalog.close()


@pytest.fixture
def talk(catalog: Catalog) -> str:
    """A conversation in a workspace that has one of everything."""
    workspace = catalog.workspace("default")
    add(workspace, "v1")
    workspace.failures.add(FailureRecord("qa", "b.pdf", "s", "EmptyFileError", "empty", 1.0))
    conversation = workspace.conversations.add("New conversation").id
    workspace.messages.add(conversation, [StoredTurn("user", "How long?"), StoredTurn("assistant", "Two years.")])
    return conversation


@pytest.mark.timeout(60)
def test_every_read_goes_on_and_every_writer_waits(catalog: Catalog, talk: str, tmp_path: Path) -> None:
    workspace, holder = catalog.workspace("default"), Catalog(tmp_path)
    before = {name: read(catalog, workspace, talk) for name, read in READS.items()}
    with ThreadPoolExecutor(WRITERS) as pool:
        with holder._db.write() as connection:
            connection.execute(update(conversations).values(title="half written"))
            waiting: list[Future[list[StoredTurn]]] = [
                pool.submit(workspace.messages.add, talk, [StoredTurn("user", f"Question {number}?")])
                for number in range(WRITERS)
            ]
            assert {name: read(catalog, workspace, talk) for name, read in READS.items()} == before
            assert not any(future.done() for future in waiting)
        for future in waiting:
            future.result(30)
    holder.close()
    assert len(workspace.messages.turns(talk)) == 2 + WRITERS
