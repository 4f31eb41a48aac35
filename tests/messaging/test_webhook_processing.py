"""Webhook processing: leases, failures and dead events."""

import logging
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from config.logs import PrivateFormatter
from crm.db.tenancy import all_tenants, tenant
from crm.models import PhoneLine
from crm.worker import MAX_BACKOFF_S
from messaging.models import Message, WebhookEvent
from messaging.services.inbound.webhook_processing import (
    claim_events,
    has_pending_events,
    process_claimed_events,
)
from tests.factories import ActivityFactory, ContactFactory, MessageFactory, WebhookEventFactory
from tests.messaging.payloads import CALLER, EVERY_MESSAGE, message_v4, post_event
from tests.messaging.worker_rounds import process_next_event

pytestmark = pytest.mark.django_db


def records_of(caplog, logger):
    """Return the records of a logger and those below it. The requests of the tests are logged, too."""
    return [record for record in caplog.records if record.name.startswith(logger)]


def only_event():
    with all_tenants():
        return WebhookEvent.objects.get()


def make_due():
    with all_tenants():
        WebhookEvent.objects.update(run_at=timezone.now() - timedelta(seconds=1))


@pytest.fixture
def broken(secret):
    """Make the database reject further messages of the company until `repair`."""
    MessageFactory(contact=ContactFactory(company=secret.company))
    connection.check_constraints()  # PostgreSQL can't alter a table with pending checks
    with connection.cursor() as cursor:
        cursor.execute("CREATE UNIQUE INDEX in_the_way ON message_threads (company_id)")


def repair():
    connection.check_constraints()
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX in_the_way")


def test_empty_table_has_no_work():
    assert not process_next_event()
    assert not has_pending_events()


def claim_event():
    return next(iter(claim_events(limit=1)), None)


def test_claim_holds_the_oldest_due_events_of_one_company(acme, globex):
    now = timezone.now()
    young, old, oldest = (
        WebhookEventFactory(company=acme, run_at=now - timedelta(minutes=minutes)) for minutes in (1, 2, 3)
    )
    WebhookEventFactory(company=acme, run_at=now + timedelta(minutes=1))
    other = WebhookEventFactory(company=globex, run_at=now - timedelta(minutes=9))
    claims = [claim_events(limit=2) for _ in range(4)]
    assert [claim for claim in claims if other not in claim] == [[oldest, old], [young], []]
    assert [other] in claims


def test_flood_of_one_company_does_not_hold_up_another(acme, globex):
    WebhookEventFactory.create_batch(60, company=acme, run_at=timezone.now() - timedelta(hours=1))
    other = WebhookEventFactory(company=globex)
    claimed = [claim_event() for _ in range(60)]  # by lot: all for the flood once in 2 ** 60 runs
    assert other in claimed


def test_claimed_event_is_exclusive_until_the_lease_ends(acme, settings):
    event = WebhookEventFactory(company=acme)
    before = timezone.now()
    claimed = claim_event()
    assert claimed == event
    assert claimed.run_at >= before + timedelta(seconds=settings.WORKER_LEASE_S)
    assert claim_event() is None
    assert has_pending_events()
    make_due()
    assert claim_event() == event


def test_killed_worker_costs_no_attempt(acme):
    WebhookEventFactory(company=acme)
    claim_event()  # the worker is killed
    make_due()
    assert claim_event().tries == 0


def test_lost_claim_changes_nothing(client, secret, in_acme):
    post_event(client, message_v4())
    slow = claim_event()
    make_due()
    fast = claim_event()
    process_claimed_events(events=[slow])
    assert not Message.objects.exists()
    assert only_event().status == "pending"
    process_claimed_events(events=[fast])
    process_claimed_events(events=[fast])
    assert Message.objects.count() == 1
    assert only_event().status == "processed"


def test_processed_event_has_status_and_time(client, secret):
    post_event(client, message_v4())
    assert process_next_event()
    event = only_event()
    assert (event.status, event.processed, event.error, event.tries) == ("processed", True, "", 0)
    assert event.processed_at is not None
    assert not has_pending_events()


def test_processed_and_dead_events_are_not_claimed(acme):
    for status, processed in [("processed", True), ("ignored", True), ("dead", False)]:
        WebhookEventFactory(company=acme, status=status, processed=processed)
    assert not process_next_event()
    assert not has_pending_events()


def test_event_is_recorded_in_its_own_company(client, secret, globex):
    foreign = WebhookEventFactory(company=globex, body=b'{"type": "task.assigned"}')
    post_event(client, message_v4())
    while process_next_event():
        pass
    with tenant(secret.company_id):
        assert Message.objects.count() == 1
    with tenant(globex.pk):
        assert not Message.objects.exists()
        foreign.refresh_from_db()
    assert (foreign.status, foreign.error) == ("ignored", "task.assigned events aren't supported yet.")


def test_failure_is_counted_with_growing_backoff(client, broken):
    post_event(client, message_v4())
    for tries, wait in [(1, 2), (2, 4), (3, 8)]:
        before = timezone.now()
        assert process_next_event()
        event = only_event()
        assert (event.status, event.tries) == ("pending", tries)
        assert timedelta(seconds=wait) <= event.run_at - before < timedelta(seconds=wait + 2)
        assert not process_next_event()
        assert has_pending_events()
        make_due()


def test_event_with_too_many_failures_is_dead_with_a_reason(client, broken, settings):
    settings.WORKER_MAX_TRIES = 2
    post_event(client, message_v4())
    process_next_event()
    make_due()
    process_next_event()
    event = only_event()
    assert (event.status, event.processed, event.tries) == ("dead", False, 2)
    assert event.error.startswith("IntegrityError: ")
    assert not has_pending_events()


def test_backoff_has_a_maximum(client, broken, settings):
    settings.WORKER_MAX_TRIES = 100
    post_event(client, message_v4())
    with all_tenants():
        WebhookEvent.objects.update(tries=60)
    process_next_event()
    assert only_event().run_at < timezone.now() + timedelta(seconds=MAX_BACKOFF_S + 1)


def test_failure_rolls_back_and_a_retry_succeeds(client, broken, in_acme):
    post_event(client, message_v4())
    process_next_event()
    assert only_event().tries == 1
    assert not PhoneLine.objects.exists()
    repair()
    make_due()
    process_next_event()
    assert PhoneLine.objects.count() == 1
    assert Message.objects.count() == 2
    assert (only_event().status, only_event().error) == ("processed", "")


def test_log_names_the_event_without_a_number(client, broken, caplog):
    post_event(client, message_v4())
    with caplog.at_level(logging.DEBUG, logger="messaging"):
        process_next_event()
    [record] = records_of(caplog, "messaging")
    assert record.getMessage().startswith(
        f"Webhook event {only_event().pk} (message.received) failed: IntegrityError: "
    )
    assert CALLER not in PrivateFormatter().format(record)
    assert "\n" not in record.getMessage()


def test_log_names_the_invalid_field(client, secret, caplog):
    post_event(client, message_v4(id=None))
    process_next_event()
    [record] = records_of(caplog, "messaging")
    assert record.getMessage() == f"Webhook event {only_event().pk} (message.received) failed: id: missing"


def test_log_names_the_reason_of_an_event_that_is_dead_on_arrival(client, secret, caplog):
    post_event(client, [CALLER])
    [record] = records_of(caplog, "messaging")
    assert record.getMessage() == (
        f"Webhook event {only_event().pk} can't be read: The request body must be a JSON object."
    )


@pytest.mark.parametrize("build", EVERY_MESSAGE)
def test_event_without_the_messages_id_is_dead_at_once(client, secret, build):
    post_event(client, build(id=None))
    process_next_event()
    event = only_event()
    assert (event.status, event.tries, event.error) == ("dead", 0, "id: missing")


def test_id_of_another_activity_type_is_dead_at_once(client, secret, acme):
    ActivityFactory(company=acme, contact__company=acme, openphone_id="ACknown", activity_type="note")
    post_event(client, message_v4(id="ACknown"))
    process_next_event()
    event = only_event()
    assert event.status == "dead"
    assert "ACknown is the ID of a note, not of a message." in event.error
