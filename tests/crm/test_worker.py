"""The loop that does the background work, with jobs made for the test."""

from threading import Event, Semaphore, Thread

import pytest
from django.db import InterfaceError, OperationalError

from crm import worker
from crm.worker import Job, register, work


@pytest.fixture(autouse=True)
def no_other_jobs(monkeypatch):
    monkeypatch.setattr(worker, "_jobs", {})
    monkeypatch.setattr(worker, "IDLE_S", 0.001)


class Pieces:
    """A job of so many pieces, that writes down what it did."""

    def __init__(self, name, count, log):
        self.name, self.count, self.log = name, count, log
        register(Job(name=name, do_next=self.do_next, is_left=lambda: self.count > 0))

    def do_next(self):
        if self.count == 0:
            return False
        self.count -= 1
        self.log.append(self.name)
        return True


def test_until_empty_does_all_and_ends(db):
    log = []
    Pieces("a", 3, log)
    work(stop=Event(), until_empty=True)
    assert log == ["a", "a", "a"]


def test_each_job_has_its_turn(db):
    log = []
    Pieces("long", 3, log)
    Pieces("short", 1, log)
    work(stop=Event(), until_empty=True)
    assert log == ["long", "short", "long", "long"]


def test_until_empty_waits_for_what_is_not_due_yet(db):
    looks = iter([False, False, True])
    done = []

    def do_next():
        if not done and next(looks):
            done.append("late")
            return True
        return False

    register(Job(name="late", do_next=do_next, is_left=lambda: not done))
    work(stop=Event(), until_empty=True)
    assert done == ["late"]


def test_stopping_finishes_the_piece_in_hand_and_begins_no_other(db):
    log, stop = [], Event()
    pieces = Pieces("a", 3, log)

    def do_next():
        stop.set()
        return pieces.do_next()

    register(Job(name="a", do_next=do_next, is_left=lambda: True))
    work(stop=stop)
    assert log == ["a"]


def test_idle_worker_runs_until_it_is_stopped(db):
    stop, looks = Event(), Semaphore(0)

    def do_next():
        looks.release()
        return False

    register(Job(name="idle", do_next=do_next, is_left=lambda: False))
    thread = Thread(target=work, kwargs={"stop": stop})
    thread.start()
    assert all(looks.acquire(timeout=60) for _ in range(3))
    stop.set()
    thread.join(timeout=60)
    assert not thread.is_alive()


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_it_waits_for_a_database_that_went_away(db, caplog, error):
    outages = iter([error("gone"), error("gone")])
    done = []

    def do_next():
        for outage in outages:
            raise outage
        if done:
            return False
        done.append("back")
        return True

    register(Job(name="a", do_next=do_next, is_left=lambda: not done))
    work(stop=Event(), until_empty=True)
    assert done == ["back"]
    assert [record.getMessage() for record in caplog.records] == [
        f"The database is unavailable ({error.__name__}); retrying."
    ] * 2


def test_any_other_error_ends_the_worker(db):
    register(Job(name="a", do_next=lambda: 1 / 0, is_left=lambda: True))
    with pytest.raises(ZeroDivisionError):
        work(stop=Event())


def test_registering_a_job_again_replaces_it(db):
    log = []
    Pieces("a", 1, log)
    Pieces("a", 2, log)
    work(stop=Event(), until_empty=True)
    assert log == ["a", "a"]
