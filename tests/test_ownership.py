"""A missing, empty, older or foreign catalog destroys nothing, whatever is asked for; and what is lost says so."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rag.errors import CatalogError, RagError, VectorIndexError
from rag.ingest import FileStatus
from rag.services import Rag
from rag.settings import load_settings
from tests.fakes import FakeEmbedder

ROOT = Path(__file__).resolve().parents[1]
GUIDE = b"# Lamp\n\nThe lamp is charged in three hours.\n\n# Warranty\n\nThe warranty lasts two years."
TEA = b"# Tea\n\nTea is brewed at eighty degrees."

Opened = Callable[..., Rag]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    """Open a library on the data folder, as another process would: what was open is closed first."""
    library: list[Rag] = []

    def open_library(**options: object) -> Rag:
        while library:
            library.pop().close()
        rag = Rag(load_settings(data_dir=tmp_path / "data", **options), embedder=FakeEmbedder())
        library.append(rag)
        return rag

    yield open_library
    while library:
        library.pop().close()


@pytest.fixture
def data(tmp_path: Path, opened: Opened) -> Path:
    """A data folder with two files, closed."""
    opened().ingest_uploads([("guide.md", GUIDE), ("tea.md", TEA)], "qa")
    opened().close()
    return tmp_path / "data"


USES: dict[str, Callable[[Rag], object]] = {
    "ask": lambda rag: list(rag.ask("How long does the warranty last?")),
    "search": lambda rag: rag.search("warranty"),
    "ingest": lambda rag: rag.ingest_uploads([("new.md", b"# New\n\nSomething new.")], "qa"),
    "ingest another task": lambda rag: rag.ingest_uploads([("new.md", b"# New\n\nSomething new.")], "code"),
    "reindex": lambda rag: rag.reindex("qa"),
    "documents": lambda rag: rag.documents(),
    "files": lambda rag: rag.files(),
    "delete": lambda rag: rag.delete(["guide.md"]),
    "conversations": lambda rag: rag.conversations(),
}


def without_marks(data: Path) -> None:
    """Leave a data folder as version 0.2.0 did."""
    for path in [*data.glob("index/*/owner"), data / "files" / "owner"]:
        path.unlink()
    shutil.rmtree(data / "files" / "versions")


def remove_catalog(data: Path) -> None:
    for path in data.glob("catalog.db*"):
        path.unlink()


def put_back(data: Path, copy: Path) -> None:
    remove_catalog(data)
    shutil.copy(copy, data / "catalog.db")


def contents(data: Path) -> set[str]:
    return {path.name for path in data.glob("files/??/*")} | {path.name for path in data.glob("index/*")}


# -- a lost catalog ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("marked", [True, False], ids=["marked", "of version 0.2.0"])
def test_a_new_catalog_beside_a_library_is_refused_and_harms_nothing(data: Path, opened: Opened, marked: bool) -> None:
    before = contents(data)
    shutil.copy(data / "catalog.db", data.parent / "copy.db")
    if not marked:
        without_marks(data)
    for use in USES.values():
        remove_catalog(data)
        for _ in range(2):
            with pytest.raises(RagError, match=r"check --repair"):
                use(opened())
    opened().close()
    assert contents(data) >= before
    put_back(data, data.parent / "copy.db")
    assert opened().search("warranty").hits
    assert len(opened().files()) == 2


def test_another_database_is_refused_and_harms_nothing(data: Path, opened: Opened) -> None:
    before = contents(data)
    for use in USES.values():
        with pytest.raises(RagError, match="RAG_DATABASE_URL"):
            use(opened(database_url=f"sqlite:///{data.parent}/other.db"))
    assert contents(data) == before
    assert opened().search("warranty").hits


def test_a_catalog_of_another_library_is_refused(data: Path, opened: Opened, tmp_path: Path) -> None:
    other = Rag(load_settings(data_dir=tmp_path / "other"), embedder=FakeEmbedder())
    other.ingest_uploads([("other.md", b"# Other\n\nAnother library.")], "qa")
    other.close()
    for use in USES.values():
        with pytest.raises(RagError, match="RAG_DATA_DIR"):
            use(opened(database_url=f"sqlite:///{tmp_path}/other/catalog.db"))
    assert len(opened().files()) == 2


def test_the_status_names_a_lost_catalog(data: Path, opened: Opened) -> None:
    remove_catalog(data)
    assert any("check --repair" in problem for problem in opened().status().problems)


@pytest.mark.parametrize("lost", ["index", "files"])
def test_what_is_left_of_a_library_is_protected_when_more_is_lost(data: Path, opened: Opened, lost: str) -> None:
    remove_catalog(data)
    shutil.rmtree(data / lost)
    before = contents(data)
    for use in USES.values():
        with pytest.raises(RagError, match="check --repair"):
            use(opened())
    assert contents(data) == before


def test_an_empty_data_folder_belongs_to_whoever_comes(data: Path, opened: Opened) -> None:
    opened().delete(["guide.md", "tea.md"])
    opened().close()
    remove_catalog(data)
    opened().ingest_uploads([("guide.md", GUIDE)], "qa")
    assert opened().search("warranty").hits


def test_a_folder_of_version_0_2_0_is_claimed_by_its_catalog(data: Path, opened: Opened) -> None:
    without_marks(data)
    assert opened().search("warranty").hits
    owners = {path.read_text() for path in [*data.glob("index/*/owner"), data / "files" / "owner"]}
    assert len(owners) == 1
    assert len(list(data.glob("files/versions/??/*.json"))) == 2


# -- an older catalog --------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_an_older_catalog_deletes_nothing_newer_and_hides_it(data: Path, opened: Opened) -> None:
    shutil.copy(data / "catalog.db", data.parent / "older.db")
    opened().ingest_uploads([("new.md", b"# Moon\n\nThe moon is made of cheese.")], "qa")
    opened().ingest_uploads([("guide.md", GUIDE + b"\n\n# More\n\nThe lamp is blue.")], "qa")
    opened().close()
    before = contents(data)
    put_back(data, data.parent / "older.db")
    rag = opened()
    assert not any("cheese" in hit.payload.chunk.text for hit in rag.search("moon cheese").hits)
    rag.ingest_uploads([("other.md", b"# Other\n\nSomething else.")], "qa")
    assert contents(data) >= before
    assert any("does not list" in problem for problem in opened().status().problems)
    assert contents(data) >= before


def test_a_catalog_from_before_the_first_ingest_is_refused(tmp_path: Path, opened: Opened) -> None:
    data = tmp_path / "data"
    opened().files()
    opened().close()
    shutil.copy(data / "catalog.db", tmp_path / "older.db")
    opened().ingest_uploads([("guide.md", GUIDE)], "qa")
    opened().close()
    put_back(data, tmp_path / "older.db")
    with pytest.raises(VectorIndexError, match="check --repair"):
        opened().search("warranty")
    assert any("check --repair" in problem for problem in opened().status().problems)


def test_a_database_without_its_log_is_refused_or_older(tmp_path: Path, opened: Opened) -> None:
    data = tmp_path / "data"
    rag = opened()
    rag.ingest_uploads([("guide.md", GUIDE)], "qa")
    shutil.copy(data / "catalog.db", tmp_path / "without-log.db")
    rag.close()
    before = contents(data)
    put_back(data, tmp_path / "without-log.db")
    with pytest.raises(RagError, match="check --repair"):
        opened().ingest_uploads([("new.md", b"# New\n\nSomething new.")], "qa")
    assert contents(data) == before


# -- a lost index ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lost", ["index", "index/qa-*"])
def test_a_missing_index_is_said_everywhere_and_its_remedy_works(data: Path, opened: Opened, lost: str) -> None:
    for path in list(data.glob(lost)):
        shutil.rmtree(path)
    for use in ("ask", "search", "ingest"):
        with pytest.raises(VectorIndexError, match=r"missing.*reindex --task qa"):
            USES[use](opened())
    rag = opened()
    assert len(rag.documents()) == 2
    assert any("reindex --task qa" in problem for problem in rag.library_problems())
    assert any("reindex --task qa" in problem for problem in rag.status().problems)
    report = opened().reindex("qa")["qa"]
    assert (report.files, report.failed, report.switched) == (2, 0, True)
    rag = opened()
    assert rag.search("warranty").hits
    assert (rag.library_problems(), rag.status().problems) == ((), ())


def test_lost_chunks_are_a_problem_that_a_reindex_mends(data: Path, opened: Opened) -> None:
    rag = opened()
    version = next(file.version for file in rag.files() if file.name == "guide.md")
    rag._parts.indexes.open("qa").delete_versions([version])
    assert any("lost chunks" in problem for problem in opened().status().problems)
    assert opened().reindex("qa")["qa"].files == 2
    assert opened().status().problems == ()


def test_a_current_library_is_up_to_date_not_empty(data: Path, opened: Opened) -> None:
    report = opened().reindex()["qa"]
    assert (report.unchanged, report.files) == (2, 0)


# -- originals ---------------------------------------------------------------------------------------------------------


def test_a_tampered_original_is_not_reindexed(data: Path, opened: Opened) -> None:
    sha256 = next(file.sha256 for file in opened().files() if file.name == "guide.md")
    (data / "files" / sha256[:2] / sha256).write_bytes(b"# Lamp\n\nThe lamp is free of charge.")
    report = opened(document_prompt="text: ").reindex("qa")["qa"]
    assert (report.files, report.failed) == (1, 1)
    assert "SHA-256" in next(outcome.reason for outcome in report.outcomes if outcome.status is FileStatus.FAILED)


@pytest.mark.parametrize("lost", ["removed", "emptied"])
def test_ingesting_again_restores_an_original(data: Path, opened: Opened, lost: str) -> None:
    sha256 = next(file.sha256 for file in opened().files() if file.name == "guide.md")
    path = data / "files" / sha256[:2] / sha256
    path.unlink()
    if lost == "emptied":
        path.touch()
    report = opened().ingest_uploads([("guide.md", GUIDE)], "qa")
    assert report.outcomes[0].status is FileStatus.UNCHANGED
    assert path.read_bytes() == GUIDE


def test_a_data_folder_that_is_a_file_is_refused(tmp_path: Path, opened: Opened) -> None:
    (tmp_path / "data").write_text("a file")
    for use in USES.values():
        with pytest.raises(CatalogError, match="RAG_DATA_DIR"):
            use(opened())


# -- two processes -----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_delete_beside_a_running_app_counts_and_the_app_removes_the_rest(data: Path, opened: Opened) -> None:
    code = (
        "import sys; from pathlib import Path; from tests.fakes import FakeEmbedder; from rag.services import Rag\n"
        "from rag.settings import load_settings\n"
        "rag = Rag(load_settings(data_dir=Path(sys.argv[1])), embedder=FakeEmbedder())\n"
        "print(rag.delete(['guide.md'])); print(rag.delete(['tea.md'])); rag.close()"
    )
    app = opened()
    assert app.search("warranty").hits
    run = subprocess.run([sys.executable, "-c", code, str(data)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.stdout.split() == ["1", "1"], run.stderr
    assert "removed later" in run.stderr
    assert app.search("warranty").hits == ()
    assert app.files() == []
    rag = opened()
    rag.ingest_uploads([("new.md", b"# New\n\nSomething new.")], "qa")
    assert len(rag._parts.indexes.open("qa").versions()) == 1
    assert len(list(data.glob("files/??/*"))) == 1
