"""Everything arrives shuffled and more than once, at workers that are killed: the rows are those of a quiet run."""

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
from crm.models import Activity, Contact, ContactPhone, Conversation
from messaging.models import Message, WebhookEvent
from messaging.services.inbound.webhook_processing import has_pending_events, process_next_event
from tests.factories import CompanyFactory, PhoneLineFactory, WebhookSecretFactory
from tests.messaging.payloads import EVERY_TEXT, OUR_NUMBER, deliver
from tests.messaging.story import Story, picture
from tests.messaging.test_workers import finish, start_worker

pytestmark = pytest.mark.django_db(transaction=True)

DELIVERIES = int(os.environ.get("KILL_DELIVERIES", "400"))  # 10,000 in the run that docs tell of
WORKERS = 2
SEED = 4


@pytest.fixture
def companies():
    quiet, noisy = CompanyFactory(slug="quiet"), CompanyFactory(slug="noisy")
    for company in (quiet, noisy):
        WebhookSecretFactory(company=company)
        PhoneLineFactory(company=company, name="Front desk", number=OUR_NUMBER, provider_id="PNdesk")
    return quiet, noisy


def work_off():
    while has_pending_events():
        if not process_next_event():
            time.sleep(0.05)


def picture_of(company):
    with tenant(company.pk):
        return picture()


class Killer(threading.Thread):
    """Keeps some workers at work and kills one after the other, whatever it is doing, until it is told to stop."""

    def __init__(self):
        super().__init__()
        self.stopped = threading.Event()
        self.random = random.Random(SEED)  # noqa: S311  # nobody's secret
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
        """The oldest, some while after deliveries began to be dealt with again."""
        before = self.done()
        while self.done() < before + DELIVERIES // 40 and not self.stopped.wait(0.02):
            pass
        self.stopped.wait(self.random.uniform(0, 0.5))
        worker = workers.pop(0)
        worker.kill()
        worker.communicate()
        self.kills += 1

    def done(self):
        with all_tenants():
            return WebhookEvent.objects.filter(processed=True).count()


def test_killed_workers_come_to_the_same_rows_as_a_quiet_run(client, companies, capsys):
    quiet, noisy = companies
    story = Story(deliveries=DELIVERIES, seed=SEED)
    for delivery in story.deliveries:
        deliver(client, delivery, company="quiet")
    work_off()

    disturbed = story.disturbed()
    killer = Killer()
    killer.start()
    receipts = Counter(deliver(client, delivery, company="noisy").json()["status"] for delivery in disturbed)
    while killer.is_alive() and has_pending_events() and (killer.kills < 3 or DELIVERIES > 1000):
        time.sleep(0.1)
    killer.stopped.set()
    killer.join()
    finish(start_worker("--until-empty"))

    expected, found = picture_of(quiet), picture_of(noisy)
    again = [row for row in found["deliveries"] if row[0].endswith("again")]
    found["deliveries"] = [row for row in found["deliveries"] if row not in again]
    for table, rows in expected.items():
        assert found[table] == rows, table
    assert {row[2] for row in again} <= {"processed", "ignored"}
    assert killer.kills >= 3
    types = Counter(row[1] for row in expected["deliveries"])
    rows = ", ".join(f"{len(rows)} {table}" for table, rows in found.items())
    with capsys.disabled():
        print(f"\n{connection.vendor}: {len(disturbed)} deliveries of {len(types)} types, shuffled: {dict(receipts)}")
        print(f"{killer.kills} workers killed; the rows are those of {len(story.deliveries)} in order: {rows}")


@pytest.mark.parametrize("seed", range(3))
def test_any_order_comes_to_the_same_rows(client, companies, seed):
    quiet, noisy = companies
    story = Story(deliveries=60, seed=seed)
    for company, deliveries in (("quiet", story.deliveries), ("noisy", story.disturbed())):
        for delivery in deliveries:
            deliver(client, delivery, company=company)
        work_off()
    expected, found = picture_of(quiet), picture_of(noisy)
    for table in expected.keys() - {"deliveries"}:
        assert found[table] == expected[table], table


def test_fifty_threads_with_the_first_texts_of_a_new_caller_make_one_contact(companies):
    _, noisy = companies
    builders = itertools.islice(itertools.cycle(EVERY_TEXT), 10)
    texts = [build(id=f"AC{number}") for number, build in enumerate(builders)]
    deliveries = [text | {"id": f"{text['id']}-{copy % 2}"} for text in texts for copy in range(5)]
    random.Random(SEED).shuffle(deliveries)  # noqa: S311  # nobody's secret
    start = threading.Barrier(50)

    def deliver_and_work(delivery):
        try:
            start.wait()
            status = deliver(Client(), delivery, company="noisy").json()["status"]
            while process_next_event():
                pass
            return status
        finally:
            connection.close()

    with ThreadPoolExecutor(50) as threads:
        receipts = Counter(threads.map(deliver_and_work, deliveries))
    work_off()
    assert receipts == {"accepted": 20, "duplicate": 30}
    with tenant(noisy.pk):
        assert WebhookEvent.objects.filter(status="processed").count() == 20
        assert Contact.objects.count() == ContactPhone.objects.count() == Conversation.objects.count() == 1
        assert Message.objects.count() == Activity.objects.count() == 10
