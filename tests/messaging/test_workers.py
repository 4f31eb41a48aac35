"""Real workers, side by side and killed: nothing is lost, nothing happens twice."""

import os
import signal
import subprocess
import sys
import threading
import time
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
from messaging.services.inbound.webhook_processing import process_next_event
from tests.conftest import postgres_only
from tests.factories import CompanyFactory, WebhookEventFactory, WebhookSecretFactory, fictional_number
from tests.messaging.payloads import deliver, text_v3, text_v4

pytestmark = pytest.mark.django_db(transaction=True)
MANAGE = Path(__file__).resolve().parents[2] / "manage.py"
CALLERS = 20


@pytest.fixture
def acme():
    company = CompanyFactory(slug="acme")
    WebhookSecretFactory(company=company)
    return company


def start_worker(*arguments, **settings):
    """A worker process on the tests' database, with a short lease."""
    database = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        url = f"sqlite:///{database}"
    else:
        url = f"{os.environ['DATABASE_URL'].rsplit('/', 1)[0]}/{database}"
    return subprocess.Popen(
        [sys.executable, str(MANAGE), "work", *arguments],
        env=os.environ | {"DATABASE_URL": url, "WORKER_LEASE_S": "1"} | settings,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(worker):
    _, complaints = worker.communicate(timeout=60)
    assert (worker.returncode, complaints) == (0, "")


def wait_until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.005)


def count_done():
    with all_tenants():
        return WebhookEvent.objects.filter(processed=True).count()


def deliver_many(client, count):
    """Texts of a few busy callers; every third is told of twice, under two events."""
    for number in range(count):
        text = text_v4(id=f"AC{number - number % 3 % 2}", sender=fictional_number(number % CALLERS))
        assert deliver(client, text).json()["status"] == "accepted"
    return len({f"AC{number - number % 3 % 2}" for number in range(count)})


def assert_each_text_is_there_once(acme, texts):
    with tenant(acme.pk):
        assert set(WebhookEvent.objects.values_list("status", "tries", "error")) == {("processed", 0, "")}
        assert Message.objects.count() == Activity.objects.count() == texts
        assert Contact.objects.count() == ContactPhone.objects.count() == Conversation.objects.count() == CALLERS
        assert PhoneLine.objects.count() == 1


def test_killed_workers_lose_nothing_and_do_nothing_twice(client, acme):
    texts = deliver_many(client, 200)
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
    assert_each_text_is_there_once(acme, texts)


def test_workers_side_by_side_do_each_piece_once(client, acme):
    texts = deliver_many(client, 100)
    for worker in [start_worker("--until-empty") for _ in range(3)]:
        finish(worker)
    assert_each_text_is_there_once(acme, texts)


def test_until_empty_waits_out_the_lease_of_a_worker_that_is_gone(client, acme):
    deliver(client, text_v4())
    lease_end = timezone.now() + timedelta(seconds=3)
    with all_tenants():
        WebhookEvent.objects.update(run_at=lease_end)
    finish(start_worker("--until-empty"))
    with all_tenants():
        assert WebhookEvent.objects.get(processed=True).processed_at >= lease_end


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_an_idle_worker(acme, signum):
    worker = start_worker()
    WebhookEventFactory(company=acme, body=b'{"type": "task.assigned"}')
    wait_until(lambda: count_done() == 1)
    worker.send_signal(signum)
    finish(worker)


def ten_times_at_once(work):
    """What ten threads brought back that did this at the same instant."""
    start = threading.Barrier(10)

    def once(_):
        try:
            start.wait()
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as threads:
        return list(threads.map(once, range(10)))


def test_ten_first_texts_of_one_caller_at_once_make_one_contact(client, acme):
    for _ in range(10):
        assert deliver(client, text_v3()).status_code == 200
    ten_times_at_once(process_next_event)
    while process_next_event():
        pass
    with tenant(acme.pk):
        assert WebhookEvent.objects.filter(status="processed", tries=0).count() == 10
        assert Contact.objects.count() == ContactPhone.objects.count() == 1
        assert Conversation.objects.count() == PhoneLine.objects.count() == 1
        assert Message.objects.count() == 10


def test_the_same_delivery_ten_times_at_once_is_one_row(acme):
    payload = text_v4()
    answers = ten_times_at_once(lambda: deliver(Client(), payload).json()["status"])
    assert sorted(answers) == ["duplicate"] * 9 + ["accepted"]
    with all_tenants():
        assert WebhookEvent.objects.count() == 1


@postgres_only
def test_a_worker_survives_a_restart_of_the_database(client, acme):
    worker = start_worker()
    WebhookEventFactory(company=acme, body=b'{"type": "task.assigned"}')
    wait_until(lambda: count_done() == 1)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid()"
        )
        assert cursor.rowcount == 1
    WebhookEventFactory(company=acme, body=b'{"type": "task.assigned"}')
    wait_until(lambda: count_done() == 2)
    worker.terminate()
    _, complaints = worker.communicate(timeout=30)
    assert worker.returncode == 0
    assert "Traceback" not in complaints
