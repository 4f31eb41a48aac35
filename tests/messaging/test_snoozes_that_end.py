"""Messages and calls that end a snooze, and those that don't."""

from datetime import timedelta

import pytest
from django.utils import timezone

from crm.models import Contact, Conversation
from messaging.models import WebhookEvent
from messaging.services.inbound.webhook_processing import process_due_events
from messaging.services.outbound.sending import send_next_messages
from messaging.services.replies import queue_reply
from tests.factories import ContactFactory, ConversationFactory, ProviderAccountFactory
from tests.messaging.clocks import zone_with_hour
from tests.messaging.payloads import message_v4, post_event

CALLER = "+12125550101"


@pytest.fixture(params=[timedelta(days=1), None], ids=["until a time", "until a reply"])
def snoozed(request, in_acme, secret, desk):
    contact = ContactFactory(company=in_acme, phone=CALLER, timezone=zone_with_hour(14))
    until = request.param and timezone.now() + request.param
    return ConversationFactory(
        contact=contact, phone_line=desk, status="snoozed", snoozed_until=until,
        last_activity_at=timezone.now() - timedelta(hours=1),
    )  # fmt: skip


def receive(client, *texts, **fields):
    at = timezone.now().isoformat()
    for text in texts:
        post_event(client, message_v4(text=text, createdAt=at, **{"sender": CALLER} | fields))
    assert process_due_events()
    assert {*WebhookEvent.objects.values_list("status", flat=True)} == {"processed"}


@pytest.mark.parametrize("texts", [["Hello?"], ["Hello?", "Are you there?"]])
def test_message_of_the_contact_ends_the_snooze(snoozed, client, texts):
    receive(client, *texts)
    snoozed.refresh_from_db()
    assert (snoozed.status, snoozed.snoozed_until) == ("waiting", None)


def test_message_of_another_contact_does_not(snoozed, client):
    before = snoozed.snoozed_until
    receive(client, "Hello?", sender="+12125550102")
    snoozed.refresh_from_db()
    assert (snoozed.status, snoozed.snoozed_until) == ("snoozed", before)
    assert Conversation.objects.get(contact=Contact.objects.get(phone="+12125550102")).status == "waiting"


def test_reply_of_a_user_leaves_it_snoozed(snoozed, csr, in_acme, desk, provider_server):
    ProviderAccountFactory(company=in_acme)
    before = snoozed.snoozed_until
    queue_reply(contact=snoozed.contact, line=desk, body="We'll call you.", user=csr)
    assert send_next_messages()
    snoozed.refresh_from_db()
    assert (snoozed.status, snoozed.snoozed_until) == ("snoozed", before)
