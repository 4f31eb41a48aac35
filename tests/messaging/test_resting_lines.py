"""Backlogs of lines that may not send now: other companies' messages don't notice them."""

from datetime import timedelta

import pytest
from django.db import connection  # noqa: F401  # of the condition of postgres_only
from django.utils import timezone

from crm.db.tenancy import all_tenants, tenant
from crm.models import Contact, PhoneLine
from messaging.models import Message
from messaging.services.outbound.outbox import queue_message
from messaging.services.outbound.ready_lines import find_ready_lines
from messaging.services.outbound.sending import send_next_messages
from tests.conftest import postgres_only
from tests.factories import ContactFactory, PhoneLineFactory
from tests.fictional_numbers import fictional_number
from tests.messaging.clocks import zone_with_hour
from tests.plans.conftest import buffers_read, indexes_chosen, run

pytestmark = [postgres_only, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
BACKLOG = 20_000


def fill(line, *, kind, send_at="NULL"):
    """Queue a backlog for the line: ten messages to each of many contacts. `send_at` is SQL."""
    with all_tenants():
        contacts = Contact.objects.bulk_create(
            Contact(company=line.company, phone=fictional_number(20_000 + n), timezone=zone_with_hour(14))
            for n in range(BACKLOG // 10)
        )
    run(
        f"""
        WITH written AS (
            INSERT INTO activities (company_id, contact_id, activity_type, direction, body, created_at)
            SELECT company_id, id, 'message', 'outgoing', 'Spring check?', now() FROM contacts, generate_series(1, 10)
            WHERE company_id = {line.company_id} AND id >= {contacts[0].pk} RETURNING id, company_id, contact_id
        )
        INSERT INTO message_threads (company_id, activity_id, contact_card_id, phone_line_id, direction, kind,
            from_number, to_numbers, body, media, status, error_code, error, tries, run_at, send_at, created_at)
        SELECT company_id, id, contact_id, {line.pk}, 'outgoing', '{kind}',
            '', '["+12125550101"]', 'Spring check?', '[]', 'queued', '', '', 0, coalesce({send_at}, now()), {send_at},
            now()
        FROM written
        """
    )


@pytest.fixture
def reply(acme, desk):
    with tenant(acme.pk):
        return queue_message(contact=ContactFactory(company=acme), line=desk, body="On our way.", kind="reply")


@pytest.mark.parametrize("state", ["resting", "resting from campaigns", "postponed"])
def test_backlog_of_a_line_that_may_not_send_costs_other_companies_nothing(globex, desk, reply, state):
    later = timezone.now() + timedelta(hours=1)
    line = PhoneLineFactory(company=globex)
    fill(line, kind="campaign")
    if state == "postponed":
        Message._base_manager.filter(phone_line=line).update(run_at=later)
    else:
        column = "next_send_at" if state == "resting" else "next_campaign_send_at"
        PhoneLine._base_manager.filter(pk=line.pk).update(**{column: later})
    run("VACUUM ANALYZE message_threads, phone_lines")
    assert [ready.line_id for ready in find_ready_lines(timezone.now())] == [desk.pk]
    assert buffers_read(lambda: find_ready_lines(timezone.now())) <= 60


def test_paused_line_postpones_its_backlog_and_then_costs_nothing(globex, desk, settings):
    settings.SMS_BACKEND = "console"
    line = PhoneLineFactory(company=globex, paused_until=timezone.now() + timedelta(hours=1))
    fill(line, kind="missed_call")
    claims = 0
    while send_next_messages():
        claims += 1
    assert claims == BACKLOG / 2000
    run("VACUUM ANALYZE message_threads, phone_lines")
    assert find_ready_lines(timezone.now()) == []
    assert buffers_read(lambda: find_ready_lines(timezone.now())) <= 60


def test_reply_is_found_before_a_backlog_on_its_own_line(acme, desk, reply):
    fill(desk, kind="campaign")
    run("VACUUM ANALYZE message_threads, phone_lines")
    [ready] = find_ready_lines(timezone.now())
    assert ready.priorities == (0, 2)
    assert buffers_read(lambda: find_ready_lines(timezone.now())) <= 60
    with tenant(acme.pk):
        waiting = Message.objects.ready_on_line(line_id=desk.pk, priority=0, now=timezone.now())
        assert waiting.get() == reply
        assert buffers_read(lambda: waiting.first()) <= 20


def test_messages_that_are_scheduled_for_later_cost_their_own_line_nothing(acme, desk):
    fill(desk, kind="scheduled", send_at="now() + (7 + id % 30) * interval '1 day'")
    with tenant(acme.pk):
        due = queue_message(
            contact=ContactFactory(company=acme), line=desk, body="Now.", kind="scheduled", send_at=timezone.now()
        )
    run("VACUUM ANALYZE message_threads, phone_lines")
    [ready] = find_ready_lines(timezone.now())
    assert buffers_read(lambda: find_ready_lines(timezone.now())) <= 60
    with tenant(acme.pk):  # a claim, under row-level security

        def next_messages():
            return list(Message.objects.ready_on_line(line_id=ready.line_id, priority=1, now=timezone.now())[:50])

        assert next_messages() == [due]
        assert "ix_message_threads_phone_line_id_priority_run_at_id_queued" in indexes_chosen(next_messages)
        assert buffers_read(next_messages) <= 60
