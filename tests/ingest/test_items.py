"""Which files a folder gives, and under which names."""

from __future__ import annotations

import io
import os
import time
from pathlib import Path

import pytest

from rag.errors import CatalogError, NotFoundError
from rag.ingest import discover, stage, unstage
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


def test_abandoned_uploads_are_swept_and_new_ones_kept(tmp_path: Path) -> None:
    old, new = stage(tmp_path, "old.txt", b""), stage(tmp_path, "new.txt", b"")
    os.utime(old.path.parent, (time.time() - 90000,) * 2)
    sweep_uploads(tmp_path)
    assert not old.path.exists()
    assert new.path.exists()
