"""What interrupted work leaves behind goes, unless it can still be of use."""

from __future__ import annotations

import hashlib
import threading
import time

import pytest

from rag.catalog import VersionState
from rag.ingest import storing
from tests.ingest.library import Library, rows


def interrupted(library: Library) -> None:
    library.write("rows.jsonl", rows(3000))
    cancel = threading.Event()
    library.ingest(progress=lambda p: cancel.set() if p.work else None, cancel=cancel)
    assert library.index().count() > 0


def age(library: Library, monkeypatch: pytest.MonkeyPatch, days: float) -> None:
    later = time.time() + days * 86400
    monkeypatch.setattr(storing.time, "time", lambda: later)


def test_a_fresh_interrupted_version_stays_hidden(library: Library) -> None:
    interrupted(library)
    assert library.restarted().ingestor.sweep() == 0
    assert library.visible() == []
    assert library.index().count() > 0


def test_an_old_interrupted_version_goes(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted(library)
    age(library, monkeypatch, 2)
    assert library.restarted().ingestor.sweep() == 1
    assert library.index().count() == 0
    assert library.catalog.versions(*VersionState) == []
    assert list((library.settings.data_dir / "files").glob("??/*")) == []


def test_an_unfinished_reindex_is_kept_for_a_week(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    library.write("a.txt", "Apples are red.")
    library.write("rows.jsonl", rows(3000))
    library.ingest()
    changed = library.restarted(document_prompt="text: ")
    cancel = threading.Event()
    changed.ingestor.reindex("qa", lambda p: cancel.set() if p.done else None, cancel)
    age(library, monkeypatch, 3)
    library.restarted().ingestor.sweep()
    assert len(library.engine.collections()) == 2
    assert library.catalog.versions(VersionState.READY)
    age(library, monkeypatch, 9)
    library.restarted().ingestor.sweep()
    assert library.engine.collections() == [library.index().name]
    assert len(library.visible()) == 3001


def test_stale_points_that_a_kill_left_go(library: Library) -> None:
    library.write("a.txt", "Apples are red.")
    library.write("b.txt", "Bananas are yellow.")
    library.ingest()
    library.workspace.retire_files("qa", ["a.txt"])
    assert library.texts() == {"b.txt": "Bananas are yellow."}, "hidden although its points are there"
    assert library.index().count() == 2
    assert library.restarted().ingestor.sweep() == 1
    assert library.index().count() == 1


def test_originals_that_a_killed_run_left_go(library: Library) -> None:
    library.write("a.txt", "Apples are red.")
    library.write("bad.txt", "ENCRYPTED")
    library.ingest()
    stray = hashlib.sha256(b"left by a kill").hexdigest()
    killed = library.catalog.arriving([stray])
    killed.__enter__()
    library.catalog.originals.add_stream([b"left by a kill"])
    library.restarted().ingestor.sweep()
    hashes = set(library.catalog.originals.all())
    assert len(hashes) == 1
    assert stray not in hashes


def test_originals_that_the_catalog_never_heard_of_stay(library: Library) -> None:
    library.write("a.txt", "Apples are red.")
    library.ingest()
    stray = library.catalog.originals.add_stream([b"of another catalog"])
    library.restarted().ingestor.sweep()
    library.restarted().ingest()
    assert library.catalog.originals.is_intact(stray)


def test_nothing_is_swept_while_somebody_writes(library: Library) -> None:
    library.write("a.txt", "Apples are red.")
    library.ingest()
    library.workspace.retire_files("qa", ["a.txt"])
    with library.catalog.writer.hold():
        assert library.restarted().ingestor.sweep() == 0
    assert library.restarted().ingestor.sweep() == 1
