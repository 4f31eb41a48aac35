"""Opt-outs in webhook events that can't be recorded: the STOP counts, and the event keeps its reason."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from crm.models import Contact, OptOut, OptOutEntry
from messaging.models import Message, WebhookEvent
from messaging.services.inbound.reconciliation import reconcile_line
from messaging.services.inbound.webhook_processing import reprocess_webhook_events
from tests.factories import (
    CompanyFactory,
    MessageFactory,
    PhoneLineFactory,
    ProviderAccountFactory,
    WebhookSecretFactory,
    fictional_number,
)
from tests.messaging.payloads import (
    CALLER,
    OUR_NUMBER,
    callrail_message,
    message_2026,
    message_v3,
    message_v4,
    post_event,
    twilio_message,
    twilio_status,
)
from tests.messaging.worker_rounds import process_next_event

LONG = "x" * 1000
ZERO_TIME = "0001-01-01T00:00:00Z"
AT = datetime(2026, 3, 2, 16, tzinfo=UTC)
UNREADABLE = {
    "zero time": ("openphone", message_v4(text="STOP", createdAt=ZERO_TIME), "createdAt"),
    "zero time in 2026-03-30": ("openphone", message_2026(text="STOP", createdAt=ZERO_TIME), "createdAt"),
    "zero time of the app": ("openphone", message_v3(body="STOP", createdAt=ZERO_TIME), "createdAt"),
    "time in a wrong spelling": ("openphone", message_v4(text="STOP", createdAt="yesterday"), "createdAt"),
    "time that is a number": ("openphone", message_v4(text="STOP", createdAt=1772467200), "createdAt"),
    "long id": ("openphone", message_v4(text="STOP", id=LONG), "id"),
    "no id": ("openphone", message_v4(text="STOP", id=None), "id"),
    "line's long id": ("openphone", message_v4(text="STOP", phoneNumberId=LONG), "phoneNumberId"),
    "line's id that is a list": ("openphone", message_v4(text="STOP", phoneNumberId=["PNdesk"]), "phoneNumberId"),
    "list of texts": ("openphone", message_v4(text=["STOP"]), "text"),
    "list of texts of the app": ("openphone", message_v3(body=["STOP"]), "body"),
    "CallRail's list of texts": ("callrail", callrail_message(content=["STOP"]), "content"),
    "recipients": ("openphone", message_v4(text="STOP", to=[7]), "to"),
    "CallRail's zero time": ("callrail", callrail_message(content="STOP", timestamp=ZERO_TIME), "timestamp"),
    "CallRail's long id": ("callrail", callrail_message(content="STOP", resource_id=LONG), "resource_id"),
    "CallRail's direction": ("callrail", callrail_message(content="STOP", direction="sideways"), "direction"),
    "CallRail's recipient": ("callrail", callrail_message(content="STOP", destination_number=[7]), "destination"),
    "Twilio's long id": ("twilio", twilio_message(Body="STOP", MessageSid=LONG), "MessageSid"),
    "Twilio's recipients": ("twilio", twilio_message(Body="STOP", To=",".join([OUR_NUMBER] * 101)), "To"),
}


def without(payload, *names):
    return {name: value for name, value in payload.items() if name not in names}


@pytest.fixture
def arrive(client, secret, acme, in_acme, desk):
    for provider in ("twilio", "callrail"):
        WebhookSecretFactory(company=acme, provider=provider)

    def arrive(payload, provider="openphone"):
        assert post_event(client, payload, provider=provider).status_code == 200
        while process_next_event():
            pass
        return WebhookEvent.objects.latest("id")

    return arrive


def assert_kept_without_a_message(event, field):
    assert (event.status, Message.objects.count()) == ("dead", 0)
    assert event.error.startswith(f"{field}")
    entry = OptOutEntry.objects.get()
    assert (entry.action, entry.words, entry.source, entry.activity) == ("opted_out", "STOP", "sms", None)
    assert (entry.opt_out.phone, entry.opt_out.state) == (CALLER, "opted_out")
    assert entry.occurred_at <= timezone.now()


@pytest.mark.parametrize("case", UNREADABLE)
def test_stop_in_an_unreadable_event_opts_out_and_the_event_keeps_its_reason(arrive, case):
    provider, payload, field = UNREADABLE[case]
    assert_kept_without_a_message(arrive(payload, provider), field)
    assert not Contact.objects.exists()


@pytest.mark.parametrize("time", [ZERO_TIME, "2099-01-01T00:00:00Z"])
def test_unbelievable_time_of_a_kept_stop_is_the_time_of_arrival(arrive, time):
    event = arrive(message_v4(text="STOP", id=LONG, createdAt=time))
    [entry] = OptOutEntry.objects.all()
    # OpenPhone's event has a time of its own, which is used if it can be read.
    assert entry.occurred_at == (AT if time == ZERO_TIME else event.created_at)


def test_zero_times_alone_date_a_kept_stop_from_its_arrival(arrive):
    event = arrive(message_v4(text="STOP", createdAt=ZERO_TIME) | {"createdAt": ZERO_TIME})
    assert OptOutEntry.objects.get().occurred_at == event.created_at


def test_earlier_stop_that_is_kept_changes_no_later_opt_in(arrive):
    arrive(message_v4(text="START", createdAt=(AT + timedelta(days=1)).isoformat()))
    arrive(message_v4(text="STOP", id=LONG))
    assert OptOut.objects.get().state == "clear"


@pytest.mark.parametrize("zero", ["1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z", "1969-12-31T19:00:00-05:00"])
@pytest.mark.parametrize(
    ("provider", "build", "field", "words"),
    [("openphone", message_v4, "createdAt", "text"), ("callrail", callrail_message, "timestamp", "content")],
)
def test_stop_at_the_zero_of_a_clock_is_newer_than_an_opt_in(arrive, provider, build, field, words, zero):
    arrive(build(**{words: "START"}), provider)
    event = arrive(
        build(**{words: "STOP", field: zero}) | ({"createdAt": zero} if provider == "openphone" else {}), provider
    )
    assert event.status == "processed"
    assert OptOut.objects.get().state == "opted_out"
    assert Message.objects.get(body="STOP").created_at == event.created_at


@pytest.mark.parametrize("sent", [int(CALLER[1:]), int(CALLER[2:])])
@pytest.mark.parametrize(
    ("provider", "payload"),
    [
        ("openphone", lambda sent: message_v4(text="STOP", sender=sent)),
        ("openphone", lambda sent: message_v3(body="STOP", sender=sent)),
        ("callrail", lambda sent: callrail_message(content="STOP", source_number=sent)),
    ],
)
def test_stop_of_a_sender_who_is_a_whole_number_opts_out(arrive, provider, payload, sent):
    assert arrive(payload(sent), provider).status == "processed"
    assert OptOut.objects.get(phone=CALLER).state == "opted_out"


def test_stop_beside_a_number_of_thousands_of_digits_opts_out(arrive):
    body = json.dumps(message_v4(text="STOP", weight=7)).replace('"weight": 7', f'"weight": {"9" * 5000}')
    assert arrive(body.encode()).status == "processed"
    assert OptOut.objects.get(phone=CALLER).state == "opted_out"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_stop_in_another_encoding_of_json_opts_out(arrive, encoding):
    assert arrive(json.dumps(message_v4(text="STOP")).encode(encoding)).status == "processed"
    assert OptOut.objects.get(phone=CALLER).state == "opted_out"
    assert Message.objects.get().body == "STOP"


@pytest.mark.parametrize("sent", [{"Body": ""}, {}])
def test_stop_on_a_button_opts_out(arrive, sent):
    bodiless = without(twilio_message(ButtonText="STOP", ButtonPayload="stop"), "Body", "NumMedia")
    assert arrive(bodiless | sent, "twilio").status == "processed"
    assert OptOut.objects.get(phone=CALLER).state == "opted_out"
    assert Message.objects.get().body == "STOP"


def test_possible_opt_out_in_an_unreadable_event_is_reviewed(arrive):
    arrive(message_v4(text="please take me off your list", id=LONG))
    assert OptOut.objects.get().state == "under_review"


def test_reprocessed_unreadable_event_adds_no_entry(arrive):
    arrive(message_v4(text="STOP", createdAt="yesterday"))
    assert reprocess_webhook_events(events=WebhookEvent.objects.all()) == 1
    assert process_next_event()
    assert OptOutEntry.objects.count() == 1
    assert WebhookEvent.objects.get().status == "dead"


@pytest.mark.parametrize(
    ("provider", "payload", "status"),
    [
        ("openphone", without(message_v4(text="STOP"), "type"), "dead"),
        ("openphone", message_v4(text="STOP") | {"type": 7}, "dead"),
        ("openphone", message_v4("message.arrived", text="STOP"), "ignored"),
        ("twilio", without(twilio_message(Body="STOP"), "MessageSid", "SmsSid"), "ignored"),
        ("twilio", twilio_message(Body="STOP", SmsStatus="surprising"), "ignored"),
        ("twilio", without(twilio_message(OptOutType="STOP"), "Body", "NumMedia"), "ignored"),
        ("callrail", callrail_message(content="STOP", type="surprise", destination_number=""), "ignored"),
    ],
)
def test_stop_in_an_event_of_an_unknown_type_opts_out(arrive, provider, payload, status):
    event = arrive(payload, provider)
    assert event.status == status
    assert event.error
    assert OptOut.objects.get(phone=CALLER).state == "opted_out"


@pytest.mark.parametrize(
    ("provider", "payload"),
    [
        ("openphone", message_v4("message.delivered", sender=CALLER, to=[OUR_NUMBER], text="STOP", id=LONG)),
        ("openphone", message_2026("message.failed", text="STOP", createdAt=ZERO_TIME)),
        ("openphone", message_v4(sender=OUR_NUMBER, text="STOP", id=LONG)),
        ("openphone", message_v4(text="Can you stop by at 3?", id=LONG)),
        ("openphone", message_v4(text="START", id=LONG)),
        ("openphone", message_v4(sender="", text="STOP", id=LONG)),
        ("openphone", message_v4("message.sent", direction="outgoing", text="STOP")),
        ("callrail", callrail_message(content="STOP", agent="carla@example.com", timestamp=ZERO_TIME)),
        ("callrail", callrail_message(content="STOP", direction="outbound", resource_id=LONG)),
        ("twilio", twilio_status(Body="STOP", MessageSid=LONG)),
    ],
)
def test_unreadable_event_without_an_incoming_stop_opts_nobody_out(arrive, provider, payload):
    event = arrive(payload, provider)
    assert event.status in ("dead", "ignored")
    assert not OptOutEntry.objects.exists()


def test_stop_to_a_number_that_is_a_line_elsewhere_opts_out_at_the_first_attempt(client, secret, acme, in_acme):
    number = fictional_number(40_080)
    PhoneLineFactory(company=CompanyFactory(), number=number)
    WebhookSecretFactory(company=acme, provider="twilio")
    post_event(client, twilio_message(Body="STOP", To=number), provider="twilio")
    assert process_next_event()
    assert WebhookEvent.objects.get().status == "pending"
    assert OptOut.objects.get().state == "opted_out"


@pytest.mark.parametrize("kind", ["reply", ""])
def test_incoming_event_with_the_id_of_an_outgoing_message_is_a_clash(arrive, desk, acme, kind):
    message = MessageFactory(
        contact__company=acme, direction="outgoing", status="sent", kind=kind, phone_line=desk,
        activity__direction="outgoing", activity__openphone_id="ACours",
    )  # fmt: skip
    event = arrive(message_v4(id="ACours", text="STOP"))
    assert (event.status, event.error) == (
        "dead",
        "IdClash: ACours is the ID of an outgoing message, not of an incoming one.",
    )
    assert OptOut.objects.get(phone=CALLER).state == "opted_out"
    assert not Contact.objects.filter(phone=CALLER).exists()
    assert Message.objects.get() == message


def test_receipt_with_the_id_of_an_incoming_message_is_a_clash(arrive):
    arrive(message_v4(id="AC1"))
    event = arrive(message_v4("message.failed", id="AC1", sender=OUR_NUMBER, to=[CALLER], errorCode="30005"))
    assert (event.status, event.error) == (
        "dead",
        "IdClash: AC1 is the ID of an incoming message, not of an outgoing one.",
    )
    assert Message.objects.get().error_code == ""


def test_stop_with_the_id_of_a_call_opts_out(arrive):
    arrive(message_v4(id="AC1", text="Hello"))
    event = arrive(message_v4("call.completed", id="AC1", sender=CALLER, to=[OUR_NUMBER]))
    assert event.status == "dead"
    assert not OptOut.objects.exists()


def test_stop_that_reconcile_can_not_record_opts_out(acme, in_acme, provider_server, desk):
    ProviderAccountFactory(company=acme, provider="openphone")
    row = provider_server.openphone.add_message("PNdesk", CALLER, "STOP", at=AT)
    MessageFactory(
        contact__company=acme, direction="outgoing", status="sent", activity__direction="outgoing",
        activity__openphone_id=row["id"],
    )  # fmt: skip
    result = reconcile_line(line=desk, since=AT - timedelta(days=1), progress=int)
    assert (result.added, result.unreadable) == (0, 1)
    assert OptOut.objects.get(phone=CALLER).state == "opted_out"


@pytest.mark.parametrize("sender", ["client:ann", "messenger:2125550100", "whatsapp:US.13491208655302", "72975"])
def test_stop_of_a_sender_without_a_number_opts_it_out_as_sent(arrive, sender):
    arrive(twilio_message(From=sender, Body="STOP"), "twilio")
    assert OptOut.objects.get(phone=sender).state == "opted_out"
    assert not Contact.objects.exists()


def test_named_sender_may_ask_to_stop_in_a_sentence(arrive):
    arrive(twilio_message(From="client:ann", Body="please take me off your list"), "twilio")
    assert OptOut.objects.get(phone="client:ann").state == "under_review"


def test_named_rcs_sender_may_opt_out(arrive):
    arrive(twilio_message(From="rcs:ann_2125550100", Body="STOP"), "twilio")
    assert OptOut.objects.get(phone="rcs:ann_2125550100").state == "opted_out"
