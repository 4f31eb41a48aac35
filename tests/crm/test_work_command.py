"""`manage.py work`: names of jobs, log, and cost of waiting."""

import os
import signal
from threading import Event
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm import worker
from crm.management.commands import work as work_command
from crm.worker import Attempts, Job, job_names, register

JOBS = (
    "search-keys, duplicates, wake-ups, invoices, mails, tasks, outgoing-changes, outgoing-events, file-moves, "
    "expiry-cleanup, deliveries, texts, lookups, attachments, text-backs, campaigns, campaign-counts, reminders, "
    "rollups"
)


@pytest.mark.parametrize(
    ("only", "problem"),
    [
        ("emails,texts", "there is no job emails"),
        ("a,b", "there is no job a, b"),
        ("", "name a job"),
        (",", "name a job"),
    ],
)
def test_unknown_job_is_refused_with_the_names_of_all_jobs(only, problem):
    with pytest.raises(CommandError) as error:
        call_command("work", "--only", only)
    assert str(error.value) == f"--only: {problem}; choose from {JOBS}."


@pytest.fixture
def restore_signals():
    before = {signum: signal.getsignal(signum) for signum in (signal.SIGTERM, signal.SIGINT)}
    yield
    for signum, handler in before.items():
        signal.signal(signum, handler)


@pytest.fixture
def own_jobs(monkeypatch):
    monkeypatch.setattr(worker, "_jobs", {})
    monkeypatch.setattr(worker, "IDLE_S", 0.001)


def test_worker_logs_its_start_and_what_it_has_done(db, own_jobs, restore_signals, caplog, settings):
    tasks = iter([True, True, False])
    register(Job(name="a", do_next=lambda: next(tasks, False), has_pending=lambda: False))
    register(Job(name="b", do_next=lambda: False, has_pending=lambda: False))
    caplog.set_level("INFO")
    call_command("work", "--until-empty")
    assert [record.getMessage() for record in caplog.records] == [
        f"Worker started: version {settings.VERSION}, pid {os.getpid()}, jobs a, b.",
        "Worker stopped: no work remains. Tasks done: a 2.",
    ]


def test_worker_logs_the_signal_that_stops_it(db, own_jobs, restore_signals, caplog):
    def do_next():
        os.kill(os.getpid(), signal.SIGTERM)
        return False

    register(Job(name="a", do_next=do_next, has_pending=lambda: True))
    caplog.set_level("INFO")
    call_command("work", "--only", " a ")
    assert caplog.messages[-1] == "Worker stopped: SIGTERM. Tasks done: none."


def test_worker_that_is_stopped_while_it_waits_for_the_database_does_not_start(
    db, own_jobs, restore_signals, caplog, monkeypatch
):
    monkeypatch.setattr(work_command, "wait_until_ready", lambda stop: os.kill(os.getpid(), signal.SIGTERM))
    caplog.set_level("INFO")
    call_command("work")
    assert caplog.messages == ["Worker stopped: SIGTERM, before its start."]


def test_worker_that_ends_by_itself_fails(db, own_jobs, restore_signals, caplog, monkeypatch):
    real = Attempts.do_next

    def do_next(attempts):
        if attempts.job.own_thread:
            raise SystemError
        return real(attempts)

    register(Job(name="a", do_next=lambda: False, has_pending=lambda: False, own_thread=True))
    monkeypatch.setattr(Attempts, "do_next", do_next)
    with pytest.raises(CommandError, match="The worker stopped because of an error"):
        call_command("work")
    assert "The thread of job a ended, so the worker stops." in caplog.messages


class TwoMinutes(Event):
    """Stops the worker after this time of its clock."""

    def __init__(self, clock):
        super().__init__()
        self.clock = clock

    def wait(self, timeout=None):
        self.clock.now_s += timeout
        if self.clock.now_s >= 120:
            self.set()
        return self.is_set()


@pytest.mark.django_db(transaction=True)
def test_idle_worker_asks_at_most_five_statements_a_second(monkeypatch):
    """Each job is idle for two minutes in turn. The settings of a company travel with the statement that needs them."""
    total = 0
    for name in job_names():
        clock = SimpleNamespace(now_s=0.0)
        monkeypatch.setattr(worker, "time", SimpleNamespace(monotonic=lambda clock=clock: clock.now_s))
        with CaptureQueriesContext(connection) as asked:
            worker._take_turns([Attempts(worker._jobs[name])], TwoMinutes(clock))
        total += len(asked)
    print(f"{total / 120:.1f} statements a second")
    assert total <= 5 * 120


def test_new_delivery_is_looked_for_each_second():
    assert worker._jobs["deliveries"].poll_s <= worker.IDLE_S <= 1
    assert worker._jobs["texts"].poll_s <= worker.IDLE_S


def test_jobs_that_follow_others_run_in_the_thread_of_these():
    """The threads of a worker don't wake one another."""
    in_main_thread = {name for name, job in worker._jobs.items() if not job.own_thread}
    following = [job for job in worker._jobs.values() if job.after]
    assert "text-backs" in {job.name for job in following}
    for job in following:
        assert {job.name, *job.after} <= in_main_thread
