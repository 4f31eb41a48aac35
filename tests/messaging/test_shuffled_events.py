"""Shuffled and duplicated events with killed workers: the rows are those of an undisturbed run."""

import itertools
import os
import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import Client

from crm.db.tenancy import all_tenants, tenant
from crm.models import Activity, Contact, ContactPhone, Conversation, PhoneLine
from messaging.models import Message, WebhookEvent
from messaging.services.inbound.webhook_processing import has_pending_events
from tests.factories import CompanyFactory, PhoneLineFactory, WebhookSecretFactory
from tests.messaging.event_stream import EventStream, snapshot
from tests.messaging.payloads import EVERY_MESSAGE, OUR_NUMBER, post_event
from tests.messaging.test_workers import finish, start_worker
from tests.messaging.worker_rounds import process_next_event

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

EVENTS = int(os.environ.get("KILL_EVENTS", "400"))
WORKERS = 2
SEED = 4


@pytest.fixture
def companies():
    quiet, noisy = CompanyFactory(slug="quiet"), CompanyFactory(slug="noisy")
    for company in (quiet, noisy):
        WebhookSecretFactory(company=company)
    return quiet, noisy


def add_line(company):
    """Give the company the number of the events, which another company may have had."""
    with all_tenants():
        PhoneLine.objects.update(number="")
    PhoneLineFactory(company=company, name="Front desk", number=OUR_NUMBER, provider_id="PNdesk")


def process_all():
    while has_pending_events():
        if not process_next_event():
            time.sleep(0.05)


def snapshot_of(company):
    with tenant(company.pk):
        return snapshot()


class Killer(threading.Thread):
    """Thread that runs workers and kills one after the other until it is stopped."""

    def __init__(self):
        super().__init__()
        self.stopped = threading.Event()
        self.random = random.Random(SEED)  # noqa: S311  # not a secret
        self.kills = 0

    def run(self):
        workers = [start_worker() for _ in range(WORKERS)]
        try:
            while not self.stopped.is_set():
                self.kill_one(workers)
                workers.append(start_worker())
        finally:
            for worker in workers:
                worker.kill()
                worker.communicate()
            connection.close()

    def kill_one(self, workers):
        """Kill the oldest worker a while after processing has resumed."""
        before = self.done()
        while self.done() < before + EVENTS // 40 and not self.stopped.wait(0.02):
            pass
        self.stopped.wait(self.random.uniform(0, 0.5))
        worker = workers.pop(0)
        worker.kill()
        worker.communicate()
        self.kills += 1

    def done(self):
        with all_tenants():
            return WebhookEvent.objects.filter(processed=True).count()


def test_killed_workers_produce_the_rows_of_an_undisturbed_run(client, companies, capsys):
    quiet, noisy = companies
    add_line(quiet)
    stream = EventStream(events=EVENTS, seed=SEED)
    for event in stream.events:
        post_event(client, event, company="quiet")
    process_all()
    expected = snapshot_of(quiet)
    add_line(noisy)

    disturbed = stream.disturbed()
    killer = Killer()
    killer.start()
    results = Counter(post_event(client, event, company="noisy").json()["status"] for event in disturbed)
    while killer.is_alive() and has_pending_events() and (killer.kills < 3 or EVENTS > 1000):
        time.sleep(0.1)
    killer.stopped.set()
    killer.join()
    finish(start_worker("--until-empty"))

    found = snapshot_of(noisy)
    again = [row for row in found["events"] if row[0].endswith("again")]
    found["events"] = [row for row in found["events"] if row not in again]
    for table, rows in expected.items():
        assert found[table] == rows, table
    assert {row[2] for row in again} <= {"processed", "ignored"}
    assert killer.kills >= 3
    types = Counter(row[1] for row in expected["events"])
    rows = ", ".join(f"{len(rows)} {table}" for table, rows in found.items())
    with capsys.disabled():
        print(f"\n{connection.vendor}: {len(disturbed)} events of {len(types)} types, shuffled: {dict(results)}")
        print(f"{killer.kills} workers killed; the rows are those of {len(stream.events)} in order: {rows}")


@pytest.mark.parametrize("seed", range(3))
def test_shuffled_events_produce_the_same_rows(client, companies, seed):
    quiet, noisy = companies
    stream = EventStream(events=60, seed=seed)
    snapshots = []
    for company, events in ((quiet, stream.events), (noisy, stream.disturbed())):
        add_line(company)
        for event in events:
            post_event(client, event, company=company.slug)
        process_all()
        snapshots.append(snapshot_of(company))
    expected, found = snapshots
    for table in expected.keys() - {"events"}:
        assert found[table] == expected[table], table


def test_concurrent_first_messages_of_a_caller_create_one_contact(companies):
    _, noisy = companies
    add_line(noisy)
    builders = itertools.islice(itertools.cycle(EVERY_MESSAGE), 10)
    messages = [build(id=f"AC{number}") for number, build in enumerate(builders)]
    events = [message | {"id": f"{message['id']}-{copy % 2}"} for message in messages for copy in range(5)]
    random.Random(SEED).shuffle(events)  # noqa: S311  # not a secret
    start = threading.Barrier(50)

    def post_and_process(event):
        try:
            start.wait()
            status = post_event(Client(), event, company="noisy").json()["status"]
            while process_next_event():
                pass
            return status
        finally:
            connection.close()

    with ThreadPoolExecutor(50) as threads:
        results = Counter(threads.map(post_and_process, events))
    process_all()
    assert results == {"accepted": 20, "duplicate": 30}
    with tenant(noisy.pk):
        assert WebhookEvent.objects.filter(status="processed").count() == 20
        assert Contact.objects.count() == ContactPhone.objects.count() == Conversation.objects.count() == 1
        assert Message.objects.count() == Activity.objects.count() == 10
