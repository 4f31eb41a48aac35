"""The background worker, with jobs of the tests."""

from threading import Event, Semaphore, Thread
from types import SimpleNamespace

import pytest
from django.db import InterfaceError, OperationalError, connection

from crm import worker
from crm.db.watchdog import Watchdog
from crm.worker import Job, register, work
from tests.conftest import postgres_only


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


@pytest.fixture
def clock(monkeypatch):
    """The worker's clock. Each wait of an idle worker is two seconds."""
    clock = SimpleNamespace(now_s=0.0)
    monkeypatch.setattr(worker, "time", SimpleNamespace(monotonic=lambda: clock.now_s))
    return clock


class StopAfter(Event):
    """Stops the worker after some waits, which advance the clock instead."""

    def __init__(self, clock, *, waits):
        super().__init__()
        self.clock, self.waits = clock, waits

    def wait(self, _timeout=None):
        self.clock.now_s += 2
        self.waits -= 1
        if self.waits <= 0:
            self.set()
        return self.is_set()


class NoteWaits(Event):
    """Stops the worker after some waits, which advance the clock by their length, and are noted."""

    def __init__(self, clock, *, waits):
        super().__init__()
        self.clock, self.left, self.waits = clock, waits, []

    def wait(self, timeout=None):
        self.clock.now_s += timeout
        self.waits.append(timeout)
        if len(self.waits) >= self.left:
            self.set()
        return self.is_set()


def test_worker_polls_soon_after_its_last_task_and_less_often_later(db, clock):
    CountdownJob("a", 3, [])
    stop = NoteWaits(clock, waits=30)
    work(stop=stop)
    soon = [wait for wait in stop.waits if wait == worker.SOON_S]
    assert stop.waits == soon + [worker.IDLE_S] * (30 - len(soon))
    assert sum(soon) == pytest.approx(worker.LATELY_S, abs=worker.SOON_S)


def fail(error):
    """Return a job's function that raises."""

    def do_next():
        raise error

    return do_next


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_worker_waits_for_an_unavailable_database(db, caplog, monkeypatch, error):
    outages = iter([error("gone\nLINE 1: +12125550101"), error("gone")])
    refusals = iter([error("refused")])
    done = []

    def do_next():
        for outage in outages:
            raise outage
        if done:
            return False
        done.append("back")
        return True

    def connect():
        for refusal in refusals:
            raise refusal

    monkeypatch.setattr(
        worker,
        "connection",
        SimpleNamespace(is_usable=lambda: False, close=lambda: None, ensure_connection=connect),
    )
    caplog.set_level("INFO")
    register(Job(name="a", do_next=do_next, has_pending=lambda: not done))
    work(stop=Event(), until_empty=True)
    assert done == ["back"]
    assert [record.getMessage() for record in caplog.records] == [
        f"The database is unavailable ({error.__name__}: gone). The worker waits for it.",
        "The database is available again.",
    ] * 2


@pytest.mark.parametrize("error", [ZeroDivisionError("a"), OperationalError("a"), RecursionError("a"), MemoryError()])
def test_failing_job_stops_neither_the_worker_nor_the_jobs_around_it(db, clock, error):
    log = []
    CountdownJob("before", 5, log)
    register(Job(name="broken", do_next=fail(error), has_pending=lambda: True))
    CountdownJob("after", 5, log)
    work(stop=StopAfter(clock, waits=3))
    assert log == ["before", "after"] * 5


def test_failing_job_is_tried_again_after_a_growing_wait(db, clock):
    tries = []

    def do_next():
        tries.append(clock.now_s)
        raise ZeroDivisionError

    register(Job(name="broken", do_next=do_next, has_pending=lambda: True))
    work(stop=StopAfter(clock, waits=70))
    assert tries == [0, 2, 6, 14, 30, 62, 126]


def test_wait_after_failures_has_a_maximum():
    assert worker.backoff(1).total_seconds() == 2
    assert worker.backoff(100_000).total_seconds() == worker.MAX_BACKOFF_S


def test_repeated_error_is_logged_once_with_its_traceback(db, clock, caplog):
    register(Job(name="broken", do_next=fail(ZeroDivisionError("a")), has_pending=lambda: True))
    work(stop=StopAfter(clock, waits=70))
    [record] = caplog.records
    assert record.getMessage() == "Job broken failed. It is tried again later, the other jobs go on."
    assert record.exc_info[0] is ZeroDivisionError


def test_other_error_of_the_same_job_is_logged_too(db, clock, caplog):
    errors = iter([ZeroDivisionError(), KeyError(), ZeroDivisionError(), KeyError()])

    def do_next():
        for error in errors:
            raise error
        return False

    register(Job(name="broken", do_next=do_next, has_pending=lambda: True))
    work(stop=StopAfter(clock, waits=20))
    assert [record.exc_info[0] for record in caplog.records] == [ZeroDivisionError, KeyError]


def test_success_ends_the_waiting(db, clock):
    results = iter([ValueError(), ValueError(), True, True, ValueError(), True])
    done = []

    def do_next():
        result = next(results, False)
        if isinstance(result, Exception):
            raise result
        if result:
            done.append(clock.now_s)
        return result

    register(Job(name="a", do_next=do_next, has_pending=lambda: False))
    work(stop=StopAfter(clock, waits=20))
    assert done == [6, 6, 8]


def test_until_empty_waits_for_a_failing_job(db, clock):
    errors = iter([ValueError(), ValueError()])
    done = []

    def do_next():
        for error in errors:
            raise error
        done.append(clock.now_s)
        return False

    register(Job(name="a", do_next=do_next, has_pending=lambda: False))
    work(stop=StopAfter(clock, waits=100), until_empty=True)
    assert done == [6]


def test_failing_question_for_pending_tasks_counts_as_pending(db, clock):
    answers = iter([ValueError(), False])

    def has_pending():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    register(Job(name="a", do_next=lambda: False, has_pending=has_pending))
    stop = StopAfter(clock, waits=100)
    work(stop=stop, until_empty=True)
    assert (next(answers, None), stop.is_set()) == (None, False)


@pytest.mark.parametrize("signal", [KeyboardInterrupt, SystemExit])
def test_interruption_ends_the_worker(db, signal):
    register(Job(name="a", do_next=fail(signal), has_pending=lambda: True))
    with pytest.raises(signal):
        work(stop=Event())


def test_registration_of_the_same_name_replaces_the_job(db):
    log = []
    CountdownJob("a", 1, log)
    CountdownJob("a", 2, log)
    work(stop=Event(), until_empty=True)
    assert log == ["a", "a"]


# --- Polling ---


def test_empty_queue_is_polled_with_one_cheap_question_at_its_interval(db, clock):
    asked, done = [], []

    def is_due():
        asked.append(clock.now_s)
        return False

    def do_next():
        done.append(clock.now_s)
        return False

    register(Job(name="a", do_next=do_next, has_pending=lambda: False, is_due=is_due, poll_s=10))
    work(stop=StopAfter(clock, waits=16))
    assert (done, asked) == ([], [0, 10, 20, 30])


@pytest.mark.parametrize(("after", "polled"), [(["a"], [0, 2]), ([], [0])])
def test_task_makes_the_worker_poll_the_queues_that_follow_it_at_once(db, clock, after, polled):
    done = []
    rare = Job(
        name="rare",
        do_next=lambda: bool(done.append(clock.now_s)),
        has_pending=lambda: False,
        poll_s=100,
        after=after,
    )
    register(rare)
    results = iter([False, True])
    register(Job(name="a", do_next=lambda: next(results, False), has_pending=lambda: False))
    work(stop=StopAfter(clock, waits=5))
    assert done == polled


def test_each_task_makes_a_worker_that_ends_when_nothing_is_left_poll_all_queues(db, clock):
    log = []
    CountdownJob("first", 1, log)

    def follow():
        log.append("polled")
        return False

    register(Job(name="rare", do_next=follow, has_pending=lambda: False, poll_s=100))
    work(stop=Event(), until_empty=True)
    assert log == ["first", "polled", "polled"]


@postgres_only
@pytest.mark.django_db(transaction=True)
def test_task_whose_database_never_answers_ends_as_an_outage(monkeypatch):
    monkeypatch.setattr(worker, "TASKS", Watchdog(deadline_s=0.05))

    def hang():
        with connection.cursor() as cursor:
            cursor.execute("SET client_connection_check_interval = 10")  # the server ends the statement, too
            cursor.execute("SELECT pg_sleep(3600)")

    job = Job(name="hang", do_next=lambda: hang() or False, has_pending=lambda: False)
    with pytest.raises(worker.DatabaseUnavailable):
        worker.Attempts(job).do_next()
    connection.close()
