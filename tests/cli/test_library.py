import threading
from contextlib import nullcontext

import pytest

from rag.errors import RagError
from tests.cli.driver import parsed
from tests.residue import files_with


def test_ingest_says_what_became_of_every_file_and_is_idempotent(run, folder):
    first = parsed(run("ingest", folder, "--json"))["tasks"]["qa"]
    assert [(file["name"], file["status"]) for file in first["files"]] == [
        ("guide.md", "added"),
        ("other.txt", "added"),
    ]
    assert first["embedded"] > 0
    again = parsed(run("ingest", folder, "--json"))["tasks"]["qa"]
    assert {file["status"] for file in again["files"]} == {"unchanged"}
    assert again["embedded"] == 0


@pytest.mark.slow
def test_ingest_tells_partly_done_and_nothing_done_apart(run, folder, tmp_path):
    broken = folder / "broken.pdf"
    broken.write_bytes(b"%PDF-1.4 broken")
    result = run("ingest", folder, code=3)
    assert "2 added, 1 failed" in result.stdout
    assert "broken.pdf" in result.stderr
    run("ingest", broken, code=1)


def test_ingest_says_what_it_skips_and_why(run, folder):
    (folder / "loop").symlink_to("loop")
    (folder / ".hidden").write_text("x")
    ended = run("ingest", folder)
    assert "1 skipped" in ended.stdout
    assert "skipped: loop: It is a link that leads to itself." in ended.stderr
    assert "1 hidden file or folder left out" in ended.stderr
    listed = parsed(run("ingest", folder, "--json"))["tasks"]["qa"]
    assert listed["hidden"] == 1
    assert [listed["files"][-1][field] for field in ("name", "status")] == ["loop", "skipped"]


def test_ingest_wants_files_or_the_sample(run, folder):
    run("ingest", code=2)
    run("ingest", folder, "--sample", code=2)
    run("ingest", "/no/such/file", code=2)


def test_ingest_loads_the_sample_library_for_every_task(run):
    from rag.tasks import TASKS

    reports = parsed(run("ingest", "--sample", "--json"))["tasks"]
    assert set(reports) == {name for name, task in TASKS.items() if task.sample}
    assert all(report["files"] for report in reports.values())


def test_documents_lists_documents_files_and_failures(run, library):
    (library / "empty.txt").write_text("")
    run("ingest", library, code=3)
    listed = parsed(run("documents", "--json"))
    assert sorted(document["name"] for document in listed) == ["guide.md", "other.txt"]
    assert all({"id", "task", "name", "title", "chunks"} <= set(document) for document in listed)
    assert len(parsed(run("documents", "--files", "--json"))) == 2
    text = run("documents")
    assert "guide.md" in text.stdout
    assert "empty.txt" in text.stderr
    assert "No documents yet" in run("documents", "--task", "code").stdout


def test_delete_by_name_and_by_id(run, library):
    assert parsed(run("delete", "other.txt", "--json")) == {"deleted": 1}
    remaining = parsed(run("documents", "--files", "--json"))
    assert "1 file" in run("delete", remaining[0]["id"]).stdout
    assert parsed(run("documents", "--json")) == []
    with pytest.raises(RagError, match=r"other\.txt"):
        run("delete", "other.txt")


@pytest.mark.slow
def test_text_is_in_no_file_once_delete_and_ingest_return(run, library, tmp_path):
    (library / "guide.md").write_text("# Garden\n\nThe gate is open.\n")
    run("ingest", library)
    run("delete", "other.txt")
    assert files_with(tmp_path / "data", "Bananas", "two years") == []


@pytest.mark.slow
def test_a_changed_prompt_is_refused_until_reindexed(run, library, monkeypatch):
    monkeypatch.setenv("RAG_QUERY_PROMPT", "ask: ")
    monkeypatch.setenv("RAG_DOCUMENT_PROMPT", "tell: ")
    with pytest.raises(RagError, match="python -m rag reindex"):
        run("search", "warranty")
    assert "problem:" in run("status", code=1).stderr
    report = parsed(run("reindex", "--json"))["tasks"]["qa"]
    assert (report["files"], report["switched"]) == (2, True)
    assert parsed(run("search", "warranty", "--json"))["sources"]
    assert "the new index answers" not in run("reindex", "--task", "code").stdout


def test_a_stopped_ingest_keeps_what_is_done_and_goes_on_later(run, tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(40):
        (folder / f"{number:02}.txt").write_text(f"File number {number} speaks of subject {number}. " * 50)
    cancel = threading.Event()

    def stop_after_one(progress):
        if progress.done >= 1 and progress.stage == "Embedding":
            cancel.set()

    result = run("ingest", folder, "--json", code=3, working=lambda: nullcontext((stop_after_one, cancel)))
    stopped = parsed(result)
    states = [file["status"] for file in stopped["tasks"]["qa"]["files"]]
    assert stopped["stopped"]
    assert 1 <= states.count("added") < 40
    assert set(states) == {"added", "stopped"}
    again = [file["status"] for file in parsed(run("ingest", folder, "--json"))["tasks"]["qa"]["files"]]
    assert again.count("unchanged") == states.count("added")
    assert set(again) == {"added", "unchanged"}
