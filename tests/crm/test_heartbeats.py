"""Heartbeats of workers."""

import os
import socket
from datetime import timedelta
from threading import Event

import pytest
from django.core.management import call_command
from django.utils.timezone import now

from crm import worker
from crm.models import WorkerHeartbeat
from crm.services import heartbeats
from crm.services.expiry_cleanup import remove_expired
from crm.services.heartbeats import Heartbeat
from crm.worker import Job, register
from tests.crm.test_work_command import own_jobs, restore_signals  # noqa: F401  # fixtures
from tests.factories import WorkerHeartbeatFactory

pytestmark = pytest.mark.django_db


def test_worker_shows_itself_until_it_stops(own_jobs, restore_signals, settings):  # noqa: F811
    seen = []

    def do_next():
        seen.extend(WorkerHeartbeat.objects.values_list("host", "pid", "version", "jobs"))
        return False

    register(Job(name="a", do_next=do_next, has_pending=lambda: False))
    call_command("work", "--until-empty")
    assert seen == [(socket.gethostname(), os.getpid(), settings.VERSION, ["a"])]
    assert not WorkerHeartbeat.objects.exists()


def test_worker_is_seen_each_ten_seconds(monkeypatch, django_assert_num_queries):
    clock = [100.0]
    monkeypatch.setattr(heartbeats.time, "monotonic", lambda: clock[0])
    beat = Heartbeat(jobs=["a"])
    beat.beat()
    WorkerHeartbeat.objects.update(seen_at=now() - timedelta(minutes=5))
    clock[0] += 9
    with django_assert_num_queries(0):
        beat.beat()
    clock[0] += 1
    with django_assert_num_queries(1):
        beat.beat()
    assert WorkerHeartbeat.objects.get().seen_at > now() - timedelta(minutes=1)


def test_heartbeat_that_has_expired_in_an_outage_comes_back(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(heartbeats.time, "monotonic", lambda: clock[0])
    beat = Heartbeat(jobs=["a"])
    beat.beat()
    WorkerHeartbeat.objects.all().delete()
    clock[0] += 10
    beat.beat()
    assert WorkerHeartbeat.objects.count() == 1
    beat.end()
    assert not WorkerHeartbeat.objects.exists()


def test_failing_heartbeat_stops_no_job(own_jobs):  # noqa: F811
    done = []

    def fail():
        raise ValueError

    register(Job(name="a", do_next=lambda: bool(done.append(1)), has_pending=lambda: False))
    stop = Event()
    register(Job(name="b", do_next=lambda: bool(stop.set()), has_pending=lambda: False))
    worker.work(stop=stop, beat=fail)
    assert done == [1]


def test_heartbeats_of_killed_workers_are_removed_after_an_hour():
    WorkerHeartbeatFactory(seen_at=now() - timedelta(minutes=61))
    kept = WorkerHeartbeatFactory(seen_at=now() - timedelta(minutes=59))
    remove_expired()
    assert list(WorkerHeartbeat.objects.all()) == [kept]
