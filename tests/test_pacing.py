import threading

import pytest

from rag.pacing import GapError, Limits, TotalError, paced

AMPLE = Limits(20, 20)


def nothing():
    return None


def test_items_come_through_and_errors_are_raised_where_they_are_awaited():
    def items():
        yield from "ab"
        raise ValueError("c")

    received = paced(items, AMPLE, pytest.fail)
    assert [next(received), next(received)] == ["a", "b"]
    with pytest.raises(ValueError, match="c"):
        next(received)
    assert list(paced(lambda: iter("ab"), AMPLE, pytest.fail)) == ["a", "b"]


@pytest.mark.parametrize(("limits", "error"), [(Limits(0.05, 20), GapError), (Limits(20, 0.05), TotalError)])
def test_waiting_ends_at_the_limit_and_hangs_up(limits, error):
    hung_up = threading.Event()

    def stuck():
        yield 1
        hung_up.wait(20)

    received = paced(stuck, limits, hung_up.set)
    assert next(received) == 1
    with pytest.raises(error):
        next(received)
    assert hung_up.is_set()


def test_items_without_end_stop_at_the_total():
    def endless():
        while True:
            yield 1

    with pytest.raises(TotalError):
        for _ in paced(endless, Limits(20, 0.05), nothing):
            pass


def test_the_iterator_is_closed_when_nobody_waits_any_more():
    closed = threading.Event()
    more = threading.Event()

    def items():
        try:
            yield 1
            more.wait(20)
            yield 2
        finally:
            closed.set()

    received = paced(items, AMPLE, more.set)
    next(received)
    received.close()
    assert closed.wait(20)
