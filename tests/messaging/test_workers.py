"""Concurrent and killed worker processes: nothing is lost or repeated."""

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from crm.db.tenancy import all_tenants, tenant
from crm.models import Activity, Contact, ContactPhone, Conversation, PhoneLine
from messaging.models import Message, WebhookEvent
from tests.conftest import postgres_only
from tests.db.scratch import wait_until
from tests.factories import CompanyFactory, WebhookEventFactory, WebhookSecretFactory, fictional_number
from tests.messaging.payloads import message_v3, message_v4, post_event
from tests.messaging.worker_rounds import process_next_event

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
MANAGE = Path(__file__).resolve().parents[2] / "manage.py"
CALLERS = 20


@pytest.fixture
def acme():
    company = CompanyFactory(slug="acme")
    WebhookSecretFactory(company=company)
    return company


def start_worker(*arguments, **settings):
    """Start a worker process on the test database, with a short lease."""
    database = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        url = f"sqlite:///{database}"
    else:
        url = f"{os.environ['DATABASE_URL'].rsplit('/', 1)[0]}/{database}"
    return subprocess.Popen(
        [sys.executable, str(MANAGE), "work", *arguments],
        env=os.environ | {"DATABASE_URL": url, "WORKER_LEASE_S": "1", "LOG_LEVEL": "WARNING"} | settings,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(worker):
    _, errors = worker.communicate(timeout=300)
    assert (worker.returncode, errors) == (0, "")


def count_done():
    with all_tenants():
        return WebhookEvent.objects.filter(processed=True).count()


def post_many(client, count):
    """Post messages of a few callers; every third is reported by two events. Returns the number of messages."""
    for number in range(count):
        text = message_v4(id=f"AC{number - number % 3 % 2}", sender=fictional_number(number % CALLERS))
        assert post_event(client, text).json()["status"] == "accepted"
    return len({f"AC{number - number % 3 % 2}" for number in range(count)})


def assert_each_message_exists_once(acme, count):
    with tenant(acme.pk):
        assert set(WebhookEvent.objects.values_list("status", "tries", "error")) == {("processed", 0, "")}
        assert Message.objects.count() == Activity.objects.count() == count
        assert Contact.objects.count() == ContactPhone.objects.count() == Conversation.objects.count() == CALLERS
        assert PhoneLine.objects.count() == 1


def test_killed_workers_lose_and_repeat_nothing(client, acme):
    count = post_many(client, 200)
    killed = 0
    for _ in range(3):
        before, worker = count_done(), start_worker()
        wait_until(lambda before=before: count_done() > before + 10)
        worker.kill()
        worker.communicate()
        killed += worker.returncode == -signal.SIGKILL
    assert killed == 3
    assert 30 < count_done() < 200
    finish(start_worker("--until-empty"))
    assert_each_message_exists_once(acme, count)


def test_concurrent_workers_process_each_event_once(client, acme):
    count = post_many(client, 100)
    for worker in [start_worker("--until-empty") for _ in range(3)]:
        finish(worker)
    assert_each_message_exists_once(acme, count)


def test_until_empty_waits_for_the_lease_of_a_killed_worker(client, acme):
    post_event(client, message_v4())
    lease_end = timezone.now() + timedelta(seconds=3)
    with all_tenants():
        WebhookEvent.objects.update(run_at=lease_end)
    finish(start_worker("--until-empty"))
    with all_tenants():
        assert WebhookEvent.objects.get(processed=True).processed_at >= lease_end


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_signal_stops_an_idle_worker(acme, signum):
    worker = start_worker()
    WebhookEventFactory(company=acme, body=b'{"type": "task.assigned"}')
    wait_until(lambda: count_done() == 1)
    worker.send_signal(signum)
    finish(worker)


def run_ten_times_at_once(work):
    """Run `work` in ten threads at the same instant and return the results."""
    start = threading.Barrier(10)

    def once(_):
        try:
            start.wait()
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as threads:
        return list(threads.map(once, range(10)))


def test_concurrent_first_messages_of_a_caller_create_one_contact(client, acme):
    for _ in range(10):
        assert post_event(client, message_v3()).status_code == 200
    run_ten_times_at_once(process_next_event)
    while process_next_event():
        pass
    with tenant(acme.pk):
        assert WebhookEvent.objects.filter(status="processed", tries=0).count() == 10
        assert Contact.objects.count() == ContactPhone.objects.count() == 1
        assert Conversation.objects.count() == PhoneLine.objects.count() == 1
        assert Message.objects.count() == 10


def test_same_event_ten_times_at_once_is_one_row(acme):
    payload = message_v4()
    answers = run_ten_times_at_once(lambda: post_event(Client(), payload).json()["status"])
    assert sorted(answers) == ["accepted"] + ["duplicate"] * 9
    with all_tenants():
        assert WebhookEvent.objects.count() == 1


@postgres_only
def test_worker_survives_a_database_restart(client, acme):
    worker = start_worker()
    WebhookEventFactory(company=acme, body=b'{"type": "task.assigned"}')
    wait_until(lambda: count_done() == 1)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid()"
        )
        assert cursor.rowcount >= 1
    WebhookEventFactory(company=acme, body=b'{"type": "task.assigned"}')
    wait_until(lambda: count_done() == 2)
    worker.terminate()
    _, errors = worker.communicate(timeout=300)
    assert worker.returncode == 0
    assert "Traceback" not in errors
