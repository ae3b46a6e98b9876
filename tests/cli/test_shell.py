import os
import subprocess
import sys
from pathlib import Path

import pytest

from rag.cli import Shell, main

ROOT = Path(__file__).resolve().parents[2]


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


def test_an_unexpected_error_is_one_line_and_its_traceback_is_in_the_log(tmp_path, capsys):
    def broken():
        raise ValueError("odd [bold]thing")

    with pytest.raises(SystemExit) as stop:
        main(["status"], Shell(make_rag=broken))
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
    process = subprocess.run(
        [sys.executable, "-c", code, *command], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "HEAVY []" in process.stdout
