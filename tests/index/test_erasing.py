"""Deleted text leaves the files of an embedded collection, and nobody who searches notices."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rag.errors import CancelledError, VectorIndexError
from rag.index import collection_name
from rag.index.edge.copying import copy_file
from rag.index.edge.rewrite import rewrite_in_process, rewrite_shard
from rag.index.engines import embedded
from rag.index.engines.embedded import EmbeddedEngine
from rag.types import Search
from tests.build import EVERYTHING, RECIPE, point, points, terms, unit
from tests.residue import files_with, written_bytes

ROOT = Path(__file__).resolve().parents[2]
NAME = collection_name(RECIPE)


def opened(folder: Path, before: Callable[[], object] = lambda: None) -> EmbeddedEngine:
    def rewrite(source: Path, target: Path, build: bool, cancel: threading.Event) -> None:
        before()
        rewrite_shard(source, target, build)

    return EmbeddedEngine(folder, rewrite=rewrite)


def fill(index, count: int) -> None:
    numbers = range(count)
    index.upsert([point(f"red text {n}", document=f"d{n // 20}", version=f"v{n // 20}", ordinal=n) for n in numbers])


def nearest(index, text: str) -> str:
    return index.search([Search(EVERYTHING, 1, vector=unit(text))])[0][0].payload.chunk.text


def everything(index) -> object:
    """All that the collection holds and answers."""
    stored = [row for batch in index.scroll(EVERYTHING, with_vectors=True) for row in batch]
    searches = [Search(EVERYTHING, 30, vector=unit(f"red text {n}")) for n in range(0, 100, 7)]
    searches += [Search(EVERYTHING, 1_000, terms=terms(text)) for text in ("red", "text 41", "blue")]
    hits = [[(hit.id, hit.score, hit.payload) for hit in ranking] for ranking in index.search(searches)]
    vectors = [{mode: vector.tobytes() for mode, vector in row.vectors.items()} for row in stored]
    return [(row.id, row.payload) for row in stored], vectors, hits


def shards(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / NAME).glob("shard*"))


def test_what_is_deleted_is_in_no_file_after_a_rewrite(folder: Path) -> None:
    engine = opened(folder)
    index = engine.open(RECIPE)
    index.upsert(points("red", "a Zorblatt is green", name="Zorblatt.txt", title="Zorblatt", version="gone"))
    index.upsert(points("blue", version="stays"))
    assert engine.unerased() == []
    assert not engine.erase(NAME)
    index.delete_versions(["gone"])
    assert files_with(folder, "Zorblatt"), "the engine only marks what it deletes"
    assert engine.unerased() == [NAME]
    assert engine.erase(NAME)
    assert files_with(folder, "Zorblatt") == []
    assert (engine.unerased(), engine.erase(NAME), len(shards(folder))) == ([], False, 1)
    assert index.count() == 1
    engine.close()
    assert files_with(folder, "Zorblatt") == []
    assert engine.open(RECIPE).versions() == {"stays"}


def test_ids_vectors_payloads_and_answers_are_those_of_before(folder: Path) -> None:
    engine = opened(folder)
    index = engine.open(RECIPE)
    fill(index, 600)
    index.upsert([point("red without a naive vector", naive=False, version="bare")])
    index.upsert(points("blue", "a red one", version="gone"))
    index.delete_versions(["gone", "v7"])
    before = everything(index)
    assert engine.erase(NAME)
    assert everything(index) == before
    engine.close()
    assert everything(engine.open(RECIPE)) == before


@pytest.mark.slow
def test_sixty_replacements_leave_a_folder_of_the_size_of_before(folder: Path) -> None:
    engine = opened(folder)
    index = engine.open(RECIPE)
    index.upsert(points(*(f"red {n} " * 50 for n in range(20)), version="u0"))
    first = written_bytes(folder)
    for update in range(1, 61):
        index.upsert(points(*(f"red {n} in update{update} " * 50 for n in range(20)), version=f"u{update}"))
        index.delete_versions([f"u{update - 1}"])
    assert written_bytes(folder) > 2 * first
    engine.erase(NAME)
    assert written_bytes(folder) < 1.5 * first
    assert files_with(folder, "update59") == []
    assert len(files_with(folder, "update60")) > 0


def test_what_is_written_meanwhile_is_kept_and_what_is_deleted_meanwhile_is_due_again(folder: Path) -> None:
    def meanwhile() -> None:
        if engine.unerased() and index.count() == 200 - 20:
            index.upsert(points("green", version="new", document="new"))
            index.delete_versions(["v3"])

    engine = opened(folder, meanwhile)
    index = engine.open(RECIPE)
    fill(index, 200)
    index.delete_versions(["v0"])
    assert engine.erase(NAME)
    assert index.count() == 200 - 40 + 1
    assert files_with(folder, "red text 7")
    assert engine.unerased() == [NAME]
    assert engine.erase(NAME)
    assert engine.unerased() == []
    assert index.versions() == {"new", *(f"v{n}" for n in range(10) if n not in (0, 3))}
    assert nearest(index, "green") == "green"


@pytest.mark.slow
def test_searches_during_rewrites_are_exact(folder: Path) -> None:
    engine = opened(folder)
    index = engine.open(RECIPE)
    fill(index, 60)
    done = threading.Event()

    def read() -> int:
        rounds = 0
        while not done.is_set():
            assert (
                index.search([Search(EVERYTHING, 1, vector=unit("red text 47"))])[0][0].payload.chunk.text
                == "red text 47"
            )
            assert len({row.id for batch in index.scroll(EVERYTHING, batch=7) for row in batch} & lasting) == 40
            rounds += 1
        return rounds

    lasting = {row.id for batch in index.scroll(EVERYTHING) for row in batch if row.payload.version != "v0"}
    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        try:
            for version in ("v0", "w0", "w1"):
                index.upsert(points("green", version=f"w{int(version[1])}", document=version))
                index.delete_versions([version])
                engine.erase(NAME)
        finally:
            done.set()
        assert all(reader.result() for reader in readers)


def test_a_shard_of_an_earlier_version_is_due(folder: Path) -> None:
    engine = opened(folder)
    index = engine.open(RECIPE)
    index.upsert(points("red", "green"))
    (folder / NAME / "shard" / "deleted-points").unlink()
    assert engine.unerased() == [NAME]
    index.delete_versions(["v1"])
    assert engine.unerased() == [NAME]
    assert engine.erase(NAME)
    assert engine.unerased() == []


def test_a_disk_too_full_to_count_deletions_is_no_reason_to_keep_the_text(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: str) -> None:
        raise OSError(28, "No space left on device")

    engine = opened(folder)
    index = engine.open(RECIPE)
    index.upsert(points("red", "Zorblatt"))
    with monkeypatch.context() as patched:
        patched.setattr("rag.index.edge.residue.write_atomically", full)
        index.delete_versions(["v1"])
    assert index.count() == 0
    assert engine.unerased() == [NAME]
    assert engine.erase(NAME)
    assert files_with(folder, "Zorblatt") == []


def test_a_thrifty_rewrite_waits_until_there_is_waste(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "_SMALL", 100)
    engine = opened(folder)
    index = engine.open(RECIPE)
    fill(index, 400)
    index.delete_versions(["v0"])
    assert not engine.erase(NAME, thrifty=True)
    index.delete_versions(["v1"])
    assert engine.erase(NAME, thrifty=True)
    index.delete_versions([f"v{n}" for n in range(2, 16)])
    assert engine.erase(NAME, thrifty=True)
    index.delete_versions(["v16"])
    assert index.count() < 100
    assert engine.erase(NAME, thrifty=True), "a small one costs nothing"


def test_a_built_collection_is_built_again_without_what_was_deleted(folder: Path) -> None:
    engine = opened(folder)
    index = engine.open(RECIPE)
    fill(index, 600)
    index.delete_versions(["v1"])
    assert engine.build(RECIPE) == 580
    assert engine.unerased() == []
    index.delete_versions(["v29"])
    assert engine.erase(NAME)
    assert files_with(folder, "red text 585") == []
    assert embedded.current_shard(folder / NAME).points == 560
    assert nearest(index, "red text 77") == "red text 77"


@pytest.mark.slow
def test_another_process_rewrites_and_says_why_it_failed(folder: Path) -> None:
    engine = EmbeddedEngine(folder)
    index = engine.open(RECIPE)
    fill(index, 40)
    index.delete_versions(["v0"])
    assert engine.erase(NAME)
    assert files_with(folder, "red text 7") == []

    def broken(source: Path, target: Path, build: bool, cancel: threading.Event) -> None:
        (source / "edge_config.json").write_text("garbage")
        rewrite_in_process(source, target, build, cancel)

    engine.close()
    engine = EmbeddedEngine(folder, rewrite=broken)
    index = engine.open(RECIPE)
    index.upsert(points("green", version="gone"))
    index.delete_versions(["gone"])
    with pytest.raises(VectorIndexError, match=r"ended with status 1, saying: .*edge_config\.json.*works as before"):
        engine.erase(NAME)
    assert len(shards(folder)) == 1
    assert (index.count(), engine.unerased()) == (20, [NAME])


def test_a_cancelled_rewrite_ends_its_process_and_leaves_the_collection_as_it_was(folder: Path) -> None:
    cancel = threading.Event()
    cancel.set()
    engine = EmbeddedEngine(folder)
    index = engine.open(RECIPE)
    fill(index, 40)
    index.delete_versions(["v0"])
    with pytest.raises(CancelledError):
        engine.erase(NAME, cancel)
    assert shards(folder) == ["shard"]
    assert (index.count(), engine.unerased()) == (20, [NAME])


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.5])
def test_a_kill_during_a_rewrite_leaves_the_collection_and_what_is_due(tmp_path: Path, seconds: float) -> None:
    code = (
        "import sys; from pathlib import Path; from rag.index.engines.embedded import EmbeddedEngine\n"
        "from tests.build import RECIPE, points\n"
        "engine = EmbeddedEngine(Path(sys.argv[1])); index = engine.open(RECIPE)\n"
        "index.upsert(points(*(f'red {n}' for n in range(1000)), version='stays'))\n"
        "index.upsert(points('Zorblatt', version='gone')); index.delete_versions(['gone'])\n"
        "print('deleted', flush=True); engine.erase(index.name); print('erased', flush=True); input()\n"
    )
    folder = tmp_path / "index"
    pipe = subprocess.PIPE
    process = subprocess.Popen([sys.executable, "-c", code, folder], cwd=ROOT, stdin=pipe, stdout=pipe, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "deleted\n"
    threading.Event().wait(seconds)
    process.kill()
    process.wait()
    engine = EmbeddedEngine(folder)
    index = engine.open(RECIPE)
    assert index.count() == 1000
    assert len(shards(folder)) == 1
    engine.erase(NAME)
    assert index.count() == 1000
    assert files_with(folder, "Zorblatt") == []


def test_a_copied_file_has_the_same_bytes_and_its_holes(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    with source.open("wb") as stream:
        stream.write(b"begin")
        stream.seek(40 << 20)
        stream.write(b"middle")
        stream.truncate(80 << 20)
    copy_file(source, target)
    assert target.read_bytes() == source.read_bytes()
    assert target.stat().st_blocks <= source.stat().st_blocks + 64
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    copy_file(empty, target)
    assert target.read_bytes() == b""
