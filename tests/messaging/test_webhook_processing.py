"""Stored deliveries are dealt with once: leases, failures, and what is given up."""

import logging
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from crm.db.tenancy import all_tenants, tenant
from crm.models import PhoneLine
from messaging.models import Message, WebhookEvent
from messaging.services.inbound.webhook_processing import (
    MAX_BACKOFF_S,
    claim_event,
    has_pending_events,
    process_claimed_event,
    process_next_event,
)
from tests.factories import ActivityFactory, ContactFactory, MessageFactory, WebhookEventFactory
from tests.messaging.payloads import CALLER, EVERY_TEXT, deliver, text_v4

pytestmark = pytest.mark.django_db


def only_event():
    with all_tenants():
        return WebhookEvent.objects.get()


def make_due():
    with all_tenants():
        WebhookEvent.objects.update(run_at=timezone.now() - timedelta(seconds=1))


@pytest.fixture
def broken(secret):
    """A database that takes no further text of the company until it is mended."""
    MessageFactory(contact=ContactFactory(company=secret.company))
    connection.check_constraints()  # PostgreSQL alters no table that has checks pending
    with connection.cursor() as cursor:
        cursor.execute("CREATE UNIQUE INDEX in_the_way ON message_threads (company_id)")


def mend():
    connection.check_constraints()
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX in_the_way")


def test_an_empty_table_has_no_work():
    assert not process_next_event()
    assert not has_pending_events()


def test_the_oldest_of_any_company_comes_first(acme, globex):
    now = timezone.now()
    young = WebhookEventFactory(company=acme, created_at=now - timedelta(minutes=1))
    old = WebhookEventFactory(company=globex, created_at=now - timedelta(minutes=2))
    assert [claim_event(), claim_event(), claim_event()] == [old, young, None]


def test_a_claimed_delivery_is_nobody_elses_until_the_lease_is_over(acme, settings):
    event = WebhookEventFactory(company=acme)
    before = timezone.now()
    claimed = claim_event()
    assert claimed == event
    assert claimed.run_at >= before + timedelta(seconds=settings.WORKER_LEASE_S)
    assert claim_event() is None
    assert has_pending_events()
    make_due()
    assert claim_event() == event


def test_a_killed_worker_costs_no_try(acme):
    WebhookEventFactory(company=acme)
    claim_event()  # and nothing after: the worker is gone
    make_due()
    assert claim_event().tries == 0


def test_a_claim_that_has_gone_to_another_does_nothing(client, secret, in_acme):
    deliver(client, text_v4())
    slow = claim_event()
    make_due()
    fast = claim_event()
    process_claimed_event(event=slow)
    assert not Message.objects.exists()
    assert only_event().status == "pending"
    process_claimed_event(event=fast)
    process_claimed_event(event=fast)
    assert Message.objects.count() == 1
    assert only_event().status == "processed"


def test_a_done_delivery_says_so(client, secret):
    deliver(client, text_v4())
    assert process_next_event()
    event = only_event()
    assert (event.status, event.processed, event.error, event.tries) == ("processed", True, "", 0)
    assert event.processed_at is not None
    assert not has_pending_events()


def test_done_and_dead_deliveries_are_left_alone(acme):
    for status, processed in [("processed", True), ("ignored", True), ("dead", False)]:
        WebhookEventFactory(company=acme, status=status, processed=processed)
    assert not process_next_event()
    assert not has_pending_events()


def test_each_delivery_is_dealt_with_inside_its_own_company(client, secret, globex):
    foreign = WebhookEventFactory(company=globex, body=b'{"type": "task.assigned"}')
    deliver(client, text_v4())
    while process_next_event():
        pass
    with tenant(secret.company_id):
        assert Message.objects.count() == 1
    with tenant(globex.pk):
        assert not Message.objects.exists()
        foreign.refresh_from_db()
    assert (foreign.status, foreign.error) == ("ignored", "task.assigned events aren't supported yet.")


def test_a_failure_is_counted_and_waits_ever_longer(client, broken):
    deliver(client, text_v4())
    for tries, wait in [(1, 2), (2, 4), (3, 8)]:
        before = timezone.now()
        assert process_next_event()
        event = only_event()
        assert (event.status, event.tries) == ("pending", tries)
        assert timedelta(seconds=wait) <= event.run_at - before < timedelta(seconds=wait + 2)
        assert not process_next_event()
        assert has_pending_events()
        make_due()


def test_after_too_many_failures_a_delivery_is_dead_and_says_why(client, broken, settings):
    settings.WORKER_MAX_TRIES = 2
    deliver(client, text_v4())
    process_next_event()
    make_due()
    process_next_event()
    event = only_event()
    assert (event.status, event.processed, event.tries) == ("dead", False, 2)
    assert event.error.startswith("IntegrityError: ")
    assert not has_pending_events()


def test_the_wait_has_an_end(client, broken, settings):
    settings.WORKER_MAX_TRIES = 100
    deliver(client, text_v4())
    with all_tenants():
        WebhookEvent.objects.update(tries=60)
    process_next_event()
    assert only_event().run_at < timezone.now() + timedelta(seconds=MAX_BACKOFF_S + 1)


def test_a_failure_leaves_nothing_half_written_and_success_follows(client, broken, in_acme):
    deliver(client, text_v4())
    process_next_event()
    assert only_event().tries == 1
    assert not PhoneLine.objects.exists()
    mend()
    make_due()
    process_next_event()
    assert PhoneLine.objects.count() == 1
    assert Message.objects.count() == 2
    assert (only_event().status, only_event().error) == ("processed", "")


def test_the_log_names_the_delivery_but_no_number(client, broken, caplog):
    deliver(client, text_v4())
    with caplog.at_level(logging.DEBUG, logger="messaging"):
        process_next_event()
    [record] = caplog.records
    assert record.getMessage() == f"Webhook event {only_event().pk} (message.received) failed: IntegrityError"
    assert CALLER not in caplog.text


@pytest.mark.parametrize("build", EVERY_TEXT)
def test_a_delivery_without_the_messages_id_is_dead_at_once_and_names_the_field(client, secret, build):
    deliver(client, build(id=None))
    process_next_event()
    event = only_event()
    assert (event.status, event.tries, event.error) == ("dead", 0, "id: missing")


def test_an_id_known_as_something_else_is_dead_at_once(client, secret, acme):
    ActivityFactory(company=acme, contact__company=acme, openphone_id="ACknown", activity_type="note")
    deliver(client, text_v4(id="ACknown"))
    process_next_event()
    event = only_event()
    assert event.status == "dead"
    assert "ACknown is the id of a note, not of a message." in event.error
