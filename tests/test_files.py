from __future__ import annotations

import errno
from dataclasses import dataclass
from pathlib import Path

import pytest

from rag.catalog.originals import Originals
from rag.disk import MEGABYTE, Disk, Reserve, disk_errors, disk_of
from rag.errors import CatalogError, DiskFullError


@dataclass
class Probe:
    """A disk whose space the test says, in megabytes."""

    free: float
    total: float = 100_000

    def __call__(self, folder: Path) -> Disk:
        return Disk(int(self.free * MEGABYTE), int(self.total * MEGABYTE))


@pytest.mark.parametrize(
    ("free", "total", "need", "enough"),
    [(257, 100_000, 1, True), (256, 100_000, 1, False), (16, 300, 1, True), (15, 300, 1, False)],
)
def test_the_reserve_stays_free(tmp_path: Path, free: int, total: int, need: int, enough: bool) -> None:
    reserve = Reserve(tmp_path, 256, Probe(free, total))
    assert (reserve.shortage(need * MEGABYTE) == "") is enough
    if not enough:
        with pytest.raises(DiskFullError, match=rf"disk is full: {free} MB are free in .*at least \d+ MB.*Free some"):
            reserve.check(need * MEGABYTE)


def test_a_folder_that_is_not_there_yet_has_the_disk_of_its_parent(tmp_path: Path) -> None:
    assert disk_of(tmp_path / "not" / "yet").total == disk_of(tmp_path).total


def test_a_disk_that_cannot_be_asked_is_left_to_the_write(tmp_path: Path) -> None:
    def broken(folder: Path) -> Disk:
        raise OSError(errno.EIO, "Input/output error")

    assert Reserve(tmp_path, disk=broken).shortage() == ""


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (errno.ENOSPC, DiskFullError),
        (errno.EDQUOT, DiskFullError),
        (errno.EIO, CatalogError),
        (errno.EROFS, CatalogError),
    ],
)
def test_errors_of_the_system_are_told_in_words(tmp_path: Path, code: int, expected: type[Exception]) -> None:
    with pytest.raises(expected, match=str(tmp_path)), disk_errors(tmp_path, CatalogError):
        raise OSError(code, "no luck")


def test_a_time_out_passes(tmp_path: Path) -> None:
    with pytest.raises(TimeoutError), disk_errors(tmp_path, CatalogError):
        raise TimeoutError


def test_the_spare_is_there_for_a_full_disk_only(tmp_path: Path) -> None:
    probe, spare = Probe(100), tmp_path / ".spare"
    reserve = Reserve(tmp_path, disk=probe)
    with reserve.spare():
        assert not spare.exists()
    assert spare.stat().st_size == 2 * MEGABYTE
    with reserve.spare():
        assert spare.exists(), "nobody needs it"
    probe.free = 0
    with reserve.spare():
        assert not spare.exists()
        with reserve.spare():
            pass
        assert not spare.exists(), "who is around still needs it"
    assert spare.exists()


def test_an_original_that_does_not_fit_leaves_nothing(tmp_path: Path) -> None:
    source, folder = tmp_path / "source", tmp_path / "files"
    source.write_bytes(b"x" * 3_000_000)
    probe = Probe(1000)
    originals = Originals(folder, Reserve(folder, disk=probe))
    probe.free = 200
    with pytest.raises(DiskFullError):
        originals.add(source)
    assert [path for path in folder.rglob("*") if path.is_file()] == []
    probe.free = 1000
    assert originals.path(originals.add(source)).stat().st_size == 3_000_000
