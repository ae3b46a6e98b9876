"""A check finds whatever does not agree, and says nothing of a sound library."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from rag.errors import CancelledError, IndexLockedError
from rag.jobs import Progress
from rag.maintenance import FaultKind
from rag.services import Rag
from tests.maintenance.conftest import GUIDE, TEA, Opened, put_back, remove_catalog


def original(data: Path, rag: Rag, name: str) -> Path:
    sha256 = next(file.sha256 for file in rag.files() if file.name == name)
    return data / "files" / sha256[:2] / sha256


def test_a_sound_library_is_sound(data: Path, opened: Opened) -> None:
    report = opened().check()
    assert (report.findings, report.actions, report.is_sound) == ((), (), True)
    assert (report.files, report.originals) == (4, 3)
    assert report.chunks == sum(file.chunks for file in [*opened().files(), *opened(workspace="other").files()])


def test_a_folder_of_version_0_2_0_is_sound(data: Path, opened: Opened) -> None:
    for path in [*data.glob("index/*/owner"), data / "files" / "owner"]:
        path.unlink()
    shutil.rmtree(data / "files" / "versions")
    assert opened().check().is_sound


def test_an_empty_library_is_sound(opened: Opened) -> None:
    assert opened().check().is_sound
    assert opened().check(repair=True).actions == ()


@pytest.mark.slow
def test_progress_is_told_and_it_can_be_stopped(data: Path, opened: Opened) -> None:
    import threading

    told: list[Progress] = []
    opened().check(told.append)
    assert {"Originals"} <= {progress.stage for progress in told}
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(CancelledError):
        opened().check(cancel=cancel)


def tampered(data: Path, rag: Rag) -> None:
    original(data, rag, "guide.md").write_bytes(b"x" * len(GUIDE))


def missing(data: Path, rag: Rag) -> None:
    original(data, rag, "notes/tea.md").unlink()


def half_written(data: Path, rag: Rag) -> None:
    (data / "files" / "incoming").mkdir(exist_ok=True)
    (data / "files" / "incoming" / "tmpabc").write_bytes(b"half")


def without_index(data: Path, rag: Rag) -> None:
    rag.close()
    shutil.rmtree(next((data / "index").glob("faq-*")))


def with_garbled_recipe(data: Path, rag: Rag) -> None:
    rag.close()
    next((data / "index").glob("faq-*/recipe.json")).write_text("{")


def without_some_chunks(data: Path, rag: Rag) -> None:
    from rag.types import Filter

    index = rag._parts.indexes.open("qa")
    point = next(index.scroll(Filter("default")))[0]
    index._driver._shard.update(  # type: ignore[attr-defined]
        __import__("qdrant_edge").UpdateOperation.delete_points([point.id])
    )


def without_all_chunks(data: Path, rag: Rag) -> None:
    index = rag._parts.indexes.open("qa")
    index.delete_versions([next(file.version for file in rag.files("qa"))])


def stray_original(data: Path, rag: Rag) -> None:
    rag._parts.catalog.originals.add_stream([b"of nobody"])


def stray_points(data: Path, rag: Rag) -> None:
    from dataclasses import replace

    from rag.types import Filter, Point

    index = rag._parts.indexes.open("qa")
    stored = next(index.scroll(Filter("default"), with_vectors=True))[0]
    payload = replace(stored.payload, version="11111111-1111-4111-8111-111111111111")
    index.upsert([Point("22222222-2222-4222-8222-222222222222", stored.vectors, payload, "lamp")])


FAULTS: list[tuple[Callable[[Path, Rag], None], FaultKind, str]] = [
    (tampered, FaultKind.CHANGED_ORIGINAL, "guide.md"),
    (missing, FaultKind.MISSING_ORIGINAL, "notes/tea.md"),
    (half_written, FaultKind.LEFTOVER, "incoming/tmpabc"),
    (without_index, FaultKind.INDEX, "faq-"),
    (with_garbled_recipe, FaultKind.INDEX, "faq-"),
    (without_some_chunks, FaultKind.CHUNKS, ""),
    (without_all_chunks, FaultKind.CHUNKS, ""),
    (stray_original, FaultKind.UNKNOWN, ""),
    (stray_points, FaultKind.UNKNOWN, "qa-"),
]


@pytest.mark.parametrize(("spoil", "kind", "name"), FAULTS, ids=[fault[0].__name__ for fault in FAULTS])
def test_what_does_not_agree_is_found_and_what_can_be_mended_is(
    data: Path, opened: Opened, spoil: Callable[[Path, Rag], None], kind: FaultKind, name: str
) -> None:
    spoil(data, opened())
    report = opened().check()
    assert not report.is_sound
    assert {finding.kind for finding in report.findings} == {kind}
    assert all(finding.name.startswith(name) and finding.message for finding in report.findings)

    report = opened().check(repair=True, remove_unknown=True)
    if kind in (FaultKind.MISSING_ORIGINAL, FaultKind.CHANGED_ORIGINAL):
        assert {finding.kind for finding in report.findings} == {FaultKind.MISSING_ORIGINAL}
        opened().ingest_uploads([("guide.md", GUIDE), ("notes/tea.md", TEA)], "qa")
    else:
        assert report.actions
    assert opened().check().findings == ()
    rag = opened()
    assert {file.name for file in rag.files()} == {"guide.md", "notes/tea.md", "faq.csv"}
    assert any("two years" in hit.payload.chunk.text for hit in rag.search("How long is the warranty?").hits)


@pytest.mark.slow
@pytest.mark.parametrize("spoil", [stray_original, stray_points])
def test_what_nothing_refers_to_is_removed_only_when_it_is_asked_for(
    data: Path, opened: Opened, spoil: Callable[[Path, Rag], None]
) -> None:
    spoil(data, opened())
    for _ in range(2):
        assert {finding.kind for finding in opened().check(repair=True).findings} == {FaultKind.UNKNOWN}
    assert opened().check(repair=True, remove_unknown=True).is_sound


def test_a_lost_catalog_is_found_and_nothing_is_changed(data: Path, opened: Opened) -> None:
    before = {path: path.read_bytes() for path in data.glob("files/??/*")}
    remove_catalog(data)
    findings = opened().check().findings
    assert next(finding.kind for finding in findings) is FaultKind.OWNER
    assert {finding.name for finding in findings if finding.kind is FaultKind.UNLISTED} == {
        "guide.md",
        "notes/tea.md",
        "faq.csv",
    }
    assert {path: path.read_bytes() for path in data.glob("files/??/*")} == before


@pytest.mark.slow
def test_an_older_catalog_is_found(data: Path, opened: Opened) -> None:
    shutil.copy(data / "catalog.db", data.parent / "older.db")
    opened().ingest_uploads([("new.md", b"# Moon\n\nThe moon is made of cheese.")], "qa")
    opened().close()
    put_back(data, data.parent / "older.db")
    (finding,) = opened().check().findings
    assert (finding.kind, finding.task, finding.name) == (FaultKind.UNLISTED, "qa", "new.md")


@pytest.mark.slow
def test_an_index_that_another_process_has_open_is_not_taken_for_damaged(data: Path, opened: Opened) -> None:
    import subprocess
    import sys

    rag = opened()
    rag.search("warranty")
    code = (
        "from tests.fakes import FakeEmbedder; from rag.services import Rag; from rag.settings import load_settings\n"
        "import sys; from pathlib import Path\n"
        "Rag(load_settings(data_dir=Path(sys.argv[1])), embedder=FakeEmbedder()).check(repair=True)"
    )
    root = Path(__file__).resolve().parents[2]
    run = subprocess.run([sys.executable, "-c", code, str(data)], cwd=root, capture_output=True, text=True, check=False)
    assert IndexLockedError.__name__ in run.stderr
    assert rag.search("warranty").hits
