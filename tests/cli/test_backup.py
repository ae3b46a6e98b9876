"""`backup` and `restore` as people type them."""

import json

import pytest

from rag.errors import BackupError
from tests.cli.driver import parsed


def test_a_library_goes_out_and_comes_in(run, library, tmp_path, monkeypatch):
    before = [document["id"] for document in parsed(run("documents", "--json"))]
    assert "2 files, 3 chunks" in run("backup", tmp_path / "library.zip").stdout
    monkeypatch.setenv("RAG_DATA_DIR", str(tmp_path / "new"))
    assert "Restored 2 files" in run("restore", tmp_path / "library.zip").stdout
    assert [document["id"] for document in parsed(run("documents", "--json"))] == before
    monkeypatch.setenv("RAG_DATA_DIR", str(tmp_path / "third"))
    report = json.loads(run("restore", tmp_path / "library.zip", "--json").stdout)
    assert (report["files"], report["moved"]) == (2, None)


@pytest.mark.slow
def test_what_is_there_is_moved_aside_with_force(run, library, tmp_path):
    run("backup", tmp_path / "library.zip")
    try:
        run("restore", tmp_path / "library.zip")
    except BackupError as exc:
        assert "--force" in str(exc)
    else:
        raise AssertionError("a library was replaced")
    result = run("restore", tmp_path / "library.zip", "--force")
    assert "what was there is now in" in result.stderr


@pytest.mark.slow
def test_a_schedule_writes_by_time_until_stopped(run, library, tmp_path):
    import threading
    from contextlib import contextmanager

    @contextmanager
    def working():
        cancel = threading.Event()
        cancel.wait = lambda _seconds: True
        yield None, cancel

    result = run("backup", tmp_path / "backups", "--schedule", "0.5", "--keep", "2", working=working)
    assert "rag-2" in result.stdout
    assert len(list((tmp_path / "backups").glob("rag-*.zip"))) == 1
    run("backup", tmp_path / "backups", "--schedule", "hourly", code=2)
    run("backup", tmp_path / "backups", "--schedule", "0", code=2)
