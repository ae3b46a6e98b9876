import json
import logging
import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from rag.cli.console import emit, note, progress_bar, say, table
from rag.jobs import Progress
from rag.logs import PlainFormatter

INTERRUPTED = """
import signal
from rag.cli.console import stoppable
before = signal.getsignal(signal.SIGINT)
with stoppable() as cancel:
    signal.raise_signal(signal.SIGINT)
    print(cancel.wait(5))
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        print("aborted")
print(signal.getsignal(signal.SIGINT) is before)
"""


def test_the_first_interrupt_asks_to_stop_and_the_second_aborts():
    """In a process of its own: an interrupt that comes late would end the tests."""
    ended = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout.split() == ["True", "aborted", "True"]
    assert "Ctrl-C again" in ended.stderr


def test_progress_is_silent_without_a_terminal_and_drawn_on_one(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    step = Progress("Embedding", 1, 3, "file", "a\x1b[31m.md", 12, "chunk", 40.0, 65.0)
    with progress_bar(drawn=False) as report:
        report(step)
    assert capsys.readouterr().err == ""
    with progress_bar(drawn=True) as report:
        report(step)
    output = capsys.readouterr()
    assert output.out == ""
    assert "1/3" in output.err
    assert "12 chunks, 40/s" in output.err
    assert "1 min 5 s left" in output.err


HOSTILE = "a\x1b[31m\x9b2J\u202eb\u2066\x07\x7f\ud800c"


def test_nothing_that_is_printed_steers_a_terminal(capsys):
    say(HOSTILE)
    note(HOSTILE)
    table([HOSTILE], [[HOSTILE]])
    emit({HOSTILE: HOSTILE})
    printed = "".join(capsys.readouterr())
    assert not set(printed) & set("\x1b\x9b\u202e\u2066\x07\x7f\ud800")


@given(st.text(st.characters(exclude_categories=[])))
def test_json_loses_nothing_and_holds_no_unseen_character(text):
    import contextlib
    import io
    import unicodedata

    with contextlib.redirect_stdout(io.StringIO()) as printed:
        emit([text])
    assert json.loads(printed.getvalue()) == [text]
    steering = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert not any(unicodedata.category(char) in steering for char in printed.getvalue().replace("\n", ""))


def test_a_log_record_steers_no_terminal():
    record = logging.LogRecord("rag", logging.WARNING, "", 1, "%s could not be read", (HOSTILE,), None)
    assert PlainFormatter("%(message)s").format(record) == "a[31m2Jb\ufffdc could not be read"
