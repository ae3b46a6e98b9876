"""What is refused, why it says so, and that nothing is changed then. A backup may come from anyone."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag import Rag
from rag.errors import BackupError
from rag.maintenance.archive import opened_archive
from rag.settings import load_settings
from tests.fakes import FakeEmbedder
from tests.maintenance.conftest import DIMENSION, Opener, contents

ROOT = Path(__file__).resolve().parents[2]
Change = Callable[[dict[str, Any], dict[str, bytes]], object]


def rewrite(path: Path, change: Change, **entry: int) -> None:
    """Change the manifest and the members of a backup, and keep them in line, as somebody who means harm would."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(members.pop("manifest.json"))
    change(manifest, members)
    known = {member["name"] for member in manifest["members"]}
    for name in members.keys() - known:
        digest = hashlib.sha256(members[name]).hexdigest()
        manifest["members"].append({"name": name, "size": len(members[name]), "zeros": 0, "sha256": digest})
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = entry.get("mode", 0o100600) << 16 if name not in known else 0o100600 << 16
            archive.writestr(info, content)
        archive.writestr("manifest.json", json.dumps(manifest))


def refused(rag: Rag, path: Path, words: str, **options: bool) -> None:
    folder = rag.settings.data_dir
    before = sorted(folder.parent.rglob("*"))
    with pytest.raises(BackupError, match=words):
        rag.backups.restore(path, **options)
    assert sorted(folder.parent.rglob("*")) == before, "something was left or changed"


@pytest.mark.parametrize(
    "name",
    [
        "../outside.txt",
        "/etc/outside",
        "index/../../outside",
        "index/./x",
        "index//x",
        "files\\..\\x",
        "C:/x",
        "profiles/a:b.json",
        "elsewhere/x",
        "manifest2.json",
        "index/",
        "index/x\x00y",
        "index/" + 300 * "x",
        "files/aa/" + 64 * "a",
    ],
)
def test_names_that_no_backup_has(open_rag: Opener, backup: Path, name: str) -> None:
    rewrite(backup, lambda manifest, members: members.update({name: b"x"}))
    refused(open_rag("new"), backup, "no place|is no|not as the manifest|missing|no backup")


def test_links_are_no_members(open_rag: Opener, backup: Path) -> None:
    rewrite(backup, lambda manifest, members: members.update({"index/link": b"/etc/passwd"}), mode=0o120777)
    refused(open_rag("new"), backup, "no plain file")


def test_a_member_that_is_not_in_the_manifest_or_twice(open_rag: Opener, backup: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(backup, "a") as archive:
        archive.writestr("catalog.db", archive.read("catalog.db"))
    refused(open_rag("new"), backup, "missing, or there twice")
    with zipfile.ZipFile(backup, "a") as archive:
        archive.writestr("index/surplus", b"x")
    refused(open_rag("new"), backup, "not as the manifest says")


def test_a_bomb_is_not_unpacked(open_rag: Opener, backup: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.maintenance.archive._SUSPICIOUS", 1 << 20)
    size = (1 << 26) + 1
    with zipfile.ZipFile(backup) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(members.pop("manifest.json"))
    manifest["members"].append({"name": "index/bomb", "size": size, "zeros": 0, "sha256": 64 * "0"})
    with zipfile.ZipFile(backup, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**members, "manifest.json": json.dumps(manifest).encode()}.items():
            archive.writestr(name, content)
        with archive.open("index/bomb", "w") as target:
            block = bytes(1 << 24)
            for _ in range(size >> 24):
                target.write(block)
            target.write(b"x")
    refused(open_rag("new"), backup, "times its own size")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda manifest, _: manifest.update(schema="9999"), "schema version 9999, expected at most"),
        (lambda manifest, _: manifest.update(format=2), "format 2, expected 1"),
        (lambda manifest, _: manifest.pop("format"), "names no format"),
        (lambda manifest, _: manifest.pop("indexes"), "not in order"),
        (lambda manifest, _: manifest.update(surprise=1), "not in order"),
        (lambda manifest, _: manifest.update(files="many"), "not in order"),
        (lambda manifest, _: manifest["members"][0].update(zeros=1 << 40), "no place"),
        (lambda manifest, _: manifest["members"][0].update(size=-1), "no place"),
        (lambda manifest, _: manifest["members"][0].update(sha256=64 * "0"), "not what was written"),
        (lambda _, members: members.pop("catalog.db"), "missing"),
        (lambda _, members: members.update({"catalog.db": b"x" + members["catalog.db"][1:]}), "not what was written"),
    ],
)
def test_other_schemas_formats_and_contents(open_rag: Opener, backup: Path, change: Change, words: str) -> None:
    rewrite(backup, change)
    refused(open_rag("new"), backup, words)


def test_no_backup_at_all(open_rag: Opener, folder: Path) -> None:
    (folder / "text.zip").write_text("no zip")
    refused(open_rag("new"), folder / "text.zip", "no backup, or it is damaged")
    with zipfile.ZipFile(folder / "other.zip", "w") as archive:
        archive.writestr("x", "y")
    refused(open_rag("new"), folder / "other.zip", "no backup of this program")
    refused(open_rag("new"), folder / "absent.zip", "cannot be read")
    refused(open_rag("new"), folder, "cannot be read")


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(0, 1), st.integers(1, 255), st.booleans())
def test_a_damaged_file_is_refused_or_harmless(
    filled: Path, tmp_path: Path, where: float, flip: int, cut: bool
) -> None:
    """Unpacking every member finds each flipped bit and each missing end, unless nothing reads that byte."""
    content = bytearray((filled / "backup.zip").read_bytes())
    position = min(int(where * len(content)), len(content) - 1)
    if cut:
        del content[position:]
    else:
        content[position] ^= flip
    path, target = tmp_path / "damaged.zip", tmp_path / "new"
    path.write_bytes(content)
    rag = Rag(load_settings(data_dir=target), embedder=FakeEmbedder(DIMENSION))
    try:
        rag.backups.restore(path)
    except BackupError as exc:
        assert "Nothing was changed" in str(exc)
        assert not target.exists()
    else:
        assert not cut
        with opened_archive(filled / "backup.zip") as (_, sound):
            assert len(rag.files()) == sound.files
        rag.close()
        subprocess.run(["rm", "-r", str(target)], check=True)
    rag.close()


def test_a_folder_that_is_not_empty_is_left_alone_or_moved_aside(
    rag: Rag, open_rag: Opener, backup: Path, folder: Path
) -> None:
    rag.delete(["0.md"], "qa")
    names = [file.name for file in rag.files()]
    rag.close()
    other = open_rag()
    refused(other, backup, "not empty.*--force")
    report = other.backups.restore(backup, force=True)
    assert report.moved is not None
    assert len(other.files()) == len(names) + 1
    assert [file.name for file in open_rag(report.moved.name).files()] == names


def test_a_library_that_is_open_elsewhere_is_not_moved(rag: Rag, open_rag: Opener, backup: Path) -> None:
    rag.search("apples")
    code = (
        "import sys; from pathlib import Path; from rag import Rag; from rag.settings import load_settings\n"
        "from rag.errors import RagError; from tests.fakes import FakeEmbedder\n"
        "rag = Rag(load_settings(data_dir=Path(sys.argv[1])), embedder=FakeEmbedder(384))\n"
        "try: rag.backups.restore(Path(sys.argv[2]), force=True)\n"
        "except RagError as exc: print(exc)"
    )
    command = [sys.executable, "-c", code, str(rag.settings.data_dir), str(backup)]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "Stop it" in answer
    assert rag.search("apples").hits


def test_another_model_is_refused_with_what_to_set(open_rag: Opener, backup: Path, folder: Path) -> None:
    other = open_rag("new", document_prompt="text: ")
    refused(other, backup, "RAG_DOCUMENT_PROMPT='passage: ' and restore again, or restore with --any-recipe.*reindex")
    report = other.backups.restore(backup, any_recipe=True)
    assert report.files == len(other.files())
    assert other.status().problems
    reports = other.reindex()
    assert reports["qa"].switched
    assert other.status().problems == ()
    assert other.search("apples").hits


def test_a_tuned_profile_is_part_of_the_recipe(rag: Rag, open_rag: Opener, folder: Path) -> None:
    from rag.tasks.profiles import Profile, save_profile

    save_profile(folder / "data", Profile("qa", "query/query", 0.5, 200))
    rag.reindex("qa")
    rag.backups.make(folder / "tuned.zip")
    restored = open_rag("new")
    restored.backups.restore(folder / "tuned.zip")
    assert contents(restored) == contents(rag)


def test_an_older_schema_is_migrated_and_its_triggers_stay_behind(open_rag: Opener, backup: Path, folder: Path) -> None:
    with zipfile.ZipFile(backup) as archive:
        archive.extract("catalog.db", folder)
    database = sqlite3.connect(folder / "catalog.db")
    database.execute("CREATE TRIGGER t AFTER INSERT ON conversations BEGIN DELETE FROM files; END")
    database.commit()
    database.close()
    content = (folder / "catalog.db").read_bytes()

    def change(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
        members["catalog.db"] = content
        manifest["members"] = [member for member in manifest["members"] if member["name"] != "catalog.db"]

    rewrite(backup, change)
    restored = open_rag("new")
    restored.backups.restore(backup)
    restored.new_conversation()
    assert restored.files()


def test_a_mount_point_is_filled_from_inside(
    open_rag: Opener, backup: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "new" / "lost+found").mkdir(parents=True)
    monkeypatch.setattr(Path, "is_mount", lambda path: path == folder / "new")
    restored = open_rag("new")
    report = restored.backups.restore(backup)
    assert len(restored.files()) == report.files
    assert not (folder / "new" / ".restore").exists()
    restored.close()
    refused(open_rag("new"), backup, "mount point", force=True)
