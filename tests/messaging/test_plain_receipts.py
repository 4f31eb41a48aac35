"""Delivery receipts of a campaign's messages, which are as many as these."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from messaging.models import Message, WebhookEvent
from messaging.services.inbound import webhook_processing
from messaging.services.inbound.webhook_processing import BATCH, process_due_events
from tests.factories import (
    ActivityFactory,
    CampaignMembershipFactory,
    ContactFactory,
    ContactFlagFactory,
    MessageFactory,
)
from tests.messaging.payloads import OUR_NUMBER, message_v4, post_event
from tests.messaging.worker_rounds import process_next_event


@pytest.fixture
def sent(in_acme, desk, secret):
    """Make so many campaign messages that the provider has accepted."""

    def sent(count):
        messages = []
        for n in range(count):
            contact = ContactFactory(company=in_acme)
            activity = ActivityFactory(
                contact=contact, activity_type="message", direction="outgoing", body="Spring?", openphone_id=f"ACown{n}"
            )
            membership = CampaignMembershipFactory(contact=contact, status="sent", sent_at=timezone.now())
            messages.append(
                MessageFactory(
                    activity=activity, contact=contact, phone_line=desk, membership=membership, direction="outgoing",
                    kind="campaign", status="sent", body="Spring?", from_number=OUR_NUMBER, to_numbers=[contact.phone],
                    sent_at=timezone.now(),
                )
            )  # fmt: skip
        return messages

    return sent


def post_receipt(client, message, event="message.delivered", **resource):
    body = {"id": message.activity.openphone_id, "direction": "outgoing", "status": "delivered", "text": message.body}
    receipt = message_v4(event, sender=OUR_NUMBER, to=(message.contact.phone,), **body | resource)
    assert post_event(client, receipt).json()["status"] == "accepted"


def rows():
    """Return what the receipts have changed."""
    return {
        message.activity.openphone_id: (
            message.status,
            message.error_code,
            message.media,
            message.membership.status,
            message.contact.flags.in_force().exists(),
            message.created_at == message.activity.created_at,
        )
        for message in Message.objects.select_related("activity", "membership", "contact")
    }


def test_receipts_of_a_campaign_cost_about_one_statement_each(client, sent):
    messages = sent(BATCH)
    for message in messages:
        post_receipt(client, message)
    with CaptureQueriesContext(connection) as captured:
        assert process_due_events()
    assert {(row[0], row[3]) for row in rows().values()} == {("delivered", "delivered")}
    assert set(WebhookEvent.objects.values_list("status", flat=True)) == {"processed"}
    assert len(captured) <= 1.4 * BATCH


@pytest.mark.parametrize(("batch_s", "left"), [(1000, [6, 2, 0]), (0, [6, 4, 2, 0])])
def test_worker_claims_more_events_after_some_that_took_little_time(client, sent, monkeypatch, batch_s, left):
    for name, value in {"BATCH": 2, "_limit": 2, "MAX_BATCH": 4, "BATCH_S": batch_s}.items():
        monkeypatch.setattr(webhook_processing, name, value)
    for message in sent(8):
        post_receipt(client, message)
    pending = []
    while process_due_events():
        pending.append(WebhookEvent.objects.filter(status="pending").count())
    assert pending == left


@pytest.mark.parametrize("process", [process_due_events, process_next_event])
def test_receipts_together_and_one_by_one_have_the_same_effect(client, sent, process):
    messages = sent(7)
    for message in messages:
        Message.objects.filter(pk=message.pk).update(created_at=message.activity.created_at)
    flagged, with_code, twice, with_media, earlier, *_ = messages
    ContactFlagFactory(
        contact=flagged.contact, flag_type="invalid_number", source="provider",
        created_at=timezone.now() - timedelta(hours=1),
    )  # fmt: skip
    for message in messages:
        if message == with_code:
            post_receipt(client, message, errorCode="30005")
        elif message == with_media:
            post_receipt(client, message, media=[{"url": "https://example.com/roof.jpg", "type": "image/jpeg"}])
        elif message == earlier:
            post_receipt(client, message, createdAt=(timezone.now() - timedelta(days=1)).isoformat())
        else:
            post_receipt(client, message)
        if message == twice:
            post_receipt(client, message, event="message.received", status="sent")
    while process():
        pass
    assert rows() == {
        message.activity.openphone_id: (
            "delivered",
            "30005" if message == with_code else "",
            [{"url": "https://example.com/roof.jpg", "type": "image/jpeg"}] if message == with_media else [],
            "delivered",
            False,
            True,
        )
        for message in messages
    }


def test_receipt_in_the_other_direction_is_a_clash(client, sent):
    messages = sent(3)
    Message.objects.filter(pk=messages[0].pk).update(direction="incoming", kind="", status="received")
    messages[0].activity.direction = "incoming"
    messages[0].activity.save()
    for message in messages:
        post_receipt(client, message)
    while process_due_events():
        pass
    assert sorted(WebhookEvent.objects.values_list("status", flat=True)) == ["dead", "processed", "processed"]
