import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import nullcontext
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rag.cli import app, shell
from rag.cli.progress import progress_bar, stoppable
from rag.errors import RagError
from rag.jobs import Progress
from tests.fakes import FakeEmbedder

ROOT = Path(__file__).resolve().parents[2]
GUIDE = """# Warranty

The warranty lasts two years. It covers the motor.

# Cleaning

Clean the filter every month with warm water.
"""


@pytest.fixture(autouse=True)
def fake_embedder(monkeypatch):
    monkeypatch.setattr("rag.embedding.open_embedder", lambda settings: FakeEmbedder(384))


@pytest.fixture
def run():
    """Runs a command in this process; `code` 2 is usage, other errors come out as in `main`."""

    def call(*args, code=0, stdin=None):
        result = CliRunner().invoke(app, [str(arg) for arg in args], input=stdin, catch_exceptions=True)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return result

    return call


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "guide.md").write_text(GUIDE)
    (folder / "other.txt").write_text("Bananas are yellow and grow in bunches.")
    return folder


@pytest.fixture
def library(run, folder):
    run("ingest", folder)
    return folder


def parsed(result):
    return json.loads(result.stdout)


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


def test_ingest_tells_partly_done_and_nothing_done_apart(run, folder, tmp_path):
    broken = folder / "broken.pdf"
    broken.write_bytes(b"%PDF-1.4 broken")
    result = run("ingest", folder, code=3)
    assert "2 added, 1 failed" in result.stdout
    assert "broken.pdf" in result.stderr
    run("ingest", broken, code=1)


def test_ingest_wants_files_or_the_sample(run, folder):
    run("ingest", code=2)
    run("ingest", folder, "--sample", code=2)
    run("ingest", "/no/such/file", code=2)


def test_ingest_loads_the_sample_library_for_every_task(run, monkeypatch, tmp_path):
    from rag.ingest import IngestItem
    from rag.tasks import TASKS

    file = tmp_path / "one.md"
    file.write_text(GUIDE)
    monkeypatch.setattr(
        "rag.ingest.sample.sample_items",
        lambda: {task: [IngestItem(file, "one.md")] for task in TASKS if task != "faq"},
    )
    assert set(parsed(run("ingest", "--sample", "--json"))["tasks"]) == set(TASKS) - {"faq"}


def test_ask_answers_with_sources(run, library):
    result = run("ask", "How long does the warranty last?")
    assert "two years" in result.stdout
    assert "[1]" in result.stdout
    assert "guide.md" in result.stdout
    assert "Traceback" not in result.stderr


def test_ask_as_json_has_sources_ids_scores_timings_and_the_answer(run, library):
    found = parsed(run("ask", "How long does the warranty last?", "--json", "--k", "2"))
    assert found["mode"] == "task-aware"
    assert "two years" in found["answer"]
    assert len(found["sources"]) <= 2
    assert {"id", "rank", "score", "scores", "name", "headings", "text"} <= set(found["sources"][0])
    assert found["timings"]["total"] >= 0
    assert found["citations"][0]["id"] == found["sources"][0]["id"]


def test_compare_as_json_has_both_modes_and_the_rank_changes(run, library):
    both = parsed(run("ask", "How long does the warranty last?", "--compare", "--json"))
    for mode in ("task-aware", "naive"):
        assert both[mode]["mode"] == mode
        assert both[mode]["sources"]
        assert both[mode]["answer"]
        assert both[mode]["timings"]["total"] >= 0
    assert set(both["rank_changes"]) == {source["id"] for source in both["task-aware"]["sources"]}


def test_compare_in_text_shows_both_lists(run, library):
    shown = run("ask", "How long does the warranty last?", "--compare").stdout
    assert "== task-aware" in shown
    assert "== naive" in shown


def test_naive_mode_is_dense_without_prompts(run, library):
    found = parsed(run("search", "warranty", "--mode", "naive", "--json"))
    assert (found["mode"], found["strategy"]) == ("naive", "dense")


@pytest.mark.parametrize("strategy", ["dense", "bm25", "hybrid"])
def test_search_takes_every_strategy(run, library, strategy):
    found = parsed(run("search", "clean the filter", "--strategy", strategy, "--json"))
    assert found["strategy"] == strategy
    assert found["sources"][0]["name"] == "guide.md"
    assert "answer" not in found


def test_search_only_in_named_files(run, library):
    found = parsed(run("search", "warranty", "--file", "other.txt", "--json"))
    assert {source["name"] for source in found["sources"]} == {"other.txt"}


def test_search_in_an_empty_library_finds_nothing_and_says_so(run):
    assert "nothing found" in run("search", "warranty", code=1).stderr


def test_a_question_can_come_from_standard_input(run, library):
    assert parsed(run("search", "-", "--json", stdin="warranty\n"))["question"] == "warranty"
    run("search", " ", code=2)


def test_a_conversation_goes_on(run, library):
    first = parsed(run("ask", "How long does the warranty last?", "--conversation", "new", "--json"))
    talk = first["conversation"]
    assert parsed(run("ask", "What does it cover?", "--conversation", talk, "--json"))["conversation"] == talk
    from rag.services import Rag

    rag = Rag()
    assert [turn.role for turn in rag.turns(talk)] == ["user", "assistant"] * 2
    rag.close()
    with pytest.raises(RagError, match="nowhere"):
        run("ask", "Hello?", "--conversation", "nowhere")


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
    left = parsed(run("documents", "--files", "--json"))
    assert "1 file" in run("delete", left[0]["id"]).stdout
    assert parsed(run("documents", "--json")) == []
    with pytest.raises(RagError, match=r"other\.txt"):
        run("delete", "other.txt")


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


def test_tasks_and_models_print_the_exact_prompts(run):
    from rag.models import MODELS
    from rag.tasks import TASKS

    tasks = parsed(run("tasks", "--json"))["tasks"]
    assert {task["name"]: task["prompts"]["query"] for task in tasks}["qa"] == "query: "
    shown = run("tasks").stdout
    assert '"query: "' in shown
    assert all(name in shown for name in TASKS)
    models = {model["id"]: model for model in parsed(run("models", "--json"))}
    assert set(models) == set(MODELS)
    assert models["Qwen/Qwen3-Embedding-0.6B"]["prompts"]["qa"]["query"].endswith("\nQuery: ")
    assert "\\nQuery: " in run("models").stdout


def test_tasks_show_the_prompts_of_the_settings(run, monkeypatch):
    monkeypatch.setenv("RAG_QUERY_PROMPT", "ask: ")
    assert '"ask: "' in run("tasks").stdout


def test_status_shows_counts_and_no_secret(run, library, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    monkeypatch.setenv("RAG_LLM_MODEL", "some-model")
    state = run("status", "--json")
    assert parsed(state)["counts"]["qa"][0] == 2
    assert "sk-very-secret" not in state.output
    assert "sk-very-secret" not in run("status").output


def test_a_dead_llm_shows_the_sources_and_is_partly_done(run, library, monkeypatch):
    monkeypatch.setenv("RAG_LLM_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("RAG_LLM_MODEL", "none")
    monkeypatch.setenv("RAG_LLM_TIMEOUT", "2")
    result = run("ask", "How long does the warranty last?", code=3)
    assert "guide.md" in result.stdout
    assert "RAG_LLM_BASE_URL" in result.stderr
    answered = parsed(run("ask", "How long does the warranty last?", "--json", code=3))
    assert answered["sources"]
    assert answered["error"]


def test_names_with_control_characters_and_markup_are_harmless(run, tmp_path):
    file = tmp_path / "a[bold red]\x1b[31mb.md"
    file.write_text("The [link=https://evil.example]warranty[/link] \x1b]0;title\x07 lasts two years.")
    run("ingest", file)
    for command in (["documents"], ["ask", "How long does the warranty last?"], ["search", "warranty", "-p"]):
        shown = run(*command).output
        assert "\x1b" not in shown
        assert "\x07" not in shown
        assert "[bold red]" in shown


def main_with(*args):
    process = subprocess.run(
        [sys.executable, "-m", "rag", *args], cwd=ROOT, capture_output=True, text=True, timeout=120, env={**os.environ}
    )
    return process.returncode, process.stdout, process.stderr


def test_errors_are_one_line():
    code, out, err = main_with("ask", "hi", "--task", "qqa")
    assert (code, out) == (1, "")
    assert err == "error: Unknown task 'qqa'. Did you mean qa?\n"


def test_wrong_settings_are_one_line(monkeypatch):
    monkeypatch.setenv("RAG_TOP_K", "many")
    code, _, err = main_with("ask", "hi")
    assert code == 1
    assert err.startswith("error: Settings are not valid.")
    assert "RAG_TOP_K" in err
    assert err.count("\n") == 1


def test_an_unexpected_error_is_one_line_and_its_traceback_is_in_the_log(monkeypatch, tmp_path, capsys):
    def broken():
        raise ValueError("odd [bold]thing")

    monkeypatch.setattr(shell, "make_rag", broken)
    monkeypatch.setattr(sys, "argv", ["rag", "status"])
    with pytest.raises(SystemExit) as stop:
        shell.main()
    err = capsys.readouterr().err
    log = tmp_path / "data" / "errors.log"
    assert stop.value.code == 1
    assert err == f"error: ValueError: odd [bold]thing (details in {log})\n"
    assert "Traceback" in log.read_text()


def test_usage_errors_exit_with_two():
    assert main_with("ask")[0] == 2
    assert main_with("nonsense")[0] == 2


@pytest.mark.parametrize("command", [["tasks"], ["models"], ["--help"], ["ask", "--help"]])
def test_light_commands_import_nothing_heavy(command):
    code = (
        "import sys\nfrom rag.cli import app\ntry:\n    app(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'pandas', 'streamlit', 'langchain_openai', 'langchain_community', 'openvino',"
        " 'sqlalchemy', 'qdrant_edge', 'qdrant_client'}\nprint('HEAVY', sorted(heavy & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code, *command], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "HEAVY []" in found.stdout


def test_the_first_interrupt_asks_to_stop_and_the_second_aborts(capsys):
    with stoppable() as cancel:
        signal.raise_signal(signal.SIGINT)
        assert cancel.wait(5)
        assert "Ctrl-C again" in capsys.readouterr().err
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_stopped_ingest_keeps_what_is_done_and_goes_on_later(run, tmp_path, monkeypatch):
    import rag.cli.ingest as module

    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(40):
        (folder / f"{number:02}.txt").write_text(f"File number {number} speaks of subject {number}. " * 50)
    cancel = threading.Event()

    def stop_after_one(progress):
        if progress.done >= 1 and progress.stage == "Embedding":
            cancel.set()

    with monkeypatch.context() as patch:
        patch.setattr(module, "stoppable", lambda: nullcontext(cancel))
        patch.setattr(module, "progress_bar", lambda: nullcontext(stop_after_one))
        result = run("ingest", folder, "--json", code=3)
    stopped = parsed(result)
    states = [file["status"] for file in stopped["tasks"]["qa"]["files"]]
    assert stopped["stopped"]
    assert 1 <= states.count("added") < 40
    assert set(states) == {"added", "stopped"}
    again = [file["status"] for file in parsed(run("ingest", folder, "--json"))["tasks"]["qa"]["files"]]
    assert again.count("unchanged") == states.count("added")
    assert set(again) == {"added", "unchanged"}


def test_progress_is_silent_without_a_terminal_and_drawn_on_one(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    step = Progress("Embedding", 1, 3, "file", "a\x1b[31m.md", 12, "chunk", 40.0, 65.0)
    with progress_bar(shown=False) as report:
        report(step)
    assert capsys.readouterr().err == ""
    with progress_bar(shown=True) as report:
        report(step)
    drawn = capsys.readouterr()
    assert drawn.out == ""
    assert "1/3" in drawn.err
    assert "12 chunks, 40/s" in drawn.err
    assert "1 min 5 s left" in drawn.err
