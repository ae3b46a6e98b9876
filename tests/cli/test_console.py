import signal

import pytest

from rag.cli.console import progress_bar, stoppable
from rag.jobs import Progress


def test_the_first_interrupt_asks_to_stop_and_the_second_aborts(capsys):
    with stoppable() as cancel:
        signal.raise_signal(signal.SIGINT)
        assert cancel.wait(5)
        assert "Ctrl-C again" in capsys.readouterr().err
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


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
