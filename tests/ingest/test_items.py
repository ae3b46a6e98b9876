"""Which files a folder gives, and under which names."""

from __future__ import annotations

import io
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from rag.errors import CatalogError, NotFoundError
from rag.ingest import FileStatus, discover, stage, survey, unstage
from rag.ingest.items import sweep_uploads


def names(*paths: Path, exclude: Path | None = None) -> list[str]:
    return [item.name for item in discover(paths, exclude)]


def write(path: Path, text: str = "text") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_folders_are_walked_and_names_are_relative_and_sorted(tmp_path: Path) -> None:
    for name in ("z.txt", "a/b/c.txt", "a/b.txt"):
        write(tmp_path / "docs" / name)
    assert names(tmp_path / "docs") == ["a/b.txt", "a/b/c.txt", "z.txt"]


def test_hidden_things_are_left_out_unless_they_are_named(tmp_path: Path) -> None:
    hidden = write(tmp_path / ".env")
    write(tmp_path / ".git" / "config")
    write(tmp_path / "a.txt")
    assert names(tmp_path) == ["a.txt"]
    assert names(hidden) == [".env"]


def test_a_hidden_folder_that_is_named_is_walked(tmp_path: Path) -> None:
    write(tmp_path / ".notes" / "a.txt")
    assert names(tmp_path / ".notes") == ["a.txt"]


def test_links_that_lead_out_are_not_followed(tmp_path: Path) -> None:
    secret = write(tmp_path / "secret.txt")
    write(tmp_path / "outside" / "b.txt")
    inside = write(tmp_path / "in" / "a.txt")
    (tmp_path / "in" / "out.txt").symlink_to(secret)
    (tmp_path / "in" / "folder").symlink_to(tmp_path / "outside")
    (tmp_path / "in" / "loop").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "alias.txt").symlink_to(inside)
    (tmp_path / "in" / "broken.txt").symlink_to(tmp_path / "nowhere")
    assert names(tmp_path / "in") == ["a.txt", "alias.txt"]


def test_a_folder_that_is_itself_a_link_is_walked(tmp_path: Path) -> None:
    write(tmp_path / "real" / "a.txt")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert names(tmp_path / "link") == ["a.txt"]


def test_what_is_no_file_is_left_out(tmp_path: Path) -> None:
    write(tmp_path / "a.txt")
    os.mkfifo(tmp_path / "pipe")
    assert names(tmp_path) == ["a.txt"]


LINKS = {
    "itself": "itself",
    "one": "two",
    "two": "one",
    "nowhere": "missing.txt",
    "deep": "deep/deeper",
    "endless": "x" * 200,
}


def test_what_a_person_might_expect_to_be_read_is_skipped_with_the_reason(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    write(folder / "a.txt")
    for name, target in LINKS.items():
        (folder / name).symlink_to(target)
    (folder / "up").symlink_to(folder)
    (folder / "out.txt").symlink_to(write(tmp_path / "out.txt"))
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / "socket"))
        seen = survey([folder])
    assert [item.name for item in seen.items] == ["a.txt"]
    reasons = {outcome.name: outcome.reason for outcome in seen.skipped}
    assert {outcome.status for outcome in seen.skipped} == {FileStatus.SKIPPED}
    expected = {
        "itself": "link that leads to itself",
        "one": "link that leads to itself",
        "two": "link that leads to itself",
        "deep": "link that leads to itself",
        "nowhere": "link to nothing",
        "endless": "link to nothing",
        "up": "link to a folder",
        "out.txt": "leads out of the folder",
        "pipe": "named pipe",
        "socket": "socket",
    }
    assert reasons.keys() == expected.keys()
    assert all(words in reasons[name] for name, words in expected.items())


def test_a_path_that_is_too_long_is_skipped_and_the_rest_is_read(tmp_path: Path) -> None:
    write(tmp_path / "a.txt")
    here = os.open(tmp_path, os.O_RDONLY)
    try:
        for _ in range(25):  # names of 200 bytes each, made step by step: together longer than any path may be
            os.mkdir("d" * 200, dir_fd=here)
            deeper = os.open("d" * 200, os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = deeper
        os.close(os.open("deep.txt", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    finally:
        os.close(here)
    seen = survey([tmp_path])
    assert [item.name for item in seen.items] == ["a.txt"]
    assert ["too long" in outcome.reason for outcome in seen.skipped] == [True]


def test_a_folder_that_cannot_be_read_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "a.txt")
    closed = write(tmp_path / "closed" / "b.txt").parent
    scan = os.scandir

    def refusing(path: str) -> object:
        if str(path) == str(closed):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refusing)  # whoever runs the tests may read everything
    seen = survey([tmp_path])
    assert [item.name for item in seen.items] == ["a.txt"]
    assert [(outcome.name, outcome.reason) for outcome in seen.skipped] == [
        ("closed", "There is no permission to read it.")
    ]


def test_hidden_things_are_counted(tmp_path: Path) -> None:
    for name in (".env", ".git/config", "a/.cache", "a/b.txt"):
        write(tmp_path / name)
    assert survey([tmp_path]).hidden == 3


def test_what_is_no_file_and_is_named_is_skipped(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (outcome,) = survey([tmp_path / "pipe"]).skipped
    assert (outcome.name, outcome.reason) == ("pipe", "It is a named pipe, not a file.")


@pytest.mark.parametrize("name", ["loop", "x" * 300, "a\0b", "missing"])
def test_a_name_that_leads_nowhere_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(NotFoundError, match="Check the path"):
        survey([tmp_path / name])


def test_the_data_folder_is_left_out(tmp_path: Path) -> None:
    write(tmp_path / "a.txt")
    write(tmp_path / "data" / "files" / "x")
    write(tmp_path / "sub" / "data" / "kept.txt")
    assert names(tmp_path, exclude=tmp_path / "data") == ["a.txt", "sub/data/kept.txt"]


def test_files_named_alike_in_two_folders_keep_apart(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        write(tmp_path / folder / "README.md")
    write(tmp_path / "one" / "only.md")
    assert names(tmp_path / "one", tmp_path / "two") == ["one/README.md", "only.md", "two/README.md"]


def test_a_file_given_twice_counts_once(tmp_path: Path) -> None:
    path = write(tmp_path / "docs" / "a.txt")
    assert names(path, path, path.parent) == ["a.txt"]


def test_a_missing_path_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="missing"):
        discover([tmp_path / "missing"])


def test_uploads_may_be_bytes_or_streams(tmp_path: Path) -> None:
    items = [stage(tmp_path, "a.txt", b"one"), stage(tmp_path, "a.txt", io.BytesIO(b"two"))]
    assert [item.path.read_bytes() for item in items] == [b"one", b"two"]
    assert {item.name for item in items} == {"a.txt"}
    unstage(items)
    assert not any(item.path.exists() for item in items)


def test_only_staged_files_are_ever_removed(tmp_path: Path) -> None:
    path = write(tmp_path / "own.txt")
    unstage(discover([path]))
    assert path.exists()


def test_an_upload_that_cannot_be_saved_says_so(tmp_path: Path) -> None:
    blocked = write(tmp_path / "data")
    with pytest.raises(CatalogError, match="RAG_DATA_DIR"):
        stage(blocked, "a.txt", b"")


CRASH = """
import os, sys
from pathlib import Path
from rag.ingest import stage
item = stage(Path(sys.argv[1]), "old.txt", b"left by a kill")
print(item.path, flush=True)
os.kill(os.getpid(), 9)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_uploads_of_a_killed_process_are_swept_and_others_kept(tmp_path: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", CRASH, tmp_path], capture_output=True, text=True)
    old, new = Path(killed.stdout.strip()), stage(tmp_path, "new.txt", b"mine")
    assert old.exists()
    sweep_uploads(tmp_path)
    assert not old.exists()
    assert new.path.exists()


def test_an_upload_that_nobody_holds_any_more_goes(tmp_path: Path) -> None:
    item = stage(tmp_path, "a.txt", b"text")
    path = item.path
    del item
    assert not path.exists()
