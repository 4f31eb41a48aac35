"""The background worker's threads."""

from threading import Event

import pytest

from crm import worker
from crm.worker import Job, register, work
from tests.crm.test_worker import CountdownJob, no_other_jobs  # noqa: F401  # a fixture


def test_job_with_its_own_thread_delays_no_other(db):
    answered, log, stop = Event(), [], Event()

    def wait_for_provider():
        assert answered.wait(300)
        return False

    def do_next():
        log.append("delivery")
        answered.set()
        stop.set()
        return True

    register(Job(name="texts", do_next=wait_for_provider, has_pending=lambda: True, own_thread=True))
    register(Job(name="deliveries", do_next=do_next, has_pending=lambda: True))
    work(stop=stop)
    assert log == ["delivery"]


@pytest.mark.parametrize("own_thread", [False, True])
@pytest.mark.parametrize("until_empty", [False, True])
def test_stopped_worker_finishes_what_its_jobs_have_under_way(db, caplog, own_thread, until_empty):
    log, stop = [], Event()

    def do_next():
        log.append("begun")
        stop.set()
        return True

    def fail():
        raise ZeroDivisionError

    def finish():
        log.append("finished")

    options = {"has_pending": lambda: True, "own_thread": own_thread}
    register(Job(name="broken", do_next=lambda: False, finish=fail, **options))
    register(Job(name="events", do_next=do_next, finish=finish, **options))
    work(stop=stop, until_empty=until_empty)
    assert log == ["begun", "finished"]
    assert caplog.messages == ["Job broken could not finish what was under way."]


def test_worker_ends_with_the_thread_of_a_job(db, caplog, monkeypatch):
    real = worker._take_turns

    def end_in_thread(jobs, stop, **options):
        if jobs[0].job.own_thread:
            raise ZeroDivisionError
        real(jobs, stop, **options)

    register(Job(name="texts", do_next=lambda: False, has_pending=lambda: False, own_thread=True))
    monkeypatch.setattr(worker, "_take_turns", end_in_thread)
    stop = Event()
    work(stop=stop)
    assert stop.is_set()
    assert caplog.messages == ["The thread of job texts ended, so the worker stops."]


def test_only_named_jobs_are_done(db):
    log = []
    for name in ("a", "b", "c"):
        CountdownJob(name, 1, log)
    attempts = work(stop=Event(), only=["a", "c"], until_empty=True)
    assert log == ["a", "c"]
    assert [(one.job.name, one.done) for one in attempts] == [("a", 1), ("c", 1)]
