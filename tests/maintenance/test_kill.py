"""kill -9 at random moments, and a backup of a library that another process has open."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from bench.trust.rows.kill import Attack
from bench.trust.victim import COMMANDS
from rag import Rag
from tests.maintenance.conftest import Opener, points

ROOT = Path(__file__).resolve().parents[2]
HOLD = """
import sys
from pathlib import Path
from rag import Rag
from rag.settings import load_settings
from tests.fakes import FakeEmbedder
rag = Rag(load_settings(data_dir=Path(sys.argv[1])), embedder=FakeEmbedder(384))
print(len(rag.search("apples").hits), flush=True)
sys.stdin.read()
rag.close()
"""


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_a_killed_command_leaves_all_or_nothing(tmp_path: Path, command: str) -> None:
    attack = Attack(tmp_path, random.Random(command))
    attack.begin()
    for _ in range(3):
        attack.strike(command)
    assert (attack.lost, attack.doubled, attack.halves) == ([], [], [])


def test_a_library_is_backed_up_while_another_process_has_it_open(rag: Rag, open_rag: Opener, folder: Path) -> None:
    rag.close()
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder / "data")], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert other.stdout is not None
    assert int(other.stdout.readline())
    open_rag().backups.make(folder / "open.zip")
    other.communicate()
    restored = open_rag("new")
    restored.backups.restore(folder / "open.zip")
    assert points(restored) == points(open_rag())
