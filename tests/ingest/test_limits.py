"""What is refused leaves nothing behind, what is stopped ends soon, and a library grows as far as it may."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.catalog import FailureRecord
from rag.errors import CancelledError
from rag.ingest import FileStatus, Ingestor
from rag.loaders import LoaderPool
from rag.types import Document
from tests.ingest.library import FakeParser, Library


def kept(library: Library) -> list[Path]:
    """Files of the data folder that hold bytes of files."""
    files = library.settings.data_dir / "files"
    staged = (library.settings.data_dir / "tmp").rglob("*")
    return [
        *[files / sha256[:2] / sha256 for sha256 in library.catalog.originals.all()],
        *[path for path in staged if path.is_file() and path.suffix != ".lock"],
    ]


# -- refused -----------------------------------------------------------------------------------------------------------


def test_nothing_stays_of_a_file_that_is_refused(library: Library) -> None:
    library.write("bad.txt", "ENCRYPTED")
    library.write("empty.txt", " ")
    (outcome, _) = library.ingest().outcomes
    assert outcome.status is FileStatus.FAILED
    assert kept(library) == []
    assert [failure.sha256 for failure in library.workspace.failures.list("qa")] == ["", ""]


def test_bytes_are_kept_only_after_all_of_a_file_was_read(library: Library) -> None:
    library.write("a.txt", "Apples are red.")
    seen: list[list[Path]] = []
    library.parser.before = lambda name: seen.append(kept(library))
    library.ingest()
    assert seen == [[]]
    assert len(kept(library)) == 1


def test_the_last_good_version_stays_when_the_next_is_refused(library: Library) -> None:
    library.write("a.txt", "Apples are red.")
    library.ingest()
    before = kept(library)
    library.write("a.txt", "ENCRYPTED")
    library.ingest()
    assert kept(library) == before
    assert library.texts() == {"a.txt": "Apples are red."}


def test_bytes_that_another_file_needs_stay_when_one_of_that_content_is_refused(library: Library) -> None:
    library.write("a.txt", "Apples are red.")
    library.ingest()
    before = kept(library)
    library.catalog.workspace("default").failures.add(
        FailureRecord("code", "a.txt", before[0].name, "EmptyFileError", "No code.", 1.0)
    )
    library.ingestor.dismiss("code", "a.txt")
    assert kept(library) == before


@pytest.mark.parametrize("way", ["dismiss", "delete"])
def test_bytes_that_were_kept_for_a_failure_go_with_it(way: str, library: Library) -> None:
    sha256 = library.catalog.originals.add_stream([b"in the library until a reindex could not read it"])
    library.workspace.failures.add(FailureRecord("qa", "a.txt", sha256, "EmptyFileError", "Empty.", 1.0))
    library.ingestor.sweep()
    assert [path.name for path in kept(library)] == [sha256]
    if way == "dismiss":
        library.ingestor.dismiss("qa", "a.txt")
    else:
        library.ingestor.delete(["a.txt"])
    assert kept(library) == []
    assert library.workspace.failures.list() == []


def test_a_failure_is_dismissed_at_once_while_somebody_writes_and_its_bytes_go_after(library: Library) -> None:
    sha256 = library.catalog.originals.add_stream([b"in the library once"])
    library.workspace.failures.add(FailureRecord("qa", "b.txt", sha256, "EmptyFileError", "Empty.", 1.0))
    library.write("a.txt", "Apples are red.")
    library.parser.before = lambda name: library.ingestor.dismiss("qa", "b.txt")
    library.ingest()
    assert sha256 not in {path.name for path in kept(library)}
    assert library.workspace.failures.list() == []


def test_the_original_of_a_file_that_a_reindex_cannot_read_stays(library: Library) -> None:
    library.write("a.txt", "Apples are red.")
    library.write("b.txt", "Bananas are yellow.")
    library.ingest()
    changed = library.restarted(document_prompt="text: ")
    changed.parser.before = lambda name: (_ for _ in ()).throw(ValueError("odd")) if name == "a.txt" else None
    changed.ingestor.reindex("qa")
    changed.restarted(document_prompt="text: ").ingestor.sweep()
    (failure,) = changed.workspace.failures.list("qa")
    assert failure.sha256 in {path.name for path in kept(library)}


def test_nothing_stays_of_a_file_that_changed_while_it_was_read(library: Library) -> None:
    path = library.write("a.txt", "Apples are red.")
    library.parser.before = lambda name: path.write_text("Apples are green.")
    (outcome,) = library.ingest().outcomes
    assert (outcome.status, "changed while it was read" in outcome.reason) == (FileStatus.FAILED, True)
    assert kept(library) == []
    assert library.texts() == {}


# -- quota -------------------------------------------------------------------------------------------------------------


def megabytes(letter: str, count: float) -> str:
    """A text of a word and blanks: large, and quickly cut."""
    return letter + " " * int(count * 2**20) + letter


def test_a_library_grows_as_far_as_it_may(tmp_path: Path) -> None:
    library = Library(tmp_path, options={"max_library_mb": 2})
    library.write("a.txt", megabytes("a", 0.8))
    library.write("b.txt", megabytes("b", 1.8))
    library.write("c.txt", "Few words.")
    report = library.ingest()
    assert [(o.name, str(o.status)) for o in report.outcomes] == [
        ("a.txt", "added"),
        ("b.txt", "failed"),
        ("c.txt", "added"),
    ]
    assert "holds 0.8 of at most 2 MB, and this file has 1.8 MB. Delete files, or" in report.outcomes[1].reason
    assert sorted(library.parser.parsed) == ["a.txt", "c.txt"]
    assert len(kept(library)) == 2
    (failure,) = library.workspace.failures.list("qa")
    assert (failure.name, failure.kind) == ("b.txt", "FileTooLargeError")


def test_a_file_may_be_replaced_and_repeated_in_a_full_library(tmp_path: Path) -> None:
    library = Library(tmp_path, options={"max_library_mb": 1})
    library.write("a.txt", megabytes("a", 0.9))
    library.ingest()
    library.write("a.txt", megabytes("b", 0.95))
    assert [str(o.status) for o in library.ingest().outcomes] == ["updated"]
    assert [str(o.status) for o in library.ingest(task="similar").outcomes] == ["added"]
    library.write("a.txt", megabytes("c", 1.2))
    assert [str(o.status) for o in library.ingest().outcomes] == ["failed"]


# -- stop --------------------------------------------------------------------------------------------------------------


class EndlessParser(FakeParser):
    """Parses until it is asked to stop."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.ended = threading.Event(), threading.Event()

    def documents(self, path: Path, name: str, stop: threading.Event | None = None) -> Iterator[Document]:
        self.begun.set()
        assert stop is not None
        stop.wait(60)
        self.ended.set()
        raise CancelledError("Stopped while a file was parsed.")
        yield


def test_a_parser_is_asked_to_stop_when_the_ingest_is(tmp_path: Path) -> None:
    parser = EndlessParser()
    library = Library(tmp_path, parser=parser)
    library.write("a.txt", "Apples are red.")
    cancel = threading.Event()
    threading.Thread(target=lambda: (parser.begun.wait(60), cancel.set()), daemon=True).start()
    report = library.ingest(cancel=cancel)
    assert [outcome.status for outcome in report.outcomes] == [FileStatus.STOPPED]
    assert parser.ended.wait(60)


def test_cutting_a_huge_document_stops(library: Library) -> None:
    library.write("a.txt", "word " * 200_000)
    cancel, calls = threading.Event(), list[int]()
    plain = library.embedder.token_offsets

    def counting(text: str) -> list[tuple[int, int]]:
        if len(text) > 10_000:  # of the document, not of a prompt
            calls.append(len(text))
            cancel.set()
            time.sleep(0.1)
        return plain(text)

    library.embedder.token_offsets = counting  # type: ignore[method-assign]
    report = library.ingest(cancel=cancel)
    assert [outcome.status for outcome in report.outcomes] == [FileStatus.STOPPED]
    made = len(calls)
    time.sleep(0.5)
    assert len(calls) <= made + 1 < 16, "a document of a million characters is cut in 16 steps"


def test_a_real_parser_process_ends_when_the_ingest_is_stopped(tmp_path: Path) -> None:
    library = Library(tmp_path)
    with LoaderPool(1, timeout=600) as pool:
        ingestor = Ingestor(library.indexes, pool)
        library.write("slow.html", "<p>words</p>" * 280_000)
        cancel = threading.Event()
        threading.Timer(1.0, cancel.set).start()
        report = ingestor.ingest(library.items(), "qa", cancel=cancel)
        assert report.outcomes[0].status is FileStatus.STOPPED
        deadline = time.monotonic() + 20
        while not pool._free.acquire(blocking=False):  # held until the process has ended
            assert time.monotonic() < deadline
            time.sleep(0.05)
        pool._free.release()
        ingestor.close()
