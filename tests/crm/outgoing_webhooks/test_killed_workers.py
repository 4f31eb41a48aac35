"""Workers that send outgoing events and are killed: no event is lost, and a repeated one has the same ID."""

import json
import os
import random
from collections import Counter

import pytest

from crm.db.tenancy import all_tenants
from crm.models import OutgoingEvent
from tests.api.feed import settle
from tests.conftest import signed_in
from tests.crm.outgoing_webhooks.receiver import Receiver
from tests.db.scratch import wait_until
from tests.factories import ContactFactory
from tests.messaging.test_workers import start_worker

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
CONTACTS = int(os.environ.get("RACE_EVENTS", "150"))
KILLS = 6


def count_sent():
    with all_tenants():
        return OutgoingEvent.objects.filter(status="sent").count()


def test_killed_workers_lose_no_event_and_repeat_it_under_its_id_only(settings, manager, acme):
    settings.OUTGOING_WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    lot = random.Random(18)  # noqa: S311
    with Receiver() as receiver:
        receiver.delay_s = 0.01
        body = {"name": "Shop", "url": receiver.url, "resources": ["contacts"]}
        for _ in range(3):
            assert signed_in(manager).post("/api/v1/outgoing-webhooks", body).status_code == 201
        contacts = [ContactFactory(company=acme).pk for _ in range(CONTACTS)]
        settle()

        def start():
            return start_worker(
                "--only", "outgoing-changes,outgoing-events", OUTGOING_WEBHOOK_NETWORKS="127.0.0.0/8", LOG_LEVEL="ERROR"
            )

        for _ in range(KILLS):
            worker, before = start(), len(receiver.received)
            enough = before + lot.randint(1, 40)
            wait_until(lambda enough=enough: len(receiver.received) >= enough or count_sent() == 3 * CONTACTS)
            worker.kill()
            worker.communicate()
        worker = start()
        wait_until(lambda: count_sent() == 3 * CONTACTS)
        worker.kill()
        worker.communicate()
    by_id = Counter(receiver.ids)
    bodies = {each.id: each.body for each in receiver.received}
    objects = Counter(json.loads(body)["data"]["id"] for body in bodies.values())
    print(
        f"{len(by_id)} of {3 * CONTACTS} events received, {sum(by_id.values()) - len(by_id)} repeated under their ID,"
        f" 0 lost, {KILLS + 1} workers killed"
    )
    assert objects == Counter(contacts * 3)
    with all_tenants():
        assert set(OutgoingEvent.objects.values_list("event_id", flat=True)) == set(by_id)
        assert OutgoingEvent.objects.count() == 3 * CONTACTS
