"""Killed at any moment: each file is wholly old, wholly new or absent, and the next run goes on. On the real engine."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rag.catalog import VersionState
from rag.index.engines.embedded import EmbeddedEngine
from rag.ingest import Completion
from tests.ingest.library import Library, rows

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import sys
from pathlib import Path
from rag.index.engines.embedded import EmbeddedEngine
from tests.ingest.library import Library

folder = Path(sys.argv[1])
library = Library(folder, EmbeddedEngine(folder / "data" / "index"), options={"document_prompt": sys.argv[2]})
print("ready", flush=True)
library.ingestor.sweep()
if sys.argv[3] == "reindex":
    library.ingestor.reindex("qa")
else:
    library.ingest()
print("done", flush=True)
"""


def opened(folder: Path, prompt: str = "passage: ") -> Library:
    return Library(folder, EmbeddedEngine(folder / "data" / "index"), options={"document_prompt": prompt})


def start(folder: Path, prompt: str = "passage: ", work: str = "ingest") -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", SCRIPT, str(folder), prompt, work]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def write(folder: Path, word: str) -> None:
    (folder / "in").mkdir(exist_ok=True)
    for i in range(6):
        text = rows(100 * i + 90, 100 * i).replace("hello", f"hello {word}")
        (folder / "in" / f"{i}.jsonl").write_text(text)


def words_by_file(library: Library) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    counts: dict[str, int] = {}
    for point in library.visible():
        name = point.payload.name
        found.setdefault(name, set()).add(point.payload.chunk.text.rsplit(" ", 1)[-1])
        counts[name] = counts.get(name, 0) + 1
    assert set(counts.values()) <= {90}, "a file is there in part"
    return found


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_killed_ingest_leaves_old_or_new(tmp_path: Path, seed: int) -> None:
    random.seed(seed)
    interrupted = 0
    for round_ in range(4):
        write(tmp_path, f"word{round_}")
        process = start(tmp_path)
        time.sleep(random.uniform(0.0, 0.1 + 0.25 * round_))
        process.send_signal(signal.SIGKILL)
        interrupted += process.wait() == -signal.SIGKILL
        library = opened(tmp_path)
        for words in words_by_file(library).values():
            assert len(words) == 1
        library.engine.close()
    assert interrupted
    library = opened(tmp_path)
    library.ingestor.sweep()
    report = library.ingest()
    assert report.completion is Completion.ALL
    assert words_by_file(library) == {f"{i}.jsonl": {"word3"} for i in range(6)}
    assert library.index().count() == 540
    assert {version.state for version in library.catalog.versions(*VersionState)} == {VersionState.CURRENT}
    assert len(list((tmp_path / "data" / "files").glob("??/*"))) == 6


@pytest.mark.slow
def test_a_killed_reindex_leaves_old_or_new(tmp_path: Path) -> None:
    write(tmp_path, "word")
    assert start(tmp_path).wait() == 0
    prompts = ["passage: ", "text: "]
    for wait in (0.3, 0.6, 0.9):
        process = start(tmp_path, prompts[1], "reindex")
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        process.wait()
        active = opened(tmp_path).catalog.active_index("qa")
        assert active is not None
        prompt = next(prompt for prompt in prompts if f'"document_prompt": "{prompt}"' in active.recipe)
        library = opened(tmp_path, prompt)
        assert len(words_by_file(library)) == 6
        library.engine.close()
    assert start(tmp_path, prompts[1], "reindex").wait() == 0
    library = opened(tmp_path, prompts[1])
    library.ingestor.sweep()
    assert len(words_by_file(library)) == 6
    assert len(library.engine.collections()) == 1


def test_a_second_process_that_writes_is_told_to_wait(tmp_path: Path) -> None:
    library = Library(tmp_path)
    library.write("a.txt", "Apples are red.")
    code = (
        "import sys; from pathlib import Path; from rag.catalog import WriterLock\n"
        "with WriterLock(Path(sys.argv[1])).hold(): print('held', flush=True); sys.stdin.read()"
    )
    lock = library.settings.data_dir / "writer.lock"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    )
    assert other.stdout is not None
    assert other.stdout.readline() == b"held\n"
    assert library.ingestor.sweep() == 0
    other.send_signal(signal.SIGKILL)
    other.wait()
    assert library.ingest().completion is Completion.ALL, "the lock went with its holder"
