"""Messages that change nothing but their conversation: a few statements for all, and the rows of one at a time."""

from datetime import timedelta

import pytest
from django.utils import timezone

from calls.models import MissedCaller
from crm.db.tenancy import all_tenants, tenant
from crm.models import Activity, CampaignMembership, Contact, ContactFlag, Conversation, OptOut, PhoneLine
from messaging.models import Message, WebhookEvent
from messaging.services.inbound import webhook_processing
from messaging.services.inbound.webhook_processing import process_due_events
from tests.factories import (
    ActivityFactory,
    CampaignMembershipFactory,
    CompanyFactory,
    ContactFactory,
    ContactFlagFactory,
    ConversationFactory,
    MessageFactory,
    PhoneLineFactory,
    WebhookSecretFactory,
)
from tests.fictional_numbers import fictional_number
from tests.messaging.event_stream import snapshot
from tests.messaging.payloads import OUR_NUMBER, call_v4, message_v4, post_event
from tests.messaging.worker_rounds import process_next_event

pytestmark = pytest.mark.django_db
NOW = timezone.now().replace(microsecond=0)


def at(minutes):
    return (NOW - timedelta(minutes=minutes)).isoformat()


def text(number, body="It drips again.", *, minutes=5, **resource):
    return message_v4(id=f"AC{number}x{body}", sender=number, text=body, createdAt=at(minutes), **resource)


def answer(number, body="We come at ten.", *, minutes=4, status="delivered", **resource):
    sent = {"sender": OUR_NUMBER, "to": (number,), "direction": "outgoing", "status": status}
    return message_v4("message.delivered", id=f"AC{number}y{body}", text=body, createdAt=at(minutes), **sent | resource)


# Each with what waits for a message, and the events of one caller.
CASES = {
    "text": (None, lambda number: [text(number)]),
    "two texts and an answer": (
        None,
        lambda number: [text(number), answer(number), text(number, "See you then.", minutes=3)],
    ),
    "later text first": (None, lambda number: [text(number, "Second", minutes=2), text(number, "First", minutes=9)]),
    "old text": (None, lambda number: [text(number, minutes=60 * 24 * 400)]),
    "repeated text": (None, lambda number: [text(number), text(number)]),
    "opt-out": (None, lambda number: [text(number, "STOP")]),
    "thanks after an opt-out": (None, lambda number: [text(number, "STOP"), text(number, "Thanks", minutes=3)]),
    "wrong number": (None, lambda number: [text(number, "You have the wrong number")]),
    "help": (None, lambda number: [text(number, "HELP")]),
    "photo": (
        None,
        lambda number: [text(number, "", media=[{"url": "https://example.com/roof.jpg", "type": "image/jpeg"}])],
    ),
    "answer that failed": (None, lambda number: [answer(number, status="undelivered", errorCode="30006")]),
    "text and call": (
        None,
        lambda number: [text(number), call_v4(id=f"AC{number}c", participants=[number], createdAt=at(2))],
    ),
    "missed call": (
        None,
        lambda number: [
            call_v4(
                id=f"AC{number}m", participants=[number], createdAt=at(30), answeredAt=None, completedAt=at(29),
                status="no-answer",
            ),
            text(number, "Call me"),
        ],
    ),
    "invalid number": ("invalid", lambda number: [text(number)]),
    "invalid number reached": ("invalid", lambda number: [answer(number)]),
    "campaign": ("campaign", lambda number: [text(number)]),
    "campaign of long ago": ("old campaign", lambda number: [text(number)]),
    "sequence": ("sequence", lambda number: [text(number)]),
    "being sent": ("sending", lambda number: [answer(number, "On my way.", minutes=0)]),
    "texted before": ("strange", lambda number: [text(number)]),
    "no conversation": ("strange", lambda number: [answer(number)]),
    "closed": ("closed", lambda number: [answer(number), text(number, "Thanks!", minutes=3)]),
    "new caller": ("new", lambda number: [text(number)]),
}  # fmt: skip


def prepare(company, line, kind, number):
    """Make a caller of the company, for whom something may wait."""
    if kind == "new":
        return
    contact = ContactFactory(company=company, phone=number, last_name="")
    if kind == "strange":
        activity = ActivityFactory(
            contact=contact, activity_type="message", direction="outgoing", openphone_id=f"AC{number}e"
        )
        Activity.objects.filter(pk=activity.pk).update(conversation=None, created_at=NOW - timedelta(days=1))
        MessageFactory(
            activity=activity, contact=contact, phone_line=line, direction="outgoing", status="sent",
            to_numbers=[number], created_at=NOW - timedelta(days=1),
        )  # fmt: skip
        return
    conversation = ConversationFactory(
        contact=contact, phone_line=line, last_activity_at=NOW - timedelta(days=30),
        status="closed" if kind == "closed" else "open",
    )  # fmt: skip
    if kind == "invalid":
        ContactFlagFactory(
            contact=contact, flag_type="invalid_number", source="provider", created_at=NOW - timedelta(days=3)
        )
    elif kind in ("campaign", "old campaign", "sequence"):
        sent_at = NOW - timedelta(hours=100 if kind == "old campaign" else 1)
        member = CampaignMembershipFactory(
            contact=contact, campaign__phone_line=line, status="delivered", sent_at=sent_at
        )
        activity = ActivityFactory(
            contact=contact, conversation=conversation, activity_type="message", direction="outgoing",
            openphone_id=f"AC{number}k", created_at=sent_at,
        )  # fmt: skip
        MessageFactory(
            activity=activity, contact=contact, phone_line=line, direction="outgoing", status="delivered",
            kind="campaign", membership=member, to_numbers=[number], created_at=sent_at, sent_at=sent_at,
        )  # fmt: skip
        if kind == "sequence":
            CampaignMembershipFactory(campaign=member.campaign, contact=contact, step=2, status="pending")
            Message.objects.filter(membership=member).update(sent_at=NOW - timedelta(hours=100))
            CampaignMembership.objects.filter(pk=member.pk).update(sent_at=NOW - timedelta(hours=100))
    elif kind == "sending":
        activity = ActivityFactory(
            contact=contact, conversation=conversation, activity_type="message", direction="outgoing",
            openphone_id=None, body="On my way.",
        )  # fmt: skip
        MessageFactory(
            activity=activity, contact=contact, phone_line=line, direction="outgoing", status="sending", kind="reply",
            body="On my way.", to_numbers=[number], run_at=NOW, created_at=NOW,
        )  # fmt: skip


def effects():
    """Return what messages do beside their own rows."""
    return {
        "flags": sorted(ContactFlag.objects.in_force().values_list("contact__phone", "flag_type")),
        "opt-outs": sorted(OptOut.objects.values_list("state")),
        "missed": sorted(MissedCaller.objects.values_list("contact__phone", "recovered_by")),
        "memberships": sorted(CampaignMembership.objects.values_list("contact__phone", "step", "status")),
    }


def test_rows_are_those_of_one_event_at_a_time(client, monkeypatch):
    plain, record = [], webhook_processing.record_plain_messages

    def remember(**arguments):
        recorded = record(**arguments)
        plain.extend(arguments["events"][index].outside_numbers[0] for index in recorded)
        return recorded

    monkeypatch.setattr(webhook_processing, "record_plain_messages", remember)
    numbers = {name: fictional_number(40_300 + 2 * place) for place, name in enumerate(CASES)}
    events = [event for name, (_, make) in CASES.items() for event in make(numbers[name])]
    results = []
    for slug, process in (("alone", process_next_event), ("together", lambda: process_due_events(limit=100))):
        company = CompanyFactory(slug=slug)
        WebhookSecretFactory(company=company)
        with all_tenants():
            PhoneLine.objects.update(number="")  # no two companies have the same
        line = PhoneLineFactory(company=company, name="Front desk", number=OUR_NUMBER, provider_id="PNdesk")
        with tenant(company.pk):
            for name, (kind, _) in CASES.items():
                prepare(company, line, kind, numbers[name])
        for event in events:
            assert post_event(client, event, company=slug).json()["status"] == "accepted"
        while process():
            pass
        with tenant(company.pk):
            assert set(WebhookEvent.objects.values_list("status", "tries")) == {("processed", 0)}
            results.append(snapshot() | effects())
    for table, rows in results[0].items():
        assert results[1][table] == rows, table
    names = {number: name for name, number in numbers.items()}
    assert {names[number] for number in plain} == {
        "text", "two texts and an answer", "later text first", "old text", "help", "photo", "campaign of long ago",
        "closed",
    }  # fmt: skip


def test_known_contacts_first_texts_share_the_statement_of_their_conversations(client, secret, in_acme, desk):
    numbers = [fictional_number(40_400 + n) for n in range(4)]
    for number in numbers:
        ContactFactory(company=in_acme, phone=number)
    for number in numbers:
        assert post_event(client, text(number)).json()["status"] == "accepted"
    assert process_due_events()
    assert Contact.objects.count() == Message.objects.count() == 4
    assert set(Conversation.objects.values_list("status", flat=True)) == {"waiting"}
    assert not Activity.objects.filter(conversation=None).exists()
