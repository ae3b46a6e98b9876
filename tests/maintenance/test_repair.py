"""A lost or older catalog is rebuilt from index and originals: the same files, ids, passages and documents."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from rag.errors import CatalogError
from rag.services import Rag
from rag.settings import load_settings
from tests.fakes import FakeEmbedder
from tests.maintenance.conftest import GUIDE, Opened, passages, put_back, remove_catalog


def everything(opened: Opened) -> object:
    """Files, documents and passages of both workspaces, without times."""
    seen = []
    for workspace in ("default", "other"):
        rag = opened(workspace=workspace)
        seen.append([replace(file, committed=0.0) for file in rag.files()])
        seen.append([replace(document, committed=0.0, chars=0) for document in rag.documents()])
        seen.append([passages(rag, "How long is the warranty?", task) for task in ("qa", "faq")])
    return seen


def test_a_lost_catalog_is_rebuilt_as_it_was(data: Path, opened: Opened) -> None:
    before = everything(opened)
    opened().close()
    remove_catalog(data)
    report = opened().check(repair=True)
    assert report.is_sound
    assert sum("took over" in action for action in report.actions) == 4
    assert everything(opened) == before
    assert opened().ingest_uploads([("guide.md", GUIDE)], "qa").embedded == 0
    assert opened().check(repair=True).actions == ()


@pytest.mark.slow
def test_a_database_elsewhere_becomes_the_catalog(data: Path, opened: Opened, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new.db"
    assert opened(database_url=url).check(repair=True).is_sound
    assert len(opened(database_url=url).files()) == 3


@pytest.mark.slow
def test_an_update_after_the_repair_keeps_the_ids_of_documents(data: Path, opened: Opened) -> None:
    (before,) = [document.id for document in opened().documents("qa") if document.name == "guide.md"]
    opened().close()
    remove_catalog(data)
    opened().check(repair=True)
    opened().ingest_uploads([("guide.md", GUIDE + b"\n\n# More\n\nIt is blue.")], "qa")
    (after,) = [document.id for document in opened().documents("qa") if document.name == "guide.md"]
    assert after == before


@pytest.mark.slow
def test_catalog_and_index_are_rebuilt_from_the_originals_alone(data: Path, opened: Opened) -> None:
    opened().close()
    remove_catalog(data)
    shutil.rmtree(data / "index")
    report = opened().check(repair=True)
    assert report.is_sound
    assert [file.name for file in opened().files()] == ["faq.csv", "guide.md", "notes/tea.md"]
    assert [file.name for file in opened(workspace="other").files()] == ["guide.md"]
    assert any("two years" in text for _, text in passages(opened(), "How long is the warranty?"))


@pytest.mark.slow
def test_an_older_catalog_catches_up(data: Path, opened: Opened) -> None:
    shutil.copy(data / "catalog.db", data.parent / "older.db")
    rag = opened()
    rag.ingest_uploads([("new.md", b"# Moon\n\nThe moon is made of cheese.")], "qa")
    rag.ingest_uploads([("guide.md", GUIDE + b"\n\n# More\n\nThe lamp is blue.")], "qa")
    rag.delete(["notes/tea.md"])
    before = everything(opened)
    opened().close()
    put_back(data, data.parent / "older.db")
    report = opened().check(repair=True)
    rag = opened()
    assert {file.name for file in rag.files("qa")} - {"notes/tea.md"} == {"guide.md", "new.md"}
    assert passages(rag, "Which lamp is blue?")
    assert [finding.name for finding in report.findings if finding.name != "notes/tea.md"] == []
    rag.delete(["notes/tea.md"])
    assert everything(opened) == before
    assert opened().check().is_sound


def test_a_pending_version_of_an_older_catalog_that_was_completed_is_not_swept(
    data: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    from rag.catalog import NewVersion

    rag = opened()
    report = rag.ingest_uploads([("new.md", b"# Moon\n\nThe moon is made of cheese.")], "qa")
    assert report.chunks
    file = next(file for file in rag.files() if file.name == "new.md")
    rag._parts.catalog.retire([file.version])
    rag._parts.catalog.forget([file.version])
    rag._parts.workspace.begin(
        [NewVersion(file.version, file.id, "qa", "new.md", file.sha256, file.size, file.collection)], []
    )
    later = time.time() + 30 * 86400
    monkeypatch.setattr("rag.ingest.storing.time.time", lambda: later)
    assert opened()._parts.ingestor.sweep() == 0
    monkeypatch.undo()
    assert opened().check(repair=True).is_sound
    assert passages(opened(), "What is the moon made of?")[0][1].endswith("cheese.")


@pytest.mark.slow
def test_a_reindex_that_was_under_way_does_not_confuse_a_rebuild(data: Path, opened: Opened) -> None:
    opened(document_prompt="text: ").reindex()
    before = everything(lambda **options: opened(document_prompt="text: ", **options))
    opened().close()
    remove_catalog(data)
    assert opened(document_prompt="text: ").check(repair=True).is_sound
    assert everything(lambda **options: opened(document_prompt="text: ", **options)) == before


@pytest.mark.slow
def test_a_rebuild_by_other_settings_keeps_the_recipe_that_built_the_index(data: Path, opened: Opened) -> None:
    opened().close()
    remove_catalog(data)
    report = opened(document_prompt="text: ").check(repair=True)
    assert report.is_sound
    assert passages(opened(), "How long is the warranty?"), "the settings of before still fit"
    rag = opened(document_prompt="text: ")
    assert rag.reindex("qa")["qa"].files == 3
    assert passages(rag, "How long is the warranty?")


@pytest.mark.slow
def test_a_catalog_of_another_library_is_not_mixed_in(data: Path, opened: Opened, tmp_path: Path) -> None:
    other = Rag(load_settings(data_dir=tmp_path / "other"), embedder=FakeEmbedder())
    other.ingest_uploads([("other.md", b"# Other\n\nAnother library.")], "qa")
    other.close()
    with pytest.raises(CatalogError, match="RAG_DATA_DIR"):
        opened(database_url=f"sqlite:///{tmp_path}/other/catalog.db").check(repair=True)
    assert len(opened().files()) == 3
    assert opened().check().is_sound


@pytest.mark.slow
def test_what_lacks_its_original_is_taken_over_from_the_index(data: Path, opened: Opened) -> None:
    opened().close()
    remove_catalog(data)
    for path in data.glob("files/??/*"):
        path.unlink()
    report = opened().check(repair=True)
    assert {finding.kind.value for finding in report.findings} == {"missing original"}
    assert passages(opened(), "How long is the warranty?")


@pytest.mark.slow
def test_a_repair_that_was_stopped_goes_on(data: Path, opened: Opened) -> None:
    import threading

    from rag.errors import CancelledError

    before = everything(opened)
    opened().close()
    remove_catalog(data)
    cancel = threading.Event()
    with pytest.raises(CancelledError):
        opened().check(lambda p: cancel.set() if p.stage == "Taking over" and p.done else None, cancel, repair=True)
    assert opened().check(repair=True).is_sound
    assert everything(opened) == before
