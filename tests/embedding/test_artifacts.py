import errno
import os
import threading
from pathlib import Path

import pytest

from rag.embedding import openvino_runtime
from rag.embedding.artifacts import ensure, is_intact
from rag.errors import EmbeddingError


class Builder:
    """Writes two files and counts how often."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, folder: Path) -> None:
        self.calls += 1
        (folder / "sub").mkdir()
        (folder / "a.bin").write_bytes(b"a" * 5000)
        (folder / "sub" / "b.txt").write_text("b")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "models" / "thing"


def test_it_is_built_once(folder: Path) -> None:
    build = Builder()
    assert ensure(folder, "v1", build) == ensure(folder, "v1", build) == folder
    assert build.calls == 1
    assert (folder / "a.bin").read_bytes() == b"a" * 5000


def test_another_source_is_built_anew(folder: Path) -> None:
    build = Builder()
    ensure(folder, "v1", build)
    ensure(folder, "v2", build)
    assert build.calls == 2
    assert is_intact(folder, "v2")
    assert not is_intact(folder, "v1")


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "a.bin").write_bytes(b"a" * 4999),
        lambda folder: (folder / "a.bin").unlink(),
        lambda folder: _flip(folder / "a.bin"),
        lambda folder: (folder / "manifest.json").write_text("{"),
        lambda folder: (folder / "manifest.json").write_text("[]"),
        lambda folder: (folder / "manifest.json").unlink(),
    ],
    ids=["cut", "file gone", "a flipped bit", "manifest cut", "manifest of another kind", "manifest gone"],
)
def test_damage_is_noticed_and_repaired(folder: Path, damage: object) -> None:
    build = Builder()
    ensure(folder, "v1", build)
    damage(folder)  # type: ignore[operator]
    assert not is_intact(folder, "v1")
    ensure(folder, "v1", build)
    assert build.calls == 2
    assert (folder / "a.bin").read_bytes() == b"a" * 5000


def test_a_copy_with_other_times_is_trusted_by_its_checksums(folder: Path) -> None:
    build = Builder()
    ensure(folder, "v1", build)
    os.utime(folder / "a.bin", ns=(1, 1))
    ensure(folder, "v1", build)
    assert build.calls == 1


def test_a_failed_build_leaves_the_old_folder_and_no_scraps(folder: Path) -> None:
    ensure(folder, "v1", Builder())

    def fail(scratch: Path) -> None:
        (scratch / "half").write_text("half")
        raise EmbeddingError("no weights")

    with pytest.raises(EmbeddingError, match="no weights"):
        ensure(folder, "v2", fail)
    assert is_intact(folder, "v1")
    assert [path.name for path in folder.parent.iterdir() if path.is_dir()] == ["thing"]


def test_a_full_disk_says_what_to_do(folder: Path) -> None:
    def full(scratch: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(EmbeddingError, match=r"disk is full .*MB free.*RAG_DATA_DIR"):
        ensure(folder, "v1", full)


def test_a_folder_that_cannot_be_made_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file is in the way")
    with pytest.raises(EmbeddingError, match=r"cannot be prepared in .*RAG_DATA_DIR"):
        ensure(tmp_path / "models" / "thing", "v1", Builder())


def test_many_who_ask_at_once_build_once(folder: Path) -> None:
    build = Builder()
    threads = [threading.Thread(target=ensure, args=(folder, "v1", build)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert build.calls == 1


def test_one_compiled_form_is_kept_for_its_owner_alone(tmp_path: Path) -> None:
    old, new = tmp_path / "1.blob", tmp_path / "2.blob"
    old.write_bytes(b"of a folder that was moved")
    openvino_runtime._tidy(tmp_path, {old})
    assert old.exists(), "it was used again"
    new.write_bytes(b"of this folder")
    new.chmod(0o444)
    openvino_runtime._tidy(tmp_path, {old})
    assert list(tmp_path.iterdir()) == [new]
    assert new.stat().st_mode & 0o777 == 0o600
