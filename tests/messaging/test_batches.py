"""Messages of one line that are sent together."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm.models import Activity, Campaign, Company, PhoneLine
from messaging.models import Message, ProviderHealth
from messaging.services.outbound.claims import release_messages
from messaging.services.outbound.outbox import SendBlocked, queue_message
from messaging.services.outbound.sending import send_next_messages
from messaging.services.outbound.settlement import settle
from tests.factories import (
    CampaignFactory,
    CampaignMembershipFactory,
    ContactFactory,
    PhoneLineFactory,
    ProviderAccountFactory,
)
from tests.messaging.claims import claim, depart_and_call
from tests.messaging.clocks import zone_with_hour
from tests.provider_server import answer

BATCH = 50


@pytest.fixture(autouse=True)
def fast(settings):
    settings.SMS_PER_SECOND = 1000


@pytest.fixture
def campaign(in_acme, desk):
    ProviderAccountFactory(company=in_acme)
    return CampaignFactory(company=in_acme, status="running", phone_line=desk)


@pytest.fixture
def queue(campaign, desk):
    """Queue campaign messages to so many contacts. Returns the messages."""

    def queue(count, line=desk, hour=14, **more):
        contacts = [ContactFactory(company=line.company, timezone=zone_with_hour(hour)) for _ in range(count)]
        return [
            queue_message(
                contact=contact,
                line=line,
                body=f"Spring check {contact.pk}?",
                kind="campaign",
                membership=CampaignMembershipFactory(campaign=campaign, contact=contact),
                **more,
            )
            for contact in contacts
        ]

    return queue


@pytest.fixture
def console(settings, monkeypatch):
    """The console provider, whose calls are known to be quick."""
    settings.SMS_BACKEND = "console"
    monkeypatch.setattr("messaging.services.outbound.call_times.FIRST_GUESS_S", 0.001)


def statuses(messages):
    rows = dict(Message.objects.filter(pk__in=[message.pk for message in messages]).values_list("pk", "status"))
    return [rows.get(message.pk) for message in messages]


def close_at_night(messages):
    """Let it be night where the messages' contacts are, now that they are queued."""
    for message in messages:
        message.contact.timezone = zone_with_hour(3)
        message.contact.save()


def test_batch_costs_at_most_one_statement_a_message(queue, console):
    messages = queue(BATCH)
    with CaptureQueriesContext(connection) as captured:
        assert send_next_messages()
    assert set(statuses(messages)) == {"sent"}
    assert {message.membership.status for message in Message.objects.select_related("membership")} == {"sent"}
    receipts = [query for query in captured.captured_queries if 'INSERT INTO "webhook_events"' in query["sql"]]
    assert len(receipts) == BATCH  # the provider's own
    product = [query for query in captured.captured_queries if "webhook_events" not in query["sql"]]
    housekeeping = [query for query in product if query["sql"].startswith(("SAVEPOINT", "RELEASE SAVEPOINT"))]
    assert len(product) - len(housekeeping) <= BATCH


def test_provider_is_recorded_once_a_batch(queue, provider_server):
    provider_server.fail_sends(answer(400, code="0200400"), answer(400, code="0200400"))
    messages = queue(4)
    with CaptureQueriesContext(connection) as captured:
        assert send_next_messages()
    assert sorted(statuses(messages)) == ["failed", "failed", "sent", "sent"]
    assert ProviderHealth.objects.get(provider="openphone").rejected == 2
    updates = [query for query in captured.captured_queries if query["sql"].startswith('UPDATE "provider_health"')]
    assert len(updates) == 1


@pytest.mark.parametrize("fault", [answer(429, retry_after="60"), answer(500), answer(402)])
def test_trouble_with_one_message_leaves_the_others_queued_and_uncounted(queue, desk, provider_server, fault):
    messages = queue(4)
    provider_server.fail_sends(fault)
    assert send_next_messages()
    assert provider_server.sent == []
    assert statuses(messages)[1:] == ["queued"] * 3
    assert set(Message.objects.filter(pk__in=[one.pk for one in messages[1:]]).values_list("tries", flat=True)) == {0}
    desk.refresh_from_db()
    assert desk.sent_segments == (fault == answer(500))  # one of unknown outcome counts


def test_messages_of_a_night_are_postponed_in_sets(queue, console):
    messages = queue(3 * BATCH)
    close_at_night(messages)
    with CaptureQueriesContext(connection) as captured:
        assert send_next_messages()
    assert not send_next_messages()
    assert set(statuses(messages)) == {"queued"}
    assert {message.error for message in Message.objects.all()} == {
        "It is too early or too late in the contact's time zone."
    }
    assert all(message.run_at > timezone.now() + timedelta(hours=4) for message in Message.objects.all())
    assert len(captured) <= 25


@pytest.mark.parametrize("closed", ["pause", "line's cap", "company's limit"])
def test_messages_of_a_closed_line_are_postponed_in_one_statement(queue, desk, console, closed):
    messages = queue(BATCH + 10)
    today, hour = datetime.now(UTC).date(), timezone.now() + timedelta(hours=1)
    until = datetime.combine(today + timedelta(days=1), datetime.min.time(), UTC)
    if closed == "pause":
        until = hour
        PhoneLine.objects.update(paused_until=hour, pause_reason="No credit.")
        reason = "The phone line is paused: No credit."
    elif closed == "line's cap":
        PhoneLine.objects.update(daily_cap=5, sent_segments=5, sent_on=today)
        reason = "The phone line has reached its daily cap of 5 segments."
    else:
        Company.objects.update(daily_segment_limit=7)
        PhoneLineFactory(company=desk.company, sent_segments=7, sent_on=today)
        reason = "The company has reached its daily limit of 7 segments."
    with CaptureQueriesContext(connection) as captured:
        assert send_next_messages()
    assert not send_next_messages()
    assert set(statuses(messages)) == {"queued"}
    assert set(Message.objects.values_list("run_at", "error")) == {(until, reason)}
    assert len(captured) <= 12


def test_reply_on_a_paused_line_fails_at_once(queue, desk, console):
    contact = ContactFactory(company=desk.company)
    reply = queue_message(contact=contact, line=desk, body="On our way.", kind="reply")
    messages = queue(2)
    PhoneLine.objects.update(paused_until=timezone.now() + timedelta(hours=1), pause_reason="No credit.")
    while send_next_messages():
        pass
    assert statuses([reply, *messages]) == ["failed", "queued", "queued"]


def test_lines_of_a_company_share_its_daily_limit(queue, desk, console):
    other = PhoneLineFactory(company=desk.company)
    Company.objects.update(daily_segment_limit=5)
    for line in (desk, other):
        line.refresh_from_db()
    messages = [*queue(3), *queue(3, line=other)]
    while send_next_messages():
        pass
    assert sorted(statuses(messages)) == ["queued"] + ["sent"] * 5
    reason = "The company has reached its daily limit of 5 segments."
    with pytest.raises(SendBlocked, match=reason):
        queue_message(contact=ContactFactory(company=desk.company), line=other, body="On our way.", kind="reply")


@pytest.mark.parametrize(("status", "member"), [("paused", ("pending", True)), ("cancelled", ("skipped", False))])
@pytest.mark.parametrize("is_claimed", [False, True])
def test_message_of_a_campaign_that_was_stopped_returns_to_its_member(queue, desk, console, status, member, is_claimed):
    messages = queue(3)
    claimed = claim(desk) if is_claimed else []
    Campaign.objects.update(status=status)
    if is_claimed:
        assert len(claimed) == 3
        assert depart_and_call(claimed[0]) == []
        settle(outcomes=[])
    else:
        assert send_next_messages()
    left = messages[:1] if is_claimed else messages
    assert set(statuses(left)) == {None}
    assert not Activity.objects.filter(pk__in=[message.activity_id for message in left]).exists()
    for message in left:
        message.membership.refresh_from_db()
        assert (message.membership.status, message.membership.due_at is not None) == member
    desk.refresh_from_db()
    assert desk.sent_segments == (2 if is_claimed else 0)
    assert not send_next_messages()


def test_receipt_before_the_settlement_concerns_one_message_of_the_batch(queue, desk, provider_server):
    messages = queue(3)
    outcomes = [outcome for message in claim(desk) for outcome in depart_and_call(message)]
    first = outcomes[0][1].openphone_id
    Activity.objects.filter(pk=messages[0].activity_id).update(openphone_id=first)
    Message.objects.filter(pk=messages[0].pk).update(status="delivered")
    settle(outcomes=outcomes)
    assert statuses(messages) == ["delivered", "sent", "sent"]


def test_results_that_fail_together_are_recorded_one_by_one(queue, desk, provider_server):
    messages = queue(3)
    outcomes = [outcome for message in claim(desk) for outcome in depart_and_call(message)]
    # The provider's id of one was recorded as another activity's: the set violates the unique key.
    Activity.objects.create(
        company=desk.company, activity_type="message", direction="outgoing", openphone_id=outcomes[1][1].openphone_id
    )
    settle(outcomes=outcomes)
    assert statuses(messages) == ["sent"] * 3
    messages[1].refresh_from_db()
    assert messages[1].error.startswith("The provider reported it as another message")


def test_one_contact_gets_one_message_of_a_batch(queue, desk, console):
    [message] = queue(1)
    queue_message(contact=message.contact, line=desk, body="On our way.", kind="reply")
    assert [one.kind for one in claim(desk)] == ["reply"]


def test_lost_claim_is_not_released(queue, desk, console):
    messages = queue(2)
    claimed = claim(desk)
    Message.objects.filter(pk=messages[0].pk).update(status="held", run_at=None)
    release_messages(messages=claimed)
    assert statuses(messages) == ["held", "queued"]
    desk.refresh_from_db()
    assert desk.sent_segments == 1
