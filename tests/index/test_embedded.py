"""The embedded engine where it meets a disk, other processes and threads."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from rag.errors import IndexClosedError, IndexLockedError, RecipeMismatchError, VectorIndexError
from rag.index import collection_name
from rag.index.driver import BATCH
from rag.index.engines.embedded import EmbeddedEngine
from rag.types import Search
from tests.build import EVERYTHING, RECIPE, point, points, terms, unit

ROOT = Path(__file__).resolve().parents[2]
NAME = collection_name(RECIPE)


def test_nothing_is_written_until_a_collection_is_opened(folder: Path) -> None:
    engine = EmbeddedEngine(folder)
    assert engine.collections() == []
    assert engine.open_as_built(NAME) is None
    assert not folder.exists()


def test_a_second_owner_is_told_of_the_server_mode(folder: Path) -> None:
    engine = EmbeddedEngine(folder)
    engine.open(RECIPE)
    with pytest.raises(IndexLockedError, match="RAG_QDRANT_URL"):
        EmbeddedEngine(folder).open(RECIPE)
    engine.close()
    EmbeddedEngine(folder).open(RECIPE).close()


def test_a_second_process_is_told_of_the_server_mode(folder: Path) -> None:
    engine = EmbeddedEngine(folder)
    engine.open(RECIPE)
    code = (
        "import sys; from pathlib import Path\n"
        "from rag.index.engines.embedded import EmbeddedEngine; from tests.build import RECIPE\n"
        "EmbeddedEngine(Path(sys.argv[1])).open(RECIPE)"
    )
    done = subprocess.run([sys.executable, "-c", code, folder], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "IndexLockedError" in done.stderr
    assert "RAG_QDRANT_URL" in done.stderr


def test_a_recipe_that_was_tampered_with_is_refused(folder: Path) -> None:
    engine = EmbeddedEngine(folder)
    engine.open(RECIPE).close()
    path = folder / NAME / "recipe.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "precision": "int8"}))
    with pytest.raises(RecipeMismatchError, match=r"precision: 'int8' -> 'float32'.*reindex --task qa"):
        engine.open(RECIPE)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "\x00\xff"])
def test_a_damaged_recipe_is_reported(folder: Path, text: str) -> None:
    engine = EmbeddedEngine(folder)
    engine.open(RECIPE).close()
    (folder / NAME / "recipe.json").write_text(text)
    with pytest.raises(RecipeMismatchError, match="reindex"):
        engine.open(RECIPE)
    with pytest.raises(RecipeMismatchError, match="reindex"):
        engine.open_as_built(NAME)


def test_a_damaged_shard_is_reported(folder: Path) -> None:
    engine = EmbeddedEngine(folder)
    engine.open(RECIPE).close()
    (folder / NAME / "shard" / "edge_config.json").write_text("garbage")
    with pytest.raises(VectorIndexError, match=r"edge_config\.json.*reindex"):
        engine.open(RECIPE)


def test_a_foreign_folder_is_no_collection(folder: Path) -> None:
    (folder / "notes").mkdir(parents=True)
    (folder / NAME).mkdir()
    engine = EmbeddedEngine(folder)
    assert engine.collections() == []
    with pytest.raises(RecipeMismatchError, match="no index of this program"):
        engine.open(RECIPE)


@pytest.mark.parametrize("name", ["..", "../index", ".new-x", "a/b", ""])
def test_only_a_collection_can_be_dropped(folder: Path, name: str) -> None:
    engine = EmbeddedEngine(folder)
    engine.open(RECIPE)
    with pytest.raises(VectorIndexError, match="collection's name"):
        engine.drop(name)
    assert engine.collections() == [NAME]


def test_what_a_killed_creation_left_is_no_collection_and_is_swept(folder: Path) -> None:
    pending = folder / ".new-0123"
    pending.mkdir(parents=True)
    (pending / "recipe.json").write_text("{}")
    engine = EmbeddedEngine(folder)
    assert engine.collections() == []
    engine.open(RECIPE)
    assert pending.exists(), "it may be another process's work of this moment"
    import os

    os.utime(pending, (0, 0))
    engine.open(replace(RECIPE, task="faq"))
    assert not pending.exists()


def test_eight_threads_read_while_two_write(folder: Path) -> None:
    index = EmbeddedEngine(folder).open(RECIPE)
    index.upsert(points(*(f"red text {n}" for n in range(300))))

    def read(n: int) -> int:
        dense, lexical = index.search(
            [Search(EVERYTHING, 5, vector=unit(f"red text {n}")), Search(EVERYTHING, 5, terms=terms("red"))]
        )
        assert dense[0].payload.chunk.text == f"red text {n}"
        return len(lexical)

    def write(n: int) -> int:
        index.upsert(points("red", "green", document=f"w{n}", version=f"w{n}"))
        return 5

    with ThreadPoolExecutor(10) as pool:
        jobs = [pool.submit(write if n % 10 == 0 else read, n) for n in range(200)]
        assert [job.result() for job in jobs] == [5] * 200
    assert index.count() == 300 + 2 * 20


def test_closing_while_others_read_ends_in_our_error_only(folder: Path) -> None:
    index = EmbeddedEngine(folder).open(RECIPE)
    index.upsert(points("red"))

    def read() -> str:
        while True:
            try:
                index.search([Search(EVERYTHING, 5, terms=terms("red"))])
            except IndexClosedError:
                return "closed"

    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(read) for _ in range(4)]
        time.sleep(0.05)
        index.close()
        assert [job.result(timeout=20) for job in jobs] == ["closed"] * 4


def test_a_kill_leaves_whole_batches_and_all_that_was_acknowledged(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from rag.index.engines.embedded import EmbeddedEngine\n"
        "from tests.build import RECIPE, point\n"
        "index = EmbeddedEngine(Path(sys.argv[1])).open(RECIPE)\n"
        "for n in range(10_000):\n"
        f"    index.upsert([point(f'text {{k}}', document=f'd{{n}}', ordinal=k) for k in range({BATCH})])\n"
        "    print(n, flush=True)\n"
    )
    folder = tmp_path / "index"
    process = subprocess.Popen([sys.executable, "-c", code, folder], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        acknowledged = int(line)
        if acknowledged == 5:
            break
    time.sleep(0.02)
    process.kill()
    process.wait()
    index = EmbeddedEngine(folder).open(RECIPE)
    count = index.count()
    assert count % BATCH == 0
    assert count >= BATCH * 6
    assert len(index.search([Search(EVERYTHING, 100, terms=terms("text"))])[0]) == 100
    index.upsert([point("new", document="new")])
    assert index.count() == count + 1
