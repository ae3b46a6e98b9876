"""Only the owner reads what the program writes, and it writes nothing outside of the data folder."""

from __future__ import annotations

import io
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag import files
from rag.evaluation.run.systems import STANDARD
from rag.files import Scratch, keep_private, private_folder, sweep_scratch
from rag.services import Rag
from rag.settings import load_settings
from tests.fakes import FakeEmbedder

ROOT = Path(__file__).resolve().parents[1]
PART = "# Part {0}\n\nThe warranty of part {0} lasts {0} years, and its battery {0} hours."
TEXT = "\n\n".join(PART.format(number) for number in range(30))
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX")


def lax(folder: Path) -> dict[str, str]:
    """Modes of what others may read, write or enter, by name."""
    modes = {path: path.lstat().st_mode for path in (folder, *folder.rglob("*"))}
    return {
        path.relative_to(folder).as_posix(): oct(stat.S_IMODE(mode)) for path, mode in modes.items() if mode & 0o077
    }


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_what_a_program_writes_is_its_owner_s(open_umask: None, tmp_path: Path) -> None:
    keep_private()
    rag = Rag(load_settings(data_dir=tmp_path / "data"), embedder=FakeEmbedder(384))
    rag.ingest_uploads([("guide.md", TEXT.encode()), ("stream.md", io.BytesIO(b"A stream.")), ("bad.png", b"")], "qa")
    conversation = rag.new_conversation()
    list(rag.ask("How long does the warranty of part 3 last?"))
    assert conversation
    rag.evaluations.run(rag.evaluations.from_index("qa"), "qa", STANDARD)
    rag.close()
    assert lax(tmp_path / "data") == {}
    assert len(list((tmp_path / "data").rglob("*"))) > 20


def test_the_folder_of_a_library_in_another_program_is_closed(open_umask: None, tmp_path: Path) -> None:
    rag = Rag(load_settings(data_dir=tmp_path / "data"), embedder=FakeEmbedder(384))
    rag.files()
    rag.close()
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


def test_a_folder_of_an_older_version_is_mended_when_it_is_opened(open_umask: None, tmp_path: Path) -> None:
    data = tmp_path / "data"
    rag = Rag(load_settings(data_dir=data), embedder=FakeEmbedder(384))
    rag.ingest_uploads([("guide.md", TEXT.encode())], "qa")
    rag.close()
    for path in (data, *data.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    (data / "link").symlink_to(tmp_path)
    keep_private()
    rag = Rag(load_settings(data_dir=data), embedder=FakeEmbedder(384))
    assert rag.files()
    rag.close()
    (data / "link").unlink()
    assert lax(data) == {}
    assert stat.S_IMODE(tmp_path.stat().st_mode) & 0o700 == 0o700


def test_scratch_files_are_closed_to_others_and_go(open_umask: None, tmp_path: Path) -> None:
    with Scratch(tmp_path / "data") as folder:
        assert folder.is_relative_to(tmp_path / "data")
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        (folder / "a").write_text("a")
    assert not folder.exists()


def test_scratch_files_of_this_process_are_not_swept(tmp_path: Path) -> None:
    with Scratch(tmp_path) as folder:
        sweep_scratch(tmp_path)
        assert folder.exists()


def test_a_data_folder_that_was_removed_is_made_again(tmp_path: Path) -> None:
    with Scratch(tmp_path / "data"):
        pass
    import shutil

    shutil.rmtree(tmp_path / "data")
    with Scratch(tmp_path / "data") as folder:
        assert folder.is_dir()


def test_an_unwritable_place_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(OSError, match="data"):
        private_folder(tmp_path / "data")
    assert files._OTHERS == 0o077


PROGRAM = """
import sys
from rag.cli import main
main(sys.argv[1:])
"""


@pytest.mark.slow
def test_the_command_line_writes_in_the_data_folder_alone(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "guide.md").write_text(TEXT)
    for name in ("tmp", "home", "here"):
        (tmp_path / name).mkdir()

    def run(*arguments: str, data: str = "data") -> None:
        folders = {"TMPDIR": "tmp", "HOME": "home", "RAG_DATA_DIR": data}
        variables = {variable: str(tmp_path / name) for variable, name in folders.items()}
        environment = {**os.environ, **variables, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
        command = ["sh", "-c", 'umask 022; exec "$@"', "sh", sys.executable, "-c", PROGRAM, *arguments]
        ended = subprocess.run(command, cwd=tmp_path / "here", env=environment, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stderr
        assert lax(tmp_path / data) == {}
        assert [list((tmp_path / name).rglob("*")) for name in ("tmp", "home", "here")] == [[], [], []]

    run("ingest", str(tmp_path / "in"))
    run("ask", "How long does the warranty of part 3 last?")
    run("evaluate", "--index", "qa")
    (tmp_path / "data").rename(tmp_path / "moved")
    run("ask", "How long does the warranty of part 4 last?", data="moved")
    assert len(list((tmp_path / "moved").rglob("*.blob"))) == 1, "one compiled form of the model, wherever it was made"
