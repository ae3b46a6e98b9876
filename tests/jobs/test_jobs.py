import threading

from rag.errors import CancelledError, RagError
from rag.jobs import Jobs, JobState, Progress


def ended(jobs, job, seconds=10):
    waiting = threading.Event()
    for _ in range(int(seconds / 0.01)):
        view = next(view for view in jobs.views() if view.id == job)
        if not view.active:
            return view
        waiting.wait(0.01)
    raise AssertionError(f"still {view.state}")


def test_a_job_reports_and_returns():
    jobs = Jobs()
    job = jobs.start("Count", lambda report, cancel: report(Progress("Reading", 1, 2, "file")) or 42, "documents")
    view = ended(jobs, job)
    assert (view.state, view.result, view.progress.done, view.queue) == (JobState.DONE, 42, 1, "documents")
    assert view.ended > 0


def test_stopping_a_running_job_sets_its_event():
    jobs, begun = Jobs(), threading.Event()

    def work(report, cancel):
        begun.set()
        assert cancel.wait(10)
        return "half"

    job = jobs.start("Wait", work)
    assert begun.wait(10)
    jobs.stop(job)
    assert jobs.views()[0].state is JobState.STOPPING
    view = ended(jobs, job)
    assert (view.state, view.result) == (JobState.STOPPED, "half")


def test_jobs_run_one_after_the_other_and_a_waiting_one_can_be_stopped():
    jobs, go, order = Jobs(), threading.Event(), []
    first = jobs.start("First", lambda report, cancel: (go.wait(10), order.append(1)))
    second = jobs.start("Second", lambda report, cancel: order.append(2))
    jobs.stop(second)
    go.set()
    assert ended(jobs, first).state is JobState.DONE
    assert ended(jobs, second).state is JobState.STOPPED
    assert order == [1]


def test_queues_do_not_wait_for_each_other():
    jobs, go = Jobs(), threading.Event()
    slow = jobs.start("Slow", lambda report, cancel: go.wait(10), "documents")
    assert ended(jobs, jobs.start("Quick", lambda report, cancel: 1, "evaluation")).result == 1
    assert jobs.active("documents")
    assert not jobs.active("evaluation")
    assert [view.title for view in jobs.views("evaluation")] == ["Quick"]
    assert len(jobs.views("documents", "evaluation")) == len(jobs.views()) == 2
    go.set()
    ended(jobs, slow)


def test_failures_are_told_and_cancelled_work_is_stopped():
    def fail(error):
        def work(report, cancel):
            raise error

        return work

    jobs = Jobs()
    failed = ended(jobs, jobs.start("Fail", fail(RagError("no disk"))))
    assert (failed.state, failed.error) == (JobState.FAILED, "no disk")
    assert ended(jobs, jobs.start("Fail", fail(ValueError("odd")))).error == "ValueError: odd"
    assert ended(jobs, jobs.start("Fail", fail(CancelledError("stop")))).state is JobState.STOPPED


def test_only_ended_jobs_can_be_dismissed_and_few_are_kept():
    jobs, go = Jobs(), threading.Event()
    running = jobs.start("Run", lambda report, cancel: go.wait(10))
    jobs.dismiss(running)
    assert jobs.active()
    go.set()
    ended(jobs, running)
    jobs.dismiss(running)
    assert jobs.views() == []
    for _ in range(30):
        ended(jobs, jobs.start("Quick", lambda report, cancel: None))
    assert len(jobs.views()) <= 20
