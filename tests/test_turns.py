import threading

import pytest

from rag.turns import Turns


def in_thread(work):
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_work_that_can_wait_waits_for_the_last_question():
    turns, passed = Turns(), threading.Event()
    with turns.first(), turns.first():
        worker = in_thread(lambda: (turns.give_way(), passed.set()))
        assert not passed.wait(0.05)
    worker.join(5)
    assert passed.is_set()


def test_nobody_waits_while_nobody_asks():
    turns = Turns()
    turns.give_way()
    with turns.first():
        turns.give_way()  # a question does not wait for itself
        assert turns.asking
    assert not turns.asking
    turns.give_way()


def test_a_question_that_fails_holds_nobody_up():
    turns = Turns()
    with pytest.raises(ZeroDivisionError), turns.first():
        1 / 0  # noqa: B018
    turns.give_way()
    assert not turns.asking


def test_an_ingest_goes_on_however_many_ask():
    turns, passed, end = Turns(), threading.Event(), threading.Event()

    def ask():
        with turns.first():
            end.wait(10)

    asking = in_thread(ask)
    worker = in_thread(lambda: (turns.give_way(), passed.set()))
    assert passed.wait(5)
    end.set()
    asking.join(5)
    worker.join(5)
