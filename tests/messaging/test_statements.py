"""The number of statements that a webhook event costs a worker. Each is a round trip."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm.db.tenancy import all_tenants, tenant
from messaging.models import WebhookEvent
from messaging.services.inbound.webhook_processing import BATCH, find_companies_with_due_events, process_due_events
from tests.conftest import postgres_only
from tests.factories import ContactFactory, WebhookEventFactory
from tests.fictional_numbers import fictional_number
from tests.messaging.payloads import (
    CALLER,
    OUR_NUMBER,
    call_v4,
    message_v3,
    message_v4,
    post_event,
)
from tests.plans.conftest import buffers_read

pytestmark = [postgres_only, pytest.mark.django_db(transaction=True)]


def statements_of(client, events):
    """Return the statements that processing these events at once costs, transactions included, for each event."""
    for event in events:
        assert post_event(client, event).json()["status"] == "accepted"
    with CaptureQueriesContext(connection) as captured:
        assert process_due_events()
    with all_tenants():
        assert set(WebhookEvent.objects.values_list("status", flat=True)) == {"processed"}
    return len(captured) / len(events)


def known_caller(client):
    assert post_event(client, message_v4(id="ACfirst")).json()["status"] == "accepted"
    assert process_due_events()


@pytest.mark.parametrize(
    ("make", "limit"),
    [
        (lambda number: message_v4(id=f"AC{number}"), 2),
        (lambda number: message_v3(id=f"AC{number}"), 2),
        (
            lambda number: message_v4(
                "message.delivered",
                id=f"AC{number}",
                sender=OUR_NUMBER,
                to=(CALLER,),
                direction="outgoing",
                status="delivered",
            ),
            2,
        ),
        (lambda number: message_v4(id=f"AC{number}", text="C"), 14),
        (lambda number: call_v4(id=f"AC{number}"), 12),
    ],
    ids=["message", "legacy message", "sent message", "possible answer to a reminder", "call"],
)
def test_event_of_a_known_caller_costs_few_statements(client, secret, desk, make, limit):
    known_caller(client)
    assert statements_of(client, [make(number) for number in range(BATCH)]) <= limit


def test_first_message_of_a_known_contact_costs_at_most_2_statements(client, secret, desk, acme):
    numbers = [fictional_number(40_200 + number) for number in range(BATCH)]
    with tenant(acme.pk):
        for number in numbers:
            ContactFactory(company=acme, phone=number)
    events = [message_v4(id=f"AC{number}", sender=number) for number in numbers]
    assert statements_of(client, events) <= 2


def test_event_of_a_new_caller_costs_at_most_30_statements(client, secret, desk):
    events = [message_v4(id=f"AC{number}", sender=fictional_number(40_100 + number)) for number in range(BATCH)]
    assert statements_of(client, events) <= 30


def test_idle_worker_asks_one_statement_for_due_events(db):
    with CaptureQueriesContext(connection) as captured:
        assert not process_due_events()
    assert len(captured) == 1


def test_claim_reads_few_pages_among_many_events_in_backoff(acme, globex):
    later = timezone.now() + timedelta(hours=1)
    with all_tenants():
        rows = [WebhookEventFactory.build(company=acme, run_at=later, tries=1) for _ in range(20_000)]
        WebhookEvent.objects.bulk_create(rows)
    due = WebhookEventFactory(company=globex)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE webhook_events")
    now = timezone.now()
    assert find_companies_with_due_events(now) == [globex.pk]
    assert buffers_read(lambda: find_companies_with_due_events(now)) <= 20  # of 20,001 rows
    with tenant(globex.pk):
        assert WebhookEvent.objects.due(now).get() == due
        assert buffers_read(lambda: WebhookEvent.objects.due(now).first()) <= 6
