"""The background worker, with jobs of the tests."""

from threading import Event, Semaphore, Thread

import pytest
from django.db import InterfaceError, OperationalError

from crm import worker
from crm.worker import Job, register, work


@pytest.fixture(autouse=True)
def no_other_jobs(monkeypatch):
    monkeypatch.setattr(worker, "_jobs", {})
    monkeypatch.setattr(worker, "IDLE_S", 0.001)


class CountdownJob:
    """A job with `count` tasks that logs each of them."""

    def __init__(self, name, count, log):
        self.name, self.count, self.log = name, count, log
        register(Job(name=name, do_next=self.do_next, has_pending=lambda: self.count > 0))

    def do_next(self):
        if self.count == 0:
            return False
        self.count -= 1
        self.log.append(self.name)
        return True


def test_until_empty_does_all_tasks_and_returns(db):
    log = []
    CountdownJob("a", 3, log)
    work(stop=Event(), until_empty=True)
    assert log == ["a", "a", "a"]


def test_jobs_take_turns(db):
    log = []
    CountdownJob("long", 3, log)
    CountdownJob("short", 1, log)
    work(stop=Event(), until_empty=True)
    assert log == ["long", "short", "long", "long"]


def test_until_empty_waits_for_delayed_tasks(db):
    polls = iter([False, False, True])
    done = []

    def do_next():
        if not done and next(polls):
            done.append("late")
            return True
        return False

    register(Job(name="late", do_next=do_next, has_pending=lambda: not done))
    work(stop=Event(), until_empty=True)
    assert done == ["late"]


def test_stop_finishes_the_current_task_only(db):
    log, stop = [], Event()
    job = CountdownJob("a", 3, log)

    def do_next():
        stop.set()
        return job.do_next()

    register(Job(name="a", do_next=do_next, has_pending=lambda: True))
    work(stop=stop)
    assert log == ["a"]


def test_idle_worker_runs_until_it_is_stopped(db):
    stop, polls = Event(), Semaphore(0)

    def do_next():
        polls.release()
        return False

    register(Job(name="idle", do_next=do_next, has_pending=lambda: False))
    thread = Thread(target=work, kwargs={"stop": stop})
    thread.start()
    assert all(polls.acquire(timeout=300) for _ in range(3))
    stop.set()
    thread.join(timeout=300)
    assert not thread.is_alive()


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_worker_waits_for_an_unavailable_database(db, caplog, error):
    outages = iter([error("gone"), error("gone")])
    done = []

    def do_next():
        for outage in outages:
            raise outage
        if done:
            return False
        done.append("back")
        return True

    register(Job(name="a", do_next=do_next, has_pending=lambda: not done))
    work(stop=Event(), until_empty=True)
    assert done == ["back"]
    assert [record.getMessage() for record in caplog.records] == [
        f"The database is unavailable ({error.__name__}); retrying."
    ] * 2


def test_other_error_ends_the_worker(db):
    register(Job(name="a", do_next=lambda: 1 / 0, has_pending=lambda: True))
    with pytest.raises(ZeroDivisionError):
        work(stop=Event())


def test_registration_of_the_same_name_replaces_the_job(db):
    log = []
    CountdownJob("a", 1, log)
    CountdownJob("a", 2, log)
    work(stop=Event(), until_empty=True)
    assert log == ["a", "a"]
