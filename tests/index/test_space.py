"""A full disk under the embedded engine: refused before the engine writes, and allocated before it maps."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from rag.disk import Reserve
from rag.errors import DiskFullError, VectorIndexError
from rag.index import collection_name
from rag.index.edge.build import build_shard
from rag.index.edge.shard import edge_errors
from rag.index.engines.embedded import EmbeddedEngine
from rag.index.stillness import Stillness
from rag.types import Search
from tests.build import EVERYTHING, RECIPE, point, points, unit
from tests.test_files import Probe

NAME = collection_name(RECIPE)
AHEAD = 16 << 10
"""Bytes that a deletion may need."""
PAGE = 4096
SEALED = 2_000
"""Points in a full segment: the engine leaves those below 100 kB of vectors alone."""


def opened(folder: Path, probe: Probe) -> EmbeddedEngine:
    return EmbeddedEngine(folder, build=build_shard, reserve=Reserve(folder, disk=probe))


def unprotected(folder: Path) -> list[str]:
    """Files with a hole right behind their data, where the next store of the engine could meet a full disk."""
    names = []
    for path in folder.rglob("*"):
        if path.is_file() and (status := path.stat()).st_blocks * 512 < status.st_size:
            data = len(path.read_bytes().rstrip(b"\0"))
            allocated = status.st_blocks * 512
            if allocated < min(status.st_size, data + AHEAD) // PAGE * PAGE:
                names.append(f"{path.relative_to(folder)}: {allocated} bytes for {data}")
    return names


def test_a_collection_is_not_begun_without_room(folder: Path) -> None:
    probe = Probe(free=300)
    engine = opened(folder, probe)
    with pytest.raises(DiskFullError, match=r"300 MB are free.*Free some space"):
        engine.open(RECIPE)
    assert engine.collections() == []
    assert not folder.exists() or list(folder.iterdir()) == []
    probe.free = 10_000
    assert engine.open(RECIPE).count() == 0


def test_a_write_without_room_is_refused_and_the_rest_goes_on(folder: Path) -> None:
    probe = Probe(free=10_000)
    engine = opened(folder, probe)
    index = engine.open(RECIPE)
    index.upsert(points("red", "green"))
    probe.free = 100
    with pytest.raises(DiskFullError):
        index.upsert(points("blue", version="v2"))
    assert index.count() == 2
    assert index.search([Search(EVERYTHING, 1, vector=unit("green"))])[0][0].payload.chunk.text == "green"
    index.delete_versions(["v1"])
    assert index.count() == 0, "deleting may use the reserve"
    engine.close()
    assert opened(folder, probe).open(RECIPE).versions() == set()


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="the system cannot allocate ahead")
def test_what_the_engine_maps_is_allocated_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.index.edge.shard.SEAL_FROM", SEALED)
    engine = opened(tmp_path, Probe(free=10_000))
    index = engine.open(RECIPE)
    assert unprotected(tmp_path) == [], "just made"
    for n in range(9):
        texts = [f"text {n} {i} " + "word " * 40 * (i % 5) for i in range(256)]
        index.upsert(points(*texts, version=f"v{n}", document=f"d{n}"))
        if n == 3:
            index.delete_versions(["v0"])
        index.upsert([point("more", version=f"v{n}", document="more", ordinal=n)])
        index.delete_versions(["none"])  # allocates in files that the write before has begun
        assert n % 4 or unprotected(tmp_path) == [], f"after {n + 1} rounds"
    assert len(list((tmp_path / NAME / "shard" / "segments").iterdir())) > 1, "one was sealed"
    engine.close()
    index = opened(tmp_path, Probe(free=10_000)).open(RECIPE)
    index.upsert(points("green", version="new"))
    assert unprotected(tmp_path) == []


def test_a_full_segment_waits_with_its_sealing_for_room(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.index.edge.shard.SEAL_FROM", SEALED)
    probe = Probe(free=310)
    engine = opened(folder, Probe(free=10_000))
    engine.open(RECIPE)
    engine.close()
    engine = opened(folder, probe)
    index = engine.open(RECIPE)
    index.upsert(points(*[f"text {n}" for n in range(SEALED)]))
    segments = folder / NAME / "shard" / "segments"
    assert len(list(segments.iterdir())) == 1
    probe.free = 10_000
    index.upsert(points("one more", version="v2"))
    assert len(list(segments.iterdir())) == 2


def test_a_build_without_room_leaves_the_collection_as_it_was(folder: Path) -> None:
    probe = Probe(free=10_000)
    engine = opened(folder, probe)
    index = engine.open(RECIPE)
    index.upsert(points("red", "green"))
    probe.free = 400
    with pytest.raises(DiskFullError):
        engine.build(RECIPE)
    assert [path.name for path in (folder / NAME).glob("shard*")] == ["shard"]
    assert index.count() == 2


class PanicException(BaseException):
    """Looks as the engine's own does."""


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (PanicException("called `Option::unwrap()` on a `None` value"), VectorIndexError),
        (Exception("IO Error: No space left on device (os error 28)"), DiskFullError),
        (Exception(f"IO Error: {os.strerror(errno.EDQUOT)} (os error {errno.EDQUOT})"), DiskFullError),
        (Exception("IO Error: Input/output error (os error 5)"), VectorIndexError),
    ],
)
def test_what_the_engine_raises_is_told_in_words(tmp_path: Path, raised: BaseException, expected: type) -> None:
    with pytest.raises(expected), edge_errors(tmp_path):
        raise raised


def test_a_disk_that_fails_keeps_nobody_from_closing(folder: Path) -> None:
    class Failing:
        def __enter__(self) -> None:
            raise VectorIndexError("the lock cannot be written")

        def __exit__(self, *_: object) -> None:
            raise AssertionError("it was never entered")

    engine = opened(folder, Probe(free=10_000))
    index = engine.open(RECIPE)
    index._writing = Failing()
    engine.close()
    assert index.closed
    assert opened(folder, Probe(free=10_000)).open(RECIPE).count() == 0


def test_a_lock_that_cannot_be_written_is_told_in_words(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    folder.write_text("a file where the folder belongs")
    with pytest.raises(VectorIndexError, match=r"cannot be written"), Stillness(folder):
        pass
    with pytest.raises(VectorIndexError, match=r"cannot be written"), Stillness(folder).still():
        pass
