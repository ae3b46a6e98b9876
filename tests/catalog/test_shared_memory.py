"""SQLite's shared memory on a disk of small blocks that is full."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.catalog.shared_memory import allocate_shared_memory

ROOT = Path(__file__).resolve().parents[2]
KEEPS = """
import os, sys
from pathlib import Path
from rag.catalog import Catalog
from rag.errors import DiskFullError

folder = Path(sys.argv[1])
catalog = Catalog(folder / "data")
catalog.close()
with (folder / "filled").open("wb", buffering=0) as file:
    try:
        while True:
            file.write(bytes(512))
    except OSError:
        pass
catalog = Catalog(folder / "data")
try:
    for number in range(300):
        catalog.workspace("default").conversations.add(f"Conversation {number} " + "words " * 500)
except DiskFullError as exc:
    print(exc)
print(len(catalog.workspace("default").conversations.list()) < 300)
"""


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="the handle is found by Linux alone")
def test_the_shared_memory_is_allocated_by_the_handle_of_sqlite(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE t (x)")
    before = len(list(Path("/proc/self/fd").iterdir()))
    allocate_shared_memory(path)
    status = Path(f"{path}-shm").stat()
    assert status.st_blocks * 512 >= status.st_size == 128 << 10
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    connection.execute("BEGIN IMMEDIATE")
    code = f"import sqlite3; sqlite3.connect({str(path)!r}, timeout=0).execute('BEGIN IMMEDIATE')"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "locked" in other.stderr, "the locks are still held"
    connection.close()


@pytest.fixture
def small_blocks(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MB with blocks of 1 kB."""
    make, mount = shutil.which("mkfs.ext4", path="/usr/sbin:/sbin:/usr/bin"), shutil.which("mount")
    if make is None or mount is None:
        pytest.skip("no tool to make a disk with")
    image, folder = tmp_path / "image", tmp_path / "disk"
    folder.mkdir()
    with image.open("wb") as file:
        file.truncate(24 << 20)
    subprocess.run([make, "-q", "-F", "-b", "1024", "-m", "0", str(image)], check=True)
    if subprocess.run([mount, "-o", "loop", str(image), str(folder)], capture_output=True, check=False).returncode:
        pytest.skip("mounting a disk is not permitted")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.slow
def test_writing_to_a_full_disk_of_small_blocks_is_an_error_in_words(small_blocks: Path) -> None:
    process = subprocess.run(
        [sys.executable, "-c", KEEPS, str(small_blocks)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stderr
    assert "The disk is full" in process.stdout
    assert process.stdout.endswith("True\n")
