"""The lock between those who change an index folder and those who copy it."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from rag.errors import VectorIndexError
from rag.index.engines.embedded import EmbeddedEngine
from rag.index.stillness import Stillness
from tests.build import RECIPE

ROOT = Path(__file__).resolve().parents[2]
HOLD = """
import sys
from pathlib import Path
from rag.index.stillness import Stillness
with Stillness(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_nothing_is_written_while_it_is_still(folder: Path) -> None:
    engine = EmbeddedEngine(folder)
    index = engine.open(RECIPE)
    done = threading.Event()

    def write() -> None:
        index.delete_versions(["some"])
        done.set()

    with engine.still():
        thread = threading.Thread(target=write)
        thread.start()
        assert not done.wait(0.3)
        assert index.count() == 0, "readers go on"
    assert done.wait(10)
    thread.join()
    engine.close()


def test_another_process_is_waited_for_and_one_that_dies_is_not(folder: Path) -> None:
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert other.stdout is not None
    assert other.stdout.readline() == b"held\n"
    with pytest.raises(VectorIndexError, match="without a pause"), Stillness(folder, patience=0.2).still():
        pass
    other.kill()
    other.communicate()
    with Stillness(folder).still():
        pass


def test_a_busy_writer_does_not_keep_it_waiting(folder: Path) -> None:
    stop = threading.Event()

    def write() -> None:
        own = Stillness(folder)
        while not stop.is_set():
            with own:
                stop.wait(0.02)

    thread = threading.Thread(target=write)
    thread.start()
    for _ in range(5):
        with Stillness(folder, patience=10).still():
            pass
    stop.set()
    thread.join()


def test_it_is_reentrant(folder: Path) -> None:
    stillness = Stillness(folder)
    with stillness, stillness:
        pass
    with stillness.still():
        pass


def test_only_files_in_use_are_named(folder: Path) -> None:
    engine = EmbeddedEngine(folder)
    index = engine.open(RECIPE)
    (folder / index.name / "shard-left" / "x").parent.mkdir()
    (folder / index.name / "shard-left" / "x").write_text("of a build that was killed")
    (folder / ".new-left").mkdir()
    names = {path.as_posix() for path in engine.files()}
    assert f"{index.name}/recipe.json" in names
    assert any(name.startswith(f"{index.name}/shard/") for name in names)
    assert not any("left" in name or "/." in name or name.startswith(".") for name in names)
    engine.close()
