"""A backup and what comes out of it: identical ids, vectors, results, conversations, on every engine and database."""

from __future__ import annotations

import json
import os
import stat
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest

from rag import Rag
from rag.errors import BackupError, CancelledError
from rag.jobs import Progress
from rag.tasks.profiles import Profile, save_profile
from rag.types import IndexEngine, Vector
from tests.maintenance.conftest import Opener, contents, fill, points

POSTGRES = os.environ.get("RAG_TEST_POSTGRES_URL", "")


def floats(vector: bytes) -> Vector:
    return np.frombuffer(vector, np.float32)


def test_everything_is_there_again(rag: Rag, open_rag: Opener, folder: Path) -> None:
    before = contents(rag)
    report = rag.backups.make(folder / "backup.zip")
    assert (report.files, report.conversations, report.warnings) == (6, 1, ())
    restored = open_rag("new")
    result = restored.backups.restore(folder / "backup.zip")
    assert (result.files, result.conversations, result.chunks, result.warnings) == (6, 1, report.chunks, ())
    assert contents(restored) == before
    assert restored.status().problems == ()
    restored.ingest_uploads([("7.md", b"# Seven\n\nWhat comes later goes in.")], "qa")
    assert restored.reindex("qa")["qa"].embedded == 0


def test_scores_hold_after_deletions(rag: Rag, open_rag: Opener, folder: Path) -> None:
    """BM25 counts what was deleted until the index is written anew: a copy of the rows alone would rank otherwise."""
    for i in range(20, 40):
        rag.ingest_uploads([(f"{i}.md", f"# Title {i}\n\nApples and pears and number {i}.".encode())], "qa")
    rag.delete([f"{i}.md" for i in range(20, 35)], "qa")
    before = contents(rag)
    rag.backups.make(folder / "backup.zip")
    restored = open_rag("new")
    restored.backups.restore(folder / "backup.zip")
    assert contents(restored) == before


def test_an_engine_without_files_is_backed_up_and_restored(outer_engine, open_rag: Opener, folder: Path) -> None:
    rag = open_rag(engine=outer_engine())
    fill(rag)
    rag.backups.make(folder / "backup.zip")
    other: IndexEngine = outer_engine()
    restored = open_rag("new", engine=other)
    restored.backups.restore(folder / "backup.zip")
    assert points(restored).keys() == points(rag).keys()
    for point, (payload, vectors) in points(rag).items():
        assert points(restored)[point][0] == payload
        for mode, vector in vectors.items():  # the client in memory scales to length one again
            np.testing.assert_allclose(floats(points(restored)[point][1][mode]), floats(vector), atol=1e-6)
    assert restored.documents() == rag.documents()
    embedded = open_rag("embedded")
    embedded.backups.restore(folder / "backup.zip")
    assert points(embedded).keys() == points(rag).keys()
    again = open_rag("again", engine=other)
    with pytest.raises(BackupError, match="already"):
        again.backups.restore(folder / "backup.zip")
    assert len(points(restored)) == len(points(rag)), "what was there is untouched"


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///{}/outside.db",
        pytest.param(POSTGRES, marks=pytest.mark.skipif(not POSTGRES, reason="RAG_TEST_POSTGRES_URL")),
    ],
)
def test_a_database_outside_of_the_folder_is_filled(rag: Rag, open_rag: Opener, folder: Path, url: str) -> None:
    rag.backups.make(folder / "backup.zip")
    outside = {"database_url": url.format(folder)}
    restored = open_rag("new", **outside)
    restored.backups.restore(folder / "backup.zip")
    assert not (folder / "new" / "catalog.db").exists()
    assert contents(restored) == contents(rag)
    restored.backups.make(folder / "second.zip")
    back = open_rag("back")
    back.backups.restore(folder / "second.zip")
    assert contents(back) == contents(rag)
    occupied = open_rag("third", **outside)
    with pytest.raises(Exception, match="holds a library already"):
        occupied.backups.restore(folder / "backup.zip")
    assert list(folder.glob("third/**/*")) == []


def test_profiles_are_in_it_and_caches_are_not(rag: Rag, folder: Path) -> None:
    data = folder / "data"
    save_profile(data, Profile("faq", "query/query", 0.5, 200))
    for name in (
        "models/model.bin",
        "uploads/x/content",
        "errors.log",
        "cache/evaluation/x",
        "evaluations/1-qa/report.json",
    ):
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_text("{}")
    rag.backups.make(folder / "backup.zip")
    with zipfile.ZipFile(folder / "backup.zip") as archive:
        names = {name.partition("/")[0] for name in archive.namelist()}
        assert names == {"manifest.json", "catalog.db", "index", "files", "profiles", "evaluations"}
        manifest = json.loads(archive.read("manifest.json"))
    assert {"program", "schema", "created", "indexes", "members"} <= manifest.keys()
    assert not any("lock" in member["name"] for member in manifest["members"])
    assert sorted(note["task"] for note in manifest["indexes"]) == ["qa", "similar"]


def test_the_file_is_private_and_nothing_else_is_left(rag: Rag, folder: Path) -> None:
    target = folder / "deep" / "backup.zip"
    rag.backups.make(target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert list(target.parent.iterdir()) == [target]
    assert not (folder / "data" / ".backup").exists()


def test_no_file_is_replaced_unless_asked_for(rag: Rag, folder: Path) -> None:
    target = folder / "backup.zip"
    target.write_bytes(b"precious")
    with pytest.raises(BackupError, match="--force"):
        rag.backups.make(target)
    assert target.read_bytes() == b"precious"
    rag.backups.make(target, force=True)
    assert zipfile.is_zipfile(target)
    with pytest.raises(BackupError, match="is a folder"):
        rag.backups.make(folder)


def test_there_must_be_a_library(open_rag: Opener, folder: Path) -> None:
    with pytest.raises(BackupError, match="no library"):
        open_rag("nothing").backups.make(folder / "backup.zip")
    assert not (folder / "nothing").exists()


def test_stopped_and_failed_backups_leave_no_file(rag: Rag, folder: Path) -> None:
    cancel = threading.Event()

    def stop(progress: Progress) -> None:
        if progress.stage == "Writing":
            cancel.set()

    with pytest.raises(CancelledError):
        rag.backups.make(folder / "out" / "backup.zip", stop, cancel)
    (folder / "file").write_text("in the way")
    with pytest.raises(BackupError, match="cannot be read or written"):
        rag.backups.make(folder / "file" / "backup.zip")
    assert list((folder / "out").iterdir()) == []
    assert not (folder / "data" / ".backup").exists()


def test_too_little_room_is_said_before_anything_is_written(
    rag: Rag, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 1000, "total": 10**9})())
    with pytest.raises(BackupError, match="MB free, expected"):
        rag.backups.make(folder / "backup.zip")


def test_a_library_with_faults_is_backed_up_with_warnings(rag: Rag, open_rag: Opener, folder: Path) -> None:
    first, second, *_ = sorted({file.sha256 for file in rag.files("qa")})
    originals = folder / "data" / "files"
    (originals / first[:2] / first).unlink()
    (originals / second[:2] / second).write_text("tampered")
    lost = next(iter(rag._parts.indexes.open("qa").versions()))
    rag._parts.indexes.open("qa").delete_versions([lost])
    report = rag.backups.make(folder / "backup.zip")
    assert [word for word in ("missing", "changed since", "expected 5") if word in " ".join(report.warnings)] == [
        "missing",
        "changed since",
        "expected 5",
    ]
    restored = open_rag("new")
    assert restored.backups.restore(folder / "backup.zip").warnings
    assert len(restored.documents()) == len(rag.documents())


def test_progress_has_count_rate_and_time_left(rag: Rag, open_rag: Opener, folder: Path) -> None:
    seen: list[Progress] = []
    rag.backups.make(folder / "backup.zip", seen.append)
    open_rag("new").backups.restore(folder / "backup.zip", seen.append)
    stages = {progress.stage for progress in seen}
    assert {"Copying", "Writing", "Unpacking"} <= stages
    assert all(progress.total for progress in seen if progress.stage in {"Copying", "Writing", "Unpacking"})
