"""Rebuilding: the old index answers until the new one is whole; interruptions resume; nothing is lost silently."""

from __future__ import annotations

import threading

import pytest

from rag.catalog import VersionState
from rag.errors import EmbeddingError
from rag.ingest import Completion
from rag.jobs import Progress
from rag.types import Matrix, Mode
from tests.ingest.library import Library, rows, sections


def filled(library: Library) -> Library:
    library.write("a.txt", sections("apple", "banana"))
    library.write("rows.jsonl", rows(300))
    library.ingest()
    return library


def test_a_changed_prompt_rebuilds_everything_and_drops_the_old_index(library: Library) -> None:
    before = filled(library).texts()
    changed = library.restarted(document_prompt="text: ")
    report = changed.ingestor.reindex("qa")
    assert (report.files, report.failed, report.switched, report.completion) == (2, 0, True, Completion.ALL)
    assert report.embedded == report.chunks == len(changed.visible())
    assert changed.texts() == before
    assert {text.startswith("text: ") for text in changed.embedder.seen if "apple" in text} == {True, False}
    assert changed.engine.collections() == [changed.index().name]
    assert len(changed.catalog.versions(*VersionState)) == 2
    again = library.restarted(document_prompt="text: ")
    assert str(again.ingest().outcomes[0].status) == "unchanged"


def test_a_changed_question_prompt_reuses_every_vector(library: Library) -> None:
    filled(library)
    changed = library.restarted(query_prompt="ask: ")
    report = changed.ingestor.reindex("qa")
    assert (report.embedded, report.switched) == (0, True)
    assert report.reused == len(changed.visible())
    assert all(seen.startswith("passage: ") for seen in changed.embedder.seen), "only the canary is embedded"


def test_nothing_to_do_does_nothing(library: Library) -> None:
    name = filled(library).index().name
    restarted = library.restarted()
    report = restarted.ingestor.reindex("qa")
    assert (report.files, report.chunks, report.completion) == (0, 0, Completion.ALL)
    assert restarted.index().name == name
    assert library.restarted().ingestor.reindex("code").completion is Completion.ALL


def test_force_rebuilds_by_the_same_recipe(library: Library) -> None:
    name = filled(library).index().name
    restarted = library.restarted()
    report = restarted.ingestor.reindex("qa", force=True)
    assert report.embedded == report.chunks
    assert restarted.index().name != name
    assert restarted.engine.collections() == [restarted.index().name]
    assert library.restarted().ingest().embedded == 0
    assert library.restarted().ingestor.reindex("qa").files == 0


def test_a_model_that_changed_under_its_name_is_the_same_recipe_and_rebuilds(library: Library) -> None:
    filled(library)
    restarted = library.restarted()
    restarted.embedder.encode = lambda texts: mirrored(texts)  # type: ignore[method-assign]
    report = restarted.ingestor.reindex("qa")
    assert (report.files, report.reused) == (2, 0)
    assert restarted.index().count() == report.chunks


def mirrored(texts: list[str]) -> Matrix:
    from tests.fakes import FakeEmbedder

    return FakeEmbedder().encode(texts)[:, ::-1]


def test_comparison_that_is_turned_on_adds_the_missing_vectors_only(library: Library) -> None:
    plain = Library(library.folder, library.engine, options={"comparison": False})
    filled(plain)
    both = library.restarted()
    report = both.ingestor.reindex("qa")
    after_canary = both.embedder.seen[both.embedder.calls[0] :]
    assert len(after_canary) == report.embedded == report.chunks
    assert not any(text.startswith("passage: ") for text in after_canary)
    assert all(set(point.vectors) == {Mode.NAIVE, Mode.TASK_AWARE} for point in both.visible())


def test_every_workspace_is_rebuilt(library: Library) -> None:
    theirs = Library(library.folder, library.engine, name="theirs")
    library.write("a.txt", "Apples are red.")
    library.ingest()
    theirs.ingest()
    changed = library.restarted(document_prompt="text: ")
    assert changed.ingestor.reindex("qa").files == 2
    assert changed.texts() == {"a.txt": "Apples are red."}
    theirs = Library(library.folder, library.engine, options={"document_prompt": "text: "}, name="theirs")
    assert theirs.texts() == {"a.txt": "Apples are red."}


def test_an_interrupted_reindex_leaves_the_old_index_and_resumes(library: Library) -> None:
    for i in range(4):
        library.write(f"{i}.jsonl", rows(1000 * i + 400, 1000 * i))
    library.ingest()
    before = library.texts()
    changed = library.restarted(document_prompt="text: ")
    cancel = threading.Event()

    def stop(progress: Progress) -> None:
        if progress.stage == "Embedding" and progress.done >= 1:
            cancel.set()

    report = changed.ingestor.reindex("qa", stop, cancel)
    assert not report.switched
    assert 0 < report.files < 4
    assert library.restarted().texts() == before, "the old settings still work"
    resumed = library.restarted(document_prompt="text: ")
    resumed.ingestor.sweep()
    again = resumed.ingestor.reindex("qa")
    assert (again.files, again.switched) == (4, True)
    assert len(again.outcomes) == 4 - report.files
    assert resumed.texts() == before
    assert resumed.index().count() == 1600


def test_files_that_changed_since_are_rebuilt_from_their_new_bytes(library: Library) -> None:
    library.write("a.txt", "Apples are red.")
    library.write("rows.jsonl", rows(3000))
    library.ingest()
    cancel = threading.Event()
    changed = library.restarted(document_prompt="text: ")
    changed.ingestor.reindex("qa", lambda p: cancel.set() if p.done else None, cancel)
    library.write("a.txt", "Apples are green.")
    library.restarted().ingest()
    library.ingestor.delete(["rows.jsonl"])
    changed = library.restarted(document_prompt="text: ")
    assert changed.ingestor.reindex("qa").files == 1
    assert changed.texts() == {"a.txt": "Apples are green."}
    assert changed.index().count() == 1


def test_a_reindex_for_other_settings_drops_what_an_interrupted_one_left(library: Library) -> None:
    filled(library)
    cancel = threading.Event()
    first = library.restarted(document_prompt="first: ")
    first.ingestor.reindex("qa", lambda p: cancel.set() if p.done else None, cancel)
    second = library.restarted(document_prompt="second: ")
    assert second.ingestor.reindex("qa").switched
    assert second.engine.collections() == [second.index().name]


def test_a_file_that_cannot_be_read_again_is_a_failure(library: Library) -> None:
    filled(library)
    (file,) = (file for file in library.workspace.files() if file.name == "a.txt")
    library.catalog.originals.remove(file.sha256)
    changed = library.restarted(document_prompt="text: ")
    report = changed.ingestor.reindex("qa")
    assert (report.files, report.failed, report.completion, report.switched) == (1, 1, Completion.SOME, True)
    (failure,) = changed.workspace.failures.list("qa")
    assert failure.name == "a.txt"
    assert "Ingest the file again" in failure.reason
    assert changed.ingest().completion is Completion.ALL
    assert changed.workspace.failures.list() == []


def test_when_nothing_can_be_read_again_the_old_index_stays(library: Library) -> None:
    before = filled(library).texts()
    for sha256 in list(library.catalog.originals.all()):
        library.catalog.originals.remove(sha256)
    report = library.restarted(document_prompt="text: ").ingestor.reindex("qa")
    assert (report.switched, report.failed, report.completion) == (False, 2, Completion.NONE)
    assert library.restarted().texts() == before


def test_a_dead_model_leaves_the_old_index(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    before = filled(library).texts()
    changed = library.restarted(document_prompt="text: ")

    def failing(texts: object) -> Matrix:
        raise EmbeddingError("The endpoint does not answer.")

    monkeypatch.setattr(changed.embedder, "encode", failing)
    with pytest.raises(EmbeddingError):
        changed.ingestor.reindex("qa")
    assert library.restarted().texts() == before


def test_an_index_that_lost_chunks_is_rebuilt(library: Library) -> None:
    filled(library)
    lost = library.workspace.files()[0].version
    library.index().delete_versions([lost])
    restarted = library.restarted()
    assert restarted.ingestor.reindex("qa").files == 2
    assert len(restarted.visible()) == restarted.workspace.counts("qa")[2]
