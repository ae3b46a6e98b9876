"""The catalog: scoping, versions replaced in one commit, failures, switching, and errors people can read."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from rag.catalog import (
    Catalog,
    FailureRecord,
    Finished,
    IndexRecord,
    NewDocument,
    NewVersion,
    VersionState,
    WorkspaceCatalog,
    WriterLock,
)
from rag.catalog.tables import documents, files, versions
from rag.errors import CancelledError, CatalogError, NotFoundError


def begin(
    workspace: WorkspaceCatalog, version: str, name: str = "a.txt", *, file: str = "", collection: str = "qa-one"
) -> str:
    file = file or f"file-{workspace.workspace}-{name}"
    new = NewVersion(version, file, "qa", name, f"sha-{version}", 7, collection)
    workspace.begin([new], [NewDocument(version, f"doc-{file}", "", "Title", 100, 0, 2, "text", "")])
    return file


def add(workspace: WorkspaceCatalog, version: str, name: str = "a.txt") -> None:
    begin(workspace, version, name)
    workspace.commit([Finished(version, 1, 2, 2, 0)])


def states(catalog: Catalog) -> dict[str, VersionState]:
    return {version.id: version.state for version in catalog.versions(*VersionState)}


def test_a_pending_version_is_hidden_and_listed_nowhere(workspace: WorkspaceCatalog) -> None:
    begin(workspace, "v1")
    assert workspace.files() == []
    assert workspace.documents() == []
    assert workspace.counts() == (0, 0, 0)
    assert workspace.hidden_versions("qa") == ("v1",)
    assert workspace.hidden_versions("code") == ()


def test_a_committed_version_shows_its_file_and_documents(workspace: WorkspaceCatalog) -> None:
    add(workspace, "v1")
    (file,) = workspace.files("qa")
    assert (file.name, file.version, file.sha256, file.size, file.documents, file.chunks) == (
        "a.txt",
        "v1",
        "sha-v1",
        7,
        1,
        2,
    )
    (document,) = workspace.documents("qa")
    assert (document.file, document.title, document.chars, document.version) == (file.id, "Title", 100, "v1")
    assert workspace.document(document.id) == document
    assert workspace.files("code") == []
    assert workspace.hidden_versions("qa") == ()
    assert workspace.counts() == (1, 1, 2)


def test_a_new_version_replaces_the_old_one_in_one_commit(catalog: Catalog, workspace: WorkspaceCatalog) -> None:
    add(workspace, "v1")
    begin(workspace, "v2")
    assert [file.version for file in workspace.files()] == ["v1"]
    seen: set[tuple[str, ...]] = set()
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            seen.add(tuple(file.version for file in workspace.files()))

    watcher = threading.Thread(target=watch)
    watcher.start()
    workspace.commit([Finished("v2", 1, 2, 1, 1)])
    done.set()
    watcher.join()
    assert seen <= {("v1",), ("v2",)}
    assert states(catalog) == {"v1": VersionState.STALE, "v2": VersionState.CURRENT}
    assert workspace.hidden_versions("qa") == ("v1",)
    assert workspace.current_among(["v1", "v2", "v9"]) == {"v2"}


def test_a_commit_takes_all_of_its_versions_or_none(catalog: Catalog, workspace: WorkspaceCatalog) -> None:
    begin(workspace, "v1", "a.txt")
    begin(workspace, "v2", "b.txt")
    workspace.retire(["v2"])
    with pytest.raises(CatalogError, match="deleted while"):
        workspace.commit([Finished("v1", 1, 2, 2, 0), Finished("v2", 1, 2, 2, 0)])
    assert states(catalog) == {"v1": VersionState.PENDING, "v2": VersionState.STALE}


def test_older_pending_versions_go_with_the_commit_of_a_newer_one(
    catalog: Catalog, workspace: WorkspaceCatalog
) -> None:
    begin(workspace, "interrupted")
    begin(workspace, "v2")
    workspace.commit([Finished("v2", 1, 2, 0, 2)])
    assert states(catalog) == {"interrupted": VersionState.STALE, "v2": VersionState.CURRENT}


def test_one_file_never_has_two_current_versions(catalog: Catalog, workspace: WorkspaceCatalog) -> None:
    add(workspace, "v1")
    begin(workspace, "v2")
    with pytest.raises(CatalogError) as caught, catalog._db.write() as connection:
        connection.execute(update(versions).values(state=VersionState.CURRENT))
    assert isinstance(caught.value.__cause__, IntegrityError)


def test_workspaces_do_not_see_each_other(catalog: Catalog) -> None:
    ours, theirs = catalog.workspace("ours"), catalog.workspace("theirs")
    add(theirs, "v1")
    begin(theirs, "v2", "b.txt")
    theirs.failures.add(FailureRecord("qa", "bad.pdf", "sha", "EmptyFileError", "empty", 1.0))
    conversation = theirs.conversations.add("Hello")
    (document,) = theirs.documents()
    assert (ours.files(), ours.documents(), ours.failures.list(), ours.conversations.list()) == ([], [], [], [])
    assert (ours.hidden_versions("qa"), ours.current_among(["v1"]), ours.counts()) == ((), set(), (0, 0, 0))
    with pytest.raises(NotFoundError):
        ours.document(document.id)
    with pytest.raises(NotFoundError):
        ours.conversations.get(conversation.id)
    with pytest.raises(NotFoundError):
        ours.retire_files("qa", ["a.txt"])
    with pytest.raises(CatalogError):
        ours.commit([Finished("v2", 1, 1, 1, 0)])
    ours.retire(["v1"])
    ours.conversations.delete(conversation.id)
    ours.failures.dismiss("qa", "bad.pdf")
    assert len(theirs.files()) == len(theirs.failures.list()) == len(theirs.conversations.list()) == 1
    assert catalog.workspaces() == ["theirs"]


def test_the_same_name_in_two_workspaces_and_tasks_is_two_files(catalog: Catalog) -> None:
    add(catalog.workspace("one"), "v1")
    add(catalog.workspace("two"), "v2")
    assert len(catalog.versions(VersionState.CURRENT)) == 2


def test_deleting_hides_first_and_forgets_later(catalog: Catalog, workspace: WorkspaceCatalog) -> None:
    add(workspace, "v1")
    add(workspace, "v2")
    workspace.retire_files("qa", ["a.txt"])
    assert workspace.files() == []
    assert set(workspace.hidden_versions("qa")) == {"v1", "v2"}
    catalog.forget(["v1", "v2"])
    assert workspace.hidden_versions("qa") == ()
    with catalog._db.read() as connection:
        assert connection.execute(select(documents)).all() == []
        assert connection.execute(select(files)).all() == []


def test_deleting_one_unknown_name_changes_nothing(workspace: WorkspaceCatalog) -> None:
    add(workspace, "v1")
    with pytest.raises(NotFoundError, match=r"b\.txt"):
        workspace.retire_files("qa", ["a.txt", "b.txt"])
    assert len(workspace.files()) == 1


def test_only_stale_versions_are_forgotten(catalog: Catalog, workspace: WorkspaceCatalog) -> None:
    add(workspace, "v1")
    begin(workspace, "v2", "b.txt")
    catalog.forget(["v1", "v2"])
    assert states(catalog) == {"v1": VersionState.CURRENT, "v2": VersionState.PENDING}


def test_a_failure_is_replaced_by_a_newer_one_and_cleared_by_success(workspace: WorkspaceCatalog) -> None:
    workspace.failures.add(FailureRecord("qa", "a.txt", "s1", "EmptyFileError", "empty", 1.0))
    workspace.failures.add(FailureRecord("qa", "a.txt", "s2", "EncryptedFileError", "locked", 2.0))
    assert workspace.failures.list("qa") == [FailureRecord("qa", "a.txt", "s2", "EncryptedFileError", "locked", 2.0)]
    assert workspace.failures.list("code") == []
    add(workspace, "v1")
    assert workspace.failures.list() == []


def test_a_file_that_only_failed_can_be_deleted(workspace: WorkspaceCatalog) -> None:
    workspace.failures.add(FailureRecord("qa", "a.txt", "s1", "EmptyFileError", "empty", 1.0))
    workspace.retire_files("qa", ["a.txt"])
    assert workspace.failures.list() == []


def test_switching_makes_ready_versions_current_and_all_others_stale(catalog: Catalog) -> None:
    one, two = catalog.workspace("one"), catalog.workspace("two")
    assert catalog.workspace("one") is one
    add(one, "old-1")
    add(two, "old-2")
    add(two, "old-3", "unreadable.txt")
    begin(one, "new-1", collection="qa-two")
    begin(two, "new-2", collection="qa-two")
    one.make_ready([Finished("new-1", 1, 2, 2, 0)])
    two.make_ready([Finished("new-2", 1, 2, 2, 0)])
    assert one.hidden_versions("qa") == ()  # it is in another collection, so there is nothing to hide
    assert [file.version for file in one.files()] == ["old-1"]
    index = IndexRecord("qa", "qa-two", "{}", "two", 1)
    catalog.switch(index)
    assert catalog.active_index("qa") == index
    assert [file.version for file in one.files()] == ["new-1"]
    assert [file.version for file in two.files()] == ["new-2"]
    assert [v.id for v in catalog.versions(VersionState.STALE, task="qa")] == ["old-1", "old-2", "old-3"]


def test_a_file_rebuilt_twice_before_the_switch_counts_once(catalog: Catalog, workspace: WorkspaceCatalog) -> None:
    add(workspace, "old")
    for version in ("r1", "r2"):
        begin(workspace, version, collection="qa-two")
        workspace.make_ready([Finished(version, 1, 2, 2, 0)])
    catalog.switch(IndexRecord("qa", "qa-two", "{}", "two"))
    assert [file.version for file in workspace.files()] == ["r2"]


def test_documents_of_a_file_come_in_the_order_of_their_keys(workspace: WorkspaceCatalog) -> None:
    new = NewVersion("v1", "f1", "qa", "rows.jsonl", "sha", 7, "qa-one")
    rows = [NewDocument("v1", f"d{i}", f"k{i}", "", 1, 0, 1, "table", "") for i in range(5)]
    workspace.begin([new], rows[:3])
    workspace.begin([], rows[3:])
    workspace.commit([Finished("v1", 5, 5, 5, 0)])
    assert [d.key for d in workspace.documents("qa")] == [f"k{i}" for i in range(5)]
    assert workspace.documents("code") == []


def test_conversations_are_renamed_ordered_by_use_and_deleted(workspace: WorkspaceCatalog) -> None:
    first, second = workspace.conversations.add("First"), workspace.conversations.add("Second")
    workspace.conversations.touch(first.id, "Renamed")
    assert [c.title for c in workspace.conversations.list()] == ["Renamed", "Second"]
    workspace.conversations.delete(second.id)
    assert workspace.conversations.get(first.id).title == "Renamed"
    with pytest.raises(NotFoundError):
        workspace.conversations.touch(second.id)


def test_everything_is_still_there_after_reopening(tmp_path: Path) -> None:
    first = Catalog(tmp_path)
    add(first.workspace("default"), "v1")
    first.close()
    assert [file.version for file in Catalog(tmp_path).workspace("default").files()] == ["v1"]


def test_a_second_catalog_waits_for_a_short_write(tmp_path: Path) -> None:
    one, two = Catalog(tmp_path), Catalog(tmp_path)
    with one._db.write() as connection:
        thread = threading.Thread(target=add, args=(two.workspace("default"), "v1"))
        thread.start()
        connection.execute(select(files))
    thread.join()
    assert len(one.workspace("default").files()) == 1


# -- errors ------------------------------------------------------------------------------------------------------------


def test_a_damaged_database_says_so(tmp_path: Path) -> None:
    (tmp_path / "catalog.db").write_bytes(b"this is not a database, whatever its name says" * 99)
    with pytest.raises(CatalogError, match=r"catalog\.db is damaged.*backup"):
        Catalog(tmp_path)


def test_a_locked_database_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.catalog.database._BUSY_SECONDS", 0.1)
    catalog = Catalog(tmp_path)
    other = sqlite3.connect(tmp_path / "catalog.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(CatalogError, match="locked by another process"):
        begin(catalog.workspace("default"), "v1")
    other.execute("ROLLBACK")
    other.close()


def test_a_folder_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"cannot be written.*RAG_DATA_DIR"):
        Catalog(tmp_path, f"sqlite:///{tmp_path}/missing/catalog.db")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:s3cret@127.0.0.1:1/rag",
        "nosuchdb://user:s3cret@host/rag",
        "user:s3cret@host:notaport",
        "postgresql+psycopg://user:s3cret@host:notaport/rag",
    ],
)
def test_no_message_holds_the_password(tmp_path: Path, url: str) -> None:
    with pytest.raises(CatalogError) as caught:
        Catalog(tmp_path, url)
    assert "s3cret" not in str(caught.value)
    assert "postgresql" in str(caught.value)


# -- originals and the lock --------------------------------------------------------------------------------------------


def test_an_original_is_kept_by_content_until_nobody_wants_it(catalog: Catalog, tmp_path: Path) -> None:
    for name in ("one.txt", "two.txt"):
        (tmp_path / name).write_bytes(b"same bytes")
    sha = catalog.originals.add(tmp_path / "one.txt")
    assert catalog.originals.add(tmp_path / "two.txt") == sha
    assert catalog.originals.add_stream([b"same ", b"bytes"]) == sha
    path = catalog.originals.path(sha)
    assert path.parent.name == sha[:2]
    (tmp_path / "one.txt").write_bytes(b"changed in place")
    assert path.read_bytes() == b"same bytes"
    catalog.originals.remove(sha)
    with pytest.raises(NotFoundError, match="Ingest the file again"):
        catalog.originals.path(sha)


def test_originals_of_versions_and_failures_are_wanted(catalog: Catalog, workspace: WorkspaceCatalog) -> None:
    begin(workspace, "v1")
    workspace.failures.add(FailureRecord("qa", "bad.pdf", "sha-bad", "EmptyFileError", "empty", 1.0))
    assert catalog.wanted_originals() == {"sha-v1", "sha-bad"}


def test_the_lock_lets_one_writer_in(tmp_path: Path) -> None:
    mine, other = WriterLock(tmp_path / "w.lock"), WriterLock(tmp_path / "w.lock", patience=0.1)
    with mine.hold():
        with other.attempt() as alone:
            assert not alone
        with mine.attempt() as alone:
            assert not alone
        with pytest.raises(CatalogError, match="Another process is writing"), other.hold():
            pass
        cancel = threading.Event()
        cancel.set()
        with pytest.raises(CancelledError), mine.hold(cancel):
            pass
    with other.attempt() as alone:
        assert alone
