"""Events that don't come in from outside: receipts, calls and messages between the company's own lines."""

from datetime import timedelta

import pytest
from django.utils import timezone

from calls.models import Call, MissedCaller
from crm.models import Contact, Conversation, OptOut, PhoneLine
from messaging.models import Message
from messaging.services.outbound.outbox import SendBlocked, queue_message
from messaging.services.outbound.text_backs import queue_next_text_back
from messaging.services.replies import queue_reply
from tests.factories import (
    ContactFactory,
    ConversationFactory,
    MessageFactory,
    PhoneLineFactory,
    WebhookSecretFactory,
    fictional_number,
)
from tests.messaging.payloads import (
    CALLER,
    OUR_NUMBER,
    call_2026,
    call_event_2026,
    call_v4,
    callrail_call,
    callrail_message,
    message_2026,
    message_v4,
    post_event,
    twilio_message,
    twilio_status,
)
from tests.messaging.worker_rounds import process_next_event

OTHER_LINE = fictional_number(40_050)


@pytest.fixture
def lines(acme, desk):
    acme.missed_call_text = "Sorry that we missed you."
    acme.save()
    return desk, PhoneLineFactory(company=acme, number=OTHER_LINE, provider="twilio", provider_id="")


@pytest.fixture
def arrive(client, secret, acme, in_acme):
    for provider in ("twilio", "callrail"):
        WebhookSecretFactory(company=acme, provider=provider)

    def arrive(payload, provider="openphone"):
        assert post_event(client, payload, provider=provider).status_code == 200
        assert process_next_event()

    return arrive


def people():
    return [model.objects.count() for model in (Contact, Conversation, MissedCaller, OptOut)]


def between_lines():
    sides = {"workspace": [OUR_NUMBER], "external": [OTHER_LINE]}
    context = {"phoneNumberId": "PNdesk", "participants": sides}
    missed = {"answeredAt": None, "status": "unanswered", "createdAt": timezone.now().isoformat()}
    return [
        ("openphone", message_v4(sender=OTHER_LINE, text="STOP")),
        ("twilio", twilio_message(From=OUR_NUMBER, To=OTHER_LINE, Body="STOP")),
        ("callrail", callrail_message(source_number=OUR_NUMBER, destination_number=OTHER_LINE)),
        ("openphone", call_event_2026("call.missed", context=context, id="AC1", createdAt=timezone.now().isoformat())),
        ("openphone", call_2026(context=context, **missed)),
        (
            "openphone",
            call_v4(participants=[OTHER_LINE, OUR_NUMBER], answeredAt=None, createdAt=timezone.now().isoformat()),
        ),
        (
            "callrail",
            callrail_call(customer_phone_number=OTHER_LINE, answered=False, start_time=timezone.now().isoformat()),
        ),
    ]


@pytest.mark.parametrize("index", range(7))
def test_event_between_two_lines_makes_nobody_a_customer(arrive, lines, index):
    provider, payload = between_lines()[index]
    arrive(payload, provider)
    assert people() == [0, 0, 0, 0]
    assert PhoneLine.objects.count() == 2
    assert not queue_next_text_back()
    assert Message.objects.count() + Call.objects.count() == 1


@pytest.mark.parametrize("provider", ["openphone", "twilio"])
def test_line_that_writes_to_itself_is_not_opted_out(arrive, lines, provider):
    texts = {
        "openphone": message_v4(sender=OUR_NUMBER, text="STOP"),
        "twilio": twilio_message(From=OTHER_LINE, To=OTHER_LINE, Body="STOP"),
    }
    arrive(texts[provider], provider)
    assert people() == [0, 0, 0, 0]
    assert Message.objects.count() == 1


def test_receipt_with_the_id_of_an_incoming_message_opts_no_line_out(arrive, lines):
    arrive(message_v4(id="AC1"))
    arrive(message_v4("message.failed", id="AC1", sender=OUR_NUMBER, to=[CALLER], errorCode="21610"))
    assert not OptOut.objects.filter(phone=OUR_NUMBER).exists()


def test_same_call_from_outside_is_a_missed_caller(arrive, lines):
    arrive(
        callrail_call(customer_phone_number=CALLER, answered=False, start_time=timezone.now().isoformat()), "callrail"
    )
    assert people() == [1, 1, 1, 0]
    assert queue_next_text_back()


def from_here():
    stranger, line = fictional_number(40_060), fictional_number(40_061)
    return [
        ("twilio", twilio_status(From=line, To=stranger)),
        ("openphone", message_2026("message.delivered")),
        ("openphone", message_v4("message.delivered", sender=line, to=[stranger], phoneNumberId="PNnew")),
        ("openphone", call_2026(direction="outgoing")),
        ("callrail", callrail_call(direction="outbound", tracking_phone_number=line)),
        ("callrail", callrail_message(source_number=line, destination_number=stranger, agent="ann@example.com")),
    ]


@pytest.mark.parametrize("index", range(6))
def test_receipt_or_outgoing_call_to_a_stranger_is_kept_alone(arrive, lines, index):
    provider, payload = from_here()[index]
    arrive(payload, provider)
    assert people() == [0, 0, 0, 0]
    assert PhoneLine.objects.count() == 2
    assert Message.objects.count() + Call.objects.count() == 1


@pytest.fixture
def sent(lines, in_acme):
    """Return a message over the front desk to a contact who has written to both lines, last to the front desk."""
    desk, other = lines
    contact = ContactFactory(company=in_acme, phone=CALLER)
    for line, minutes in ((desk, 60), (other, 90)):
        ConversationFactory(
            contact=contact, phone_line=line, last_activity_at=timezone.now() - timedelta(minutes=minutes)
        )
    return MessageFactory(
        contact=contact,
        phone_line=desk,
        from_number=desk.number,
        to_numbers=[CALLER],
        direction="outgoing",
        kind="reply",
        status="sent",
        activity__direction="outgoing",
        activity__openphone_id="SM1",
    )


def test_receipt_with_another_sender_changes_only_its_message(arrive, sent, lines):
    before = list(Conversation.objects.order_by("id").values())
    arrive(twilio_status(MessageSid="SM1", From=OTHER_LINE), "twilio")
    sent.refresh_from_db()
    assert (sent.status, sent.phone_line, sent.from_number) == ("delivered", lines[0], OUR_NUMBER)
    assert list(Conversation.objects.order_by("id").values()) == before
    assert Message.objects.count() == 1
    reply = queue_reply(contact=sent.contact, body="See you", user=None)
    assert reply.phone_line == lines[0]


def test_receipt_with_another_sender_finds_the_message_being_sent(arrive, sent):
    Message.objects.update(status="sending", run_at=timezone.now(), body="On our way")
    sent.activity.openphone_id = None
    sent.activity.save()
    arrive(message_v4("message.delivered", id="AC7", sender=OTHER_LINE, to=[CALLER], text="On our way"))
    sent.refresh_from_db()
    sent.activity.refresh_from_db()
    assert (sent.status, sent.activity.openphone_id, Message.objects.count()) == ("delivered", "AC7", 1)


def outgoing_call(at):
    return call_2026(id="ACout", direction="outgoing", createdAt=at.isoformat(), answeredAt=None)


@pytest.mark.parametrize("minutes", [-5, 5])
@pytest.mark.parametrize("order", [1, -1])
def test_earlier_call_out_joins_the_conversation_in_any_order(arrive, lines, minutes, order):
    at = timezone.now() - timedelta(hours=1)
    text_out = message_v4(
        "message.delivered", id="ACtext", sender=OUR_NUMBER, to=[CALLER], createdAt=(at - timedelta(days=1)).isoformat()
    )
    events = [message_v4(createdAt=at.isoformat()), outgoing_call(at + timedelta(minutes=minutes)), text_out]
    for event in events[::order]:
        arrive(event)
    contact, conversation = Contact.objects.get(), Conversation.objects.get()
    assert set(conversation.activities.values_list("contact", flat=True)) == {contact.pk}
    assert conversation.activities.count() == 3
    assert (Call.objects.get().contact, Call.objects.get().phone_line) == (contact, lines[0])
    assert conversation.status == ("open" if minutes > 0 else "waiting")
    assert conversation.last_activity_at == max(at, at + timedelta(minutes=minutes))


def test_call_out_of_long_ago_does_not_join(arrive, lines):
    arrive(outgoing_call(timezone.now() - timedelta(days=30)))
    arrive(message_v4(createdAt=timezone.now().isoformat()))
    assert Call.objects.get().contact is None


def test_own_line_gets_no_message(lines, in_acme):
    contact = ContactFactory(company=in_acme, phone=OTHER_LINE)
    with pytest.raises(SendBlocked, match="one of your own phone lines"):
        queue_message(contact=contact, line=lines[0], body="Hello", kind="reply")


def test_ringing_call_is_missed_only_when_it_has_ended(arrive, lines):
    call = callrail_call(answered=False, duration=0, call_type="missed", start_time=timezone.now().isoformat())
    arrive(call, "callrail")
    assert Call.objects.get().status == "in_progress"
    assert (MissedCaller.objects.count(), queue_next_text_back()) == (0, False)
    arrive(call | {"duration": "21"}, "callrail")
    assert Call.objects.get().status == "missed"
    assert (MissedCaller.objects.count(), queue_next_text_back()) == (1, True)
