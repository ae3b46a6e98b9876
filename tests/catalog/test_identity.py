"""Which catalog this is, whose the originals are, and what a database says that is not what it was."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from rag.catalog import Catalog, NewDocument, NewVersion, VersionCard, VersionState
from rag.errors import CatalogError
from tests.catalog.test_migrations import restore

CARD = VersionCard("v1", "f1", "default", "qa", "a.txt", "ab" * 32, 3, "qa-one", 1, 2, 5.0)


def test_every_catalog_has_an_id_of_its_own_that_stays(tmp_path: Path) -> None:
    first, second = Catalog(tmp_path / "one"), Catalog(tmp_path / "two")
    assert first.id != second.id
    first.close()
    assert Catalog(tmp_path / "one").id == first.id


def test_a_catalog_of_version_0_1_0_gets_an_id(tmp_path: Path) -> None:
    restore(tmp_path / "catalog.db")
    assert len(Catalog(tmp_path).id) == 36
    assert Catalog(tmp_path).id == Catalog(tmp_path).id


def test_a_database_that_is_removed_while_it_is_open_is_not_made_anew(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    for path in tmp_path.glob("catalog.db*"):
        path.unlink()
    with pytest.raises(CatalogError, match=r"was removed or replaced.*check --repair"):
        catalog.workspace("default").files()
    with pytest.raises(CatalogError, match="was removed or replaced"):
        catalog.workspace("default").conversations.add("Hello")
    assert not (tmp_path / "catalog.db").exists()
    Catalog(tmp_path).close()
    with pytest.raises(CatalogError, match="was removed or replaced"):
        catalog.workspace("default").files()


@pytest.mark.parametrize("damage", ["garbled", "no tables"])
def test_a_damaged_database_names_the_remedy(tmp_path: Path, damage: str) -> None:
    Catalog(tmp_path).close()
    path = tmp_path / "catalog.db"
    if damage == "garbled":
        path.write_bytes(b"\x07" * path.stat().st_size)
    else:
        connection = sqlite3.connect(path)
        connection.execute("DROP TABLE catalog_identity")
        connection.close()
    with pytest.raises(CatalogError, match=r"is damaged .*backup.*check --repair"):
        Catalog(tmp_path)


def test_a_database_that_is_damaged_inside_is_noticed_by_a_look_at_all_of_it(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    assert catalog.faults() == []
    catalog.close()
    connection = sqlite3.connect(tmp_path / "catalog.db")
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute("DELETE FROM sqlite_master WHERE name = 'feedback_by_task'")
    connection.commit()
    connection.close()
    assert Catalog(tmp_path).faults() != []


def test_a_data_folder_that_is_a_file_is_refused_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a folder")
    for folder in (tmp_path / "data", tmp_path / "data" / "below"):
        with pytest.raises(CatalogError, match=r"RAG_DATA_DIR.*folder"):
            Catalog(folder)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_data_folder_that_cannot_be_written_is_refused_with_the_remedy(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    tmp_path.chmod(0o500)
    with pytest.raises(CatalogError, match=r"cannot be written.*RAG_DATA_DIR"), catalog.writer.hold():
        pass
    with pytest.raises(CatalogError, match=r"cannot be made.*RAG_DATA_DIR"):
        Catalog(tmp_path / "below")
    tmp_path.chmod(0o700)


def test_originals_say_whose_they_are(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    assert catalog.originals.owner == ""
    catalog.originals.claim(catalog.id)
    assert Catalog(tmp_path).originals.owner == catalog.id
    (tmp_path / "files" / "owner").write_bytes(b"\xff\xfe\x00")
    assert catalog.originals.owner == ""


def test_an_original_that_was_tampered_with_is_noticed_and_replaced_by_the_true_one(tmp_path: Path) -> None:
    originals = Catalog(tmp_path).originals
    sha256 = originals.add_stream([b"the truth"])
    assert originals.is_intact(sha256)
    originals.path(sha256).write_bytes(b"a lie")
    assert not originals.is_intact(sha256)
    assert originals.add_stream([b"the truth"]) == sha256
    assert originals.is_intact(sha256)
    assert list(originals.all()) == [sha256]
    assert originals.set_aside(sha256).read_bytes() == b"the truth"
    assert not originals.has(sha256)


def test_cards_are_read_back_and_damaged_ones_left_out(tmp_path: Path) -> None:
    cards = Catalog(tmp_path).originals.cards
    assert list(cards.all()) == []
    cards.add([CARD])
    assert list(cards.all()) == [CARD]
    assert cards.exists(CARD.sha256, "v1")
    assert cards.refers_to(CARD.sha256)
    assert cards.versions() == {"v1"}
    for garbage in (b"", b"[]", b'{"version": 1}', os.urandom(50)):
        next((tmp_path / "files" / "versions").glob("*/*")).write_bytes(garbage)
        assert list(cards.all()) == []
    cards.remove(CARD.sha256, "v1")
    assert not cards.refers_to(CARD.sha256)


def test_a_version_is_adopted_unless_a_newer_one_is_current(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    document = NewDocument("v1", "d1", "", "A", 3, 0, 2, "text", "")
    assert catalog.recovery.adopt(CARD, [document])
    (record,) = catalog.workspace("default").documents()
    assert (record.version, record.file, record.sha256, record.committed) == ("v1", "f1", CARD.sha256, 5.0)
    assert catalog.recovery.cards(VersionState.CURRENT) == [CARD]
    newer = VersionCard("v2", "other", "default", "qa", "a.txt", "cd" * 32, 3, "qa-one", 1, 2, 6.0)
    assert catalog.recovery.adopt(newer, [])
    assert not catalog.recovery.adopt(CARD, [document])
    (file,) = catalog.workspace("default").files()
    assert (file.version, file.id) == ("v2", "f1"), "the file keeps its id"
    assert catalog.recovery.collections() == {"qa-one"}


def test_a_pending_version_can_be_adopted(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    workspace = catalog.workspace("default")
    workspace.begin([NewVersion("v1", "f1", "qa", "a.txt", CARD.sha256, 3, "qa-one")], [])
    assert catalog.recovery.adopt(CARD, [NewDocument("v1", "d1", "", "A", 3, 0, 2, "text", "")])
    assert [file.version for file in workspace.files()] == ["v1"]


def test_originals_that_no_version_came_of_are_removed_and_others_stay(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    originals = catalog.originals
    stray, named, carded, foreign = (originals.add_stream([word]) for word in (b"a", b"b", b"c", b"d"))
    killed = catalog.arriving([stray, named, carded])
    killed.__enter__()
    catalog.workspace("default").begin([NewVersion("v1", "f1", "qa", "a.txt", named, 3, "qa-one")], [])
    originals.cards.add([replace(CARD, sha256=carded)])
    assert len(list(originals.all())) == 4
    Catalog(tmp_path).sweep_arrivals()
    assert set(originals.all()) == {named, carded, foreign}
    originals.remove(named)
    with catalog.arriving([stray]):
        originals.add_stream([b"a"])
    assert set(originals.all()) == {carded, foreign}


def test_an_original_that_is_missing_or_cut_is_restored(tmp_path: Path) -> None:
    originals = Catalog(tmp_path).originals
    source = tmp_path / "a.txt"
    source.write_bytes(b"the truth")
    sha256 = originals.add(source)
    originals.path(sha256).write_bytes(b"")
    originals.restore(sha256, source, 9)
    assert originals.is_intact(sha256)
    originals.remove(sha256)
    originals.restore(sha256, tmp_path / "gone.txt", 9)
    assert not originals.has(sha256)
    originals.restore(sha256, source, 9)
    assert originals.is_intact(sha256)
