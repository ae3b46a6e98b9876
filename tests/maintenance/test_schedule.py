"""Regular backups: the last good ones stay, and a failure removes none."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag import Rag
from rag.errors import BackupError
from rag.maintenance.backup import BackupReport
from rag.maintenance.schedule import keep_last, scheduled
from tests.maintenance.conftest import Opener

NAMES = [f"rag-2026010{day}T000000Z.zip" for day in range(1, 6)]


def test_the_last_whole_ones_stay(backup: Path, folder: Path) -> None:
    target = folder / "backups"
    target.mkdir()
    for name in NAMES:
        (target / name).write_bytes(backup.read_bytes())
    (target / NAMES[3]).write_bytes(b"cut short")
    (target / "holiday.zip").write_bytes(b"not ours")
    removed = keep_last(target, 2)
    assert [path.name for path in removed] == [NAMES[1], NAMES[0]]
    assert {path.name for path in target.iterdir()} == {NAMES[2], NAMES[3], NAMES[4], "holiday.zip"}


@pytest.mark.slow
def test_a_schedule_goes_on_after_a_failure_and_removes_nothing_then(rag: Rag, folder: Path) -> None:
    target = folder / "backups"
    waits = iter([False, False, True])
    calls = iter([True, False, True])

    def back_up(path: Path) -> BackupReport:
        if not next(calls):
            raise BackupError("The disk is full.")
        return rag.backups.make(path.with_name(f"{path.stem[:-1]}{len(list(target.glob('*')))}Z.zip"))

    rounds = list(scheduled(back_up, target, 1, lambda: next(waits)))
    assert [bool(made.report) for made in rounds] == [True, False, True]
    assert rounds[1].error == "The disk is full."
    assert rounds[1].removed == ()
    assert len(rounds[2].removed) == 1
    assert len(list(target.iterdir())) == 1


def test_it_stops_when_the_wait_says_so(rag: Rag, open_rag: Opener, folder: Path) -> None:
    rounds = list(rag.backups.make_regularly(folder / "backups", 3, lambda: True))
    restored = open_rag("new")
    assert rounds[0].report is not None
    restored.backups.restore(rounds[0].report.path)
    assert len(restored.files()) == rounds[0].report.files
