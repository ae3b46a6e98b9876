import threading

import pytest

from rag.errors import CancelledError
from rag.jobs import Meter, progress


class Clock:
    """Time that passes when a test says so."""

    def __init__(self):
        self.now = 100.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


@pytest.fixture
def seen():
    return []


def test_steps_are_counted_with_rate_and_time_left(clock, seen):
    meter = Meter(seen.append)
    meter.begin("Embedding", 4, "text")
    clock.now += 2
    meter.step(item="a")
    last = seen[-1]
    assert (last.stage, last.done, last.total, last.unit, last.item) == ("Embedding", 1, 4, "text", "a")
    assert (last.rate, last.seconds_left) == (0.5, 6.0)


def test_the_time_left_is_by_weight_and_the_rate_by_the_smaller_unit(clock, seen):
    meter = Meter(seen.append)
    meter.begin("Embedding", 2, "file", weight=100, work_unit="chunk")
    clock.now += 1
    meter.step(weight=80, work=20)
    assert (seen[-1].work, seen[-1].work_unit, seen[-1].rate, seen[-1].seconds_left) == (20, "chunk", 20.0, 0.25)


def test_steps_that_need_no_work_count_neither_in_rate_nor_in_time_left(clock, seen):
    meter = Meter(seen.append)
    meter.begin("Embedding", 10, "file", done=8)
    assert (seen[-1].done, seen[-1].rate, seen[-1].seconds_left) == (8, 0.0, None)
    clock.now += 1
    meter.step()
    assert (seen[-1].done, seen[-1].rate, seen[-1].seconds_left) == (9, 1.0, 1.0)


def test_reports_are_ten_a_second_at_most_and_the_last_step_is_always_reported(clock, seen):
    meter = Meter(seen.append)
    meter.begin("Ranking", 100)
    for _ in range(100):
        clock.now += 0.01
        meter.step()
    assert len(seen) <= 12
    assert (seen[-1].done, seen[-1].seconds_left) == (100, 0.0)


def test_an_announced_stage_keeps_the_counts_and_promises_no_time(clock, seen):
    meter = Meter(seen.append)
    meter.begin("Embedding", 2, "file", work_unit="chunk")
    clock.now += 0.01
    meter.update(1, weight=1, work=5)
    meter.announce("Finishing")
    assert [(report.stage, report.done, report.work) for report in seen] == [("Embedding", 0, 0), ("Finishing", 1, 5)]
    assert seen[-1].seconds_left is None


def test_a_cancelled_meter_stops_at_the_next_step_but_settles_the_last_count(seen):
    cancel = threading.Event()
    meter = Meter(seen.append, cancel, "Halted.")
    meter.begin("Ranking", 2)
    cancel.set()
    assert meter.cancelled
    for stop in (meter.check, meter.step, lambda: meter.update(1, weight=1)):
        with pytest.raises(CancelledError, match=r"Halted\."):
            stop()
    assert meter.done == 0
    meter.settle(2, weight=2)
    assert (meter.done, seen[-1].done) == (2, 2)


def test_without_a_callback_it_counts_in_silence():
    meter = Meter()
    meter.begin("Ranking", 2)
    meter.step(2)
    assert meter.done == 2
