"""Files in, files replaced, files out; nothing embedded twice; one bad file fails alone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from rag.catalog import VersionState
from rag.errors import (
    CancelledError,
    CatalogError,
    EmbeddingError,
    EncryptedFileError,
    IndexUnavailableError,
    NotFoundError,
    UnknownNameError,
    VectorIndexError,
)
from rag.ingest import Completion, FileStatus, IngestReport, stage, unstage
from rag.ingest.items import IngestItem
from rag.jobs import Progress
from rag.types import Filter, Matrix, Mode
from tests.ingest.library import Library, rows, sections


def statuses(report: IngestReport) -> dict[str, str]:
    return {outcome.name: str(outcome.status) for outcome in report.outcomes}


def test_a_folder_goes_in_with_both_vectors(library: Library) -> None:
    library.write("a.txt", "Apples are red.")
    library.write("sub/b.txt", "Bananas are yellow.")
    report = library.ingest()
    assert statuses(report) == {"a.txt": "added", "sub/b.txt": "added"}
    assert report.completion is Completion.ALL
    assert library.texts() == {"a.txt": "Apples are red.", "sub/b.txt": "Bananas are yellow."}
    assert all(set(point.vectors) == {Mode.TASK_AWARE, Mode.NAIVE} for point in library.visible())
    assert sorted(library.embedder.seen) == [
        "Apples are red.",
        "Bananas are yellow.",
        "passage: Apples are red.",
        "passage: Bananas are yellow.",
    ]
    assert max(library.embedder.calls) >= 2, "both modes in one call"
    assert (report.chunks, report.embedded, report.reused) == (2, 2, 0)
    assert {"total", "embed", "write", "read"} <= set(report.seconds)


def test_without_comparison_only_the_task_aware_vector_is_made(tmp_path: Path) -> None:
    library = Library(tmp_path, options={"comparison": False})
    library.write("a.txt", "Apples are red.")
    library.ingest()
    assert [set(point.vectors) for point in library.visible()] == [{Mode.TASK_AWARE}]
    assert library.embedder.seen == ["passage: Apples are red."]


def test_modes_with_one_prompt_are_embedded_once(tmp_path: Path) -> None:
    library = Library(tmp_path, options={"document_prompt": ""})
    library.write("a.txt", "Apples are red.")
    library.ingest()
    assert library.embedder.seen == ["Apples are red."]
    (point,) = library.visible()
    assert (point.vectors[Mode.NAIVE] == point.vectors[Mode.TASK_AWARE]).all()


def test_the_same_folder_again_embeds_nothing(library: Library) -> None:
    library.write("a.txt", "Apples are red.")
    library.write("rows.jsonl", rows(10))
    library.ingest()
    again = library.restarted()
    report = again.ingest()
    assert statuses(report) == {"a.txt": "unchanged", "rows.jsonl": "unchanged"}
    assert (report.chunks, report.embedded, report.completion) == (0, 0, Completion.ALL)
    assert again.parser.parsed == []
    assert all(seen.startswith(("passage: ",)) for seen in again.embedder.seen), "only the canary is embedded"


def test_a_changed_file_embeds_its_changed_chunks_only(library: Library) -> None:
    library.write("a.txt", sections("apple", "banana", "cherry", "damson"))
    library.write("b.txt", "Bananas are yellow.")
    library.ingest()
    before = len(library.visible())
    library.embedder.seen.clear()
    library.write("a.txt", sections("apple", "banana", "cranberry", "damson"))
    report = library.ingest()
    assert statuses(report) == {"a.txt": "updated", "b.txt": "unchanged"}
    assert report.chunks == report.embedded + report.reused
    assert 0 < report.embedded <= 2 < report.reused + report.embedded
    assert len(library.embedder.seen) == 2 * report.embedded
    assert all("cranberry" in text for text in library.embedder.seen)
    assert len(library.visible()) == before
    assert "cherry7" not in library.texts()["a.txt"]
    assert library.index().versions() == {file.version for file in library.workspace.files()}


def test_equal_chunks_are_embedded_once(library: Library) -> None:
    for name in ("a", "b", "c"):
        library.write(f"{name}.jsonl", rows(5) + f'{{"_id": "own", "text": "only in {name}"}}\n')
    report = library.ingest()
    assert (report.chunks, report.embedded, report.reused) == (18, 8, 10)
    assert len(library.embedder.seen) == 16
    assert len(library.visible()) == 18


def test_many_rows_are_documents_with_stable_ids(library: Library) -> None:
    library.write("rows.jsonl", rows(600))
    library.ingest()
    ids = {document.key: document.id for document in library.workspace.documents("qa")}
    assert len(ids) == len(set(ids.values())) == 600
    library.write("rows.jsonl", rows(600).replace("number 7 ", "number seven "))
    library.embedder.seen.clear()
    report = library.ingest()
    assert (report.embedded, report.reused) == (1, 599)
    assert len(library.embedder.seen) == 2
    assert {document.key: document.id for document in library.workspace.documents("qa")} == ids
    assert library.texts()["rows.jsonl#r7"] == "row number seven says hello"


def test_a_key_that_occurs_twice_keeps_both_documents(library: Library) -> None:
    library.write("rows.jsonl", rows(3) + '{"_id": "r1", "text": "another with the key of the second"}\n')
    library.ingest()
    assert [document.key for document in library.workspace.documents()] == ["r0", "r1", "r1#2", "r2"]
    assert len(library.visible()) == 4


def test_one_bad_file_fails_alone_with_its_reason(library: Library) -> None:
    for i in range(19):
        library.write(f"good-{i:02}.txt", f"Text number {i}.")
    library.write("locked.txt", "ENCRYPTED")
    report = library.ingest()
    assert report.completion is Completion.SOME
    assert sum(outcome.status is FileStatus.ADDED for outcome in report.outcomes) == 19
    (failed,) = (outcome for outcome in report.outcomes if outcome.status is FileStatus.FAILED)
    assert (failed.name, failed.kind, failed.reason) == ("locked.txt", "EncryptedFileError", "It needs a password.")
    (failure,) = library.workspace.failures.list("qa")
    assert (failure.name, failure.reason) == ("locked.txt", "It needs a password.")
    library.write("locked.txt", "Unlocked now.")
    assert statuses(library.ingest())["locked.txt"] == "added"
    assert library.workspace.failures.list() == []


def test_a_file_that_breaks_midway_leaves_nothing(library: Library) -> None:
    library.write("rows.jsonl", rows(2000))
    library.parser.before = _raise_after(1000)
    report = library.ingest()
    assert statuses(report) == {"rows.jsonl": "failed"}
    assert report.completion is Completion.NONE
    assert library.visible() == []
    assert library.index().count() == 0
    assert library.catalog.versions(*VersionState) == []


def _raise_after(count: int) -> Callable[[str], None]:
    left = iter(range(count))

    def before(name: str) -> None:
        if next(left, None) is None:
            raise EncryptedFileError("It breaks in the middle.")

    return before


def test_a_failing_update_keeps_the_old_version(library: Library) -> None:
    library.write("a.txt", "Apples are red.")
    library.ingest()
    library.write("a.txt", "ENCRYPTED")
    assert statuses(library.ingest()) == {"a.txt": "failed"}
    assert library.texts() == {"a.txt": "Apples are red."}
    library.write("a.txt", "Apples are red.")
    assert statuses(library.ingest()) == {"a.txt": "unchanged"}
    assert library.workspace.failures.list() == []


def test_a_file_without_anything_to_index_says_so(library: Library) -> None:
    library.write("blank.txt", "   \n ")
    library.write("none.jsonl", "")
    report = library.ingest()
    assert statuses(report) == {"blank.txt": "failed", "none.jsonl": "failed"}
    assert report.completion is Completion.NONE
    assert all(outcome.reason for outcome in report.outcomes)


def test_a_reader_that_stumbles_over_odd_content_costs_one_file(library: Library) -> None:
    library.write("a.txt", "Apples are red.")
    library.write("odd.jsonl", '{"_id": "r1", "text": "fine"}\nnot JSON')
    report = library.ingest()
    assert statuses(report) == {"a.txt": "added", "odd.jsonl": "failed"}
    assert "JSONDecodeError" in report.outcomes[1].reason
    assert library.texts() == {"a.txt": "Apples are red."}


def test_nothing_to_ingest_is_nothing_done(library: Library) -> None:
    assert library.ingestor.ingest([], "qa").completion is Completion.NONE


def test_an_unknown_task_is_named(library: Library) -> None:
    with pytest.raises(UnknownNameError, match="qa"):
        library.ingestor.ingest([], "qaa")


def test_the_same_bytes_under_two_names_are_one_file(library: Library) -> None:
    library.write("a.txt", "Apples are red.")
    library.write("copy.txt", "Apples are red.")
    report = library.ingest()
    assert statuses(report) == {"a.txt": "added", "copy.txt": "duplicate"}
    assert "a.txt" in report.outcomes[1].reason
    assert report.completion is Completion.ALL
    assert library.texts() == {"a.txt": "Apples are red."}
    assert statuses(library.ingest()) == {"a.txt": "unchanged", "copy.txt": "duplicate"}


def test_a_duplicate_of_a_bad_file_is_bad_too(library: Library) -> None:
    library.write("a.txt", "ENCRYPTED")
    library.write("b.txt", "ENCRYPTED")
    assert statuses(library.ingest()) == {"a.txt": "failed", "b.txt": "failed"}


def test_a_name_that_becomes_a_copy_of_another_goes(library: Library) -> None:
    library.write("a.txt", "Apples are red.")
    library.write("b.txt", "Bananas are yellow.")
    library.ingest()
    library.write("b.txt", "Apples are red.")
    assert statuses(library.ingest()) == {"a.txt": "unchanged", "b.txt": "duplicate"}
    assert library.texts() == {"a.txt": "Apples are red."}


def test_two_files_that_swap_their_content_both_stay(library: Library) -> None:
    library.write("a.txt", "Apples are red.")
    library.write("b.txt", "Bananas are yellow.")
    library.ingest()
    library.embedder.seen.clear()
    library.write("a.txt", "Bananas are yellow.")
    library.write("b.txt", "Apples are red.")
    assert statuses(library.ingest()) == {"a.txt": "updated", "b.txt": "updated"}
    assert library.texts() == {"a.txt": "Bananas are yellow.", "b.txt": "Apples are red."}
    assert library.embedder.seen == []


def test_the_same_file_in_two_tasks_is_two_files(library: Library) -> None:
    library.write("a.txt", "Apples are red.")
    assert statuses(library.ingest("qa")) == statuses(library.ingest("similar")) == {"a.txt": "added"}
    library.ingestor.delete(["a.txt"], "qa")
    assert library.texts("qa") == {}
    assert library.texts("similar") == {"a.txt": "Apples are red."}
    assert statuses(library.restarted().ingest("similar")) == {"a.txt": "unchanged"}, "its original is still there"


def test_two_names_alike_in_one_batch_clash(library: Library) -> None:
    one, two = library.write("x/a.txt", "One."), library.write("y/a.txt", "Two.")
    items = [IngestItem(one, "a.txt"), IngestItem(two, "a.txt"), IngestItem(one, "a.txt")]
    report = library.ingestor.ingest(items, "qa")
    assert [str(outcome.status) for outcome in report.outcomes] == ["added", "failed", "duplicate"]
    assert "same name" in report.outcomes[1].reason
    assert library.texts() == {"a.txt": "One."}


def test_an_unreadable_path_fails_alone(library: Library) -> None:
    library.write("a.txt", "Apples are red.")
    items = [*library.items(), IngestItem(library.folder / "gone.txt", "gone.txt")]
    report = library.ingestor.ingest(items, "qa")
    assert [str(outcome.status) for outcome in report.outcomes] == ["added", "failed"]
    assert "No such file" in report.outcomes[1].reason


def test_a_long_text_for_similar_is_one_pooled_point(library: Library) -> None:
    library.write("long.txt", sections("apple", "banana", "cherry", "damson", "elder", "fig"))
    report = library.ingest("similar")
    (point,) = library.visible("similar")
    assert report.chunks == 1
    assert len(library.embedder.seen) > 1
    assert point.vectors[Mode.TASK_AWARE] @ point.vectors[Mode.TASK_AWARE] == pytest.approx(1)


# -- uploads -----------------------------------------------------------------------------------------------------------


def test_uploads_are_staged_ingested_and_removed(library: Library) -> None:
    data = library.settings.data_dir
    items = [stage(data, "../../evil.txt", b"Apples are red.")]
    assert [item.name for item in items] == ["evil.txt"]
    assert statuses(library.ingestor.ingest(items, "qa")) == {"evil.txt": "added"}
    unstage(items)
    assert [path for path in (data / "tmp").rglob("*") if path.is_file() and path.suffix != ".lock"] == []
    assert library.texts() == {"evil.txt": "Apples are red."}


# -- delete ------------------------------------------------------------------------------------------------------------


def test_deleting_removes_every_chunk_row_and_original(library: Library) -> None:
    library.write("a.txt", "Apples are red.")
    library.write("rows.jsonl", rows(300))
    library.ingest()
    assert library.ingestor.delete(["rows.jsonl"]) == 1
    assert library.texts() == {"a.txt": "Apples are red."}
    assert library.index().count() == 1
    assert len(library.catalog.versions(*VersionState)) == 1
    assert len(list((library.settings.data_dir / "files").glob("??/*"))) == 1


def test_deleting_by_file_id_and_by_document_id(library: Library) -> None:
    library.write("a.txt", "Apples are red.")
    library.write("b.txt", "Bananas are yellow.")
    library.ingest()
    (file,) = (file for file in library.workspace.files() if file.name == "a.txt")
    (document,) = [document for document in library.workspace.documents() if document.name == "b.txt"]
    assert library.ingestor.delete([file.id, document.id]) == 2
    assert library.index().count() == 0


def test_deleting_one_row_names_the_file(library: Library) -> None:
    library.write("rows.jsonl", rows(3))
    library.ingest()
    with pytest.raises(CatalogError, match=r"rows\.jsonl"):
        library.ingestor.delete([library.workspace.documents()[1].id])
    assert len(library.visible()) == 3


def test_deleting_something_unknown_removes_nothing(library: Library) -> None:
    library.write("a.txt", "Apples are red.")
    library.ingest()
    with pytest.raises(NotFoundError, match=r"nothing\.txt"):
        library.ingestor.delete(["a.txt", "nothing.txt"])
    assert len(library.visible()) == 1


def test_deleting_works_after_the_settings_changed(library: Library) -> None:
    library.write("a.txt", "Apples are red.")
    library.ingest()
    changed = library.restarted(document_prompt="other: ")
    assert changed.ingestor.delete(["a.txt"]) == 1
    assert changed.embedder.calls == []


# -- workspaces --------------------------------------------------------------------------------------------------------


def test_two_workspaces_do_not_see_each_other(library: Library) -> None:
    theirs = Library(library.folder, library.engine, name="theirs")
    library.write("a.txt", "Apples are red.")
    library.ingest()
    assert theirs.texts() == {}
    assert statuses(theirs.ingest()) == {"a.txt": "added"}, "the same bytes elsewhere are no duplicate"
    assert len(theirs.embedder.seen) >= 2, "nor are vectors shared"
    theirs.ingestor.delete(["a.txt"])
    assert library.texts() == {"a.txt": "Apples are red."}
    with pytest.raises(NotFoundError):
        theirs.ingestor.delete([library.workspace.files()[0].id])


# -- stopping and failing ----------------------------------------------------------------------------------------------


def test_cancelling_keeps_what_is_done_and_a_rerun_resumes(library: Library) -> None:
    for i in range(4):
        library.write(f"{i}.jsonl", rows(1000 * i + 500, 1000 * i))
    cancel = threading.Event()

    def stop(progress: Progress) -> None:
        if progress.stage == "Embedding" and progress.done >= 1:
            cancel.set()

    report = library.ingest(progress=stop, cancel=cancel)
    done = [outcome.name for outcome in report.outcomes if outcome.status is FileStatus.ADDED]
    assert 0 < len(done) < 4
    assert report.completion is Completion.SOME
    assert {place.partition("#")[0] for place in library.texts()} == set(done)
    embedded = len(library.embedder.seen)
    again = library.ingest()
    assert again.completion is Completion.ALL
    assert [str(outcome.status) for outcome in again.outcomes].count("unchanged") == len(done)
    assert len(library.visible()) == 2000
    assert len(library.embedder.seen) - embedded <= 2 * 2000 - embedded + 2 * 64, "written vectors are reused"


@pytest.mark.slow
def test_a_huge_file_that_was_stopped_reuses_its_vectors(library: Library) -> None:
    library.write("rows.jsonl", rows(3000))
    cancel = threading.Event()

    def stop(progress: Progress) -> None:
        if progress.work >= 1000:
            cancel.set()

    report = library.ingest(progress=stop, cancel=cancel)
    assert statuses(report) == {"rows.jsonl": "stopped"}
    assert report.completion is Completion.NONE
    assert library.visible() == []
    written = library.index().count()
    assert written >= 1000
    restarted = library.restarted()
    restarted.ingestor.sweep()
    report = restarted.ingest()
    assert report.reused >= written
    assert report.embedded + report.reused == 3000
    assert len(restarted.visible()) == restarted.index().count() == 3000


def test_cancelling_before_the_start_changes_nothing(library: Library) -> None:
    library.write("a.txt", "Apples are red.")
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(CancelledError):
        library.ingest(cancel=cancel)
    assert library.visible() == []


def test_a_model_that_fails_stops_the_run_and_keeps_what_is_done(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode = library.embedder.encode

    def failing(texts: list[str]) -> Matrix:
        if any("poison" in text for text in texts):
            raise EmbeddingError("The endpoint does not answer. Check RAG_EMBEDDINGS_BASE_URL.")
        return encode(texts)

    monkeypatch.setattr(library.embedder, "encode", failing)
    library.write("b.txt", "poison")
    with pytest.raises(EmbeddingError, match="RAG_EMBEDDINGS_BASE_URL"):
        library.ingest()
    library.write("a.jsonl", rows(900))
    committed = threading.Event()
    library.parser.before = lambda name: committed.wait(10) if name == "b.txt" else None
    report = library.ingest(
        progress=lambda progress: committed.set() if progress.stage == "Embedding" and progress.done else None
    )
    assert statuses(report) == {"a.jsonl": "added", "b.txt": "failed"}
    assert "RAG_EMBEDDINGS_BASE_URL" in report.outcomes[1].reason
    assert library.workspace.failures.list() == [], "it is not the file's fault"
    monkeypatch.undo()
    assert statuses(library.ingest()) == {"a.jsonl": "unchanged", "b.txt": "added"}


def test_a_bug_in_a_reader_thread_is_not_swallowed(library: Library) -> None:
    def bug(name: str) -> None:
        raise ZeroDivisionError

    library.parser.before = bug
    library.write("a.txt", "Apples are red.")
    with pytest.raises(ZeroDivisionError):
        library.ingest()
    library.parser.before = lambda name: None
    assert statuses(library.ingest()) == {"a.txt": "added"}


def test_an_index_that_fails_stops_the_run(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(points: object) -> None:
        raise IndexUnavailableError("The server is away.")

    library.write("rows.jsonl", rows(5000))
    monkeypatch.setattr(library.index(), "upsert", failing)
    with pytest.raises(IndexUnavailableError):
        library.ingest()
    monkeypatch.undo()
    assert statuses(library.ingest()) == {"rows.jsonl": "added"}


def test_progress_counts_up_to_the_end(library: Library) -> None:
    for i in range(3):
        library.write(f"{i}.jsonl", rows(1000 * i + 400, 1000 * i))
    seen: list[Progress] = []
    library.ingest(progress=seen.append)
    assert seen[0].stage == "Hashing"
    assert seen[-1].stage == "Building search structures"
    assert (seen[-1].done, seen[-1].total, seen[-1].work) == (3, 3, 1200)
    assert (seen[-1].unit, seen[-1].work_unit, seen[-1].seconds_left) == ("file", "chunk", None)
    embedding = [progress for progress in seen if progress.stage == "Embedding"]
    assert (embedding[0].done, embedding[0].seconds_left) == (0, None)
    assert (embedding[-1].done, embedding[-1].seconds_left) == (3, 0.0)
    assert [progress.work for progress in seen] == sorted(progress.work for progress in seen)
    assert all(progress.done <= progress.total for progress in seen)


def test_two_threads_take_turns(library: Library) -> None:
    library.write("a.jsonl", rows(300))
    reports: list[IngestReport] = []
    threads = [threading.Thread(target=lambda: reports.append(library.ingest())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses(report)["a.jsonl"] for report in reports) == ["added", "unchanged", "unchanged"]
    assert library.index().count(Filter("default")) == 300


def test_the_index_is_made_fast_after_an_ingest_and_one_that_cannot_be_answers_as_it_did(
    library: Library, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    library.write("a.txt", "Apples are red.")
    library.ingest()
    assert library.engine.optimised == [library.index().name]

    def fail(name: str) -> int:
        raise VectorIndexError("no space left")

    monkeypatch.setattr(library.engine, "optimise", fail)
    library.write("b.txt", "Bananas are yellow.")
    assert statuses(library.ingest())["b.txt"] == "added"
    assert "no space left" in caplog.text
