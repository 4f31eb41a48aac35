"""Events in any order and repeatedly: the rows are the same."""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from calls.models import Call, CallDetail
from crm.db.tenancy import tenant
from crm.models import Activity, Contact, ContactPhone, Conversation
from messaging.models import Message
from messaging.providers.events import (
    CallEvent,
    ContactEvent,
    MessageEvent,
    SummaryEvent,
    TranscriptEvent,
    VoicemailEvent,
)
from messaging.services.inbound.webhook_processing import record_event
from tests.factories import ContactFactory, ContactPhoneFactory, fictional_number
from tests.messaging.payloads import CALLER, OUR_NUMBER

pytestmark = [pytest.mark.slow, pytest.mark.django_db]
THEN = datetime(2026, 3, 2, 16, tzinfo=UTC)
END = THEN + timedelta(seconds=65)
VOICE = "https://files.example.com/voice.mp3"
SECOND = fictional_number(40_021)


def record(*events):
    for event in events:
        record_event(provider="openphone", event=event)


def common(minutes=0, **changes):
    return {
        "openphone_id": "AC1",
        "line_id": "PNdesk",
        "company_numbers": (OUR_NUMBER,),
        "outside_numbers": (CALLER,),
        "direction": "incoming",
        "created_at": THEN + timedelta(minutes=minutes),
    } | changes


def message_event(minutes=0, **changes):
    incoming = changes.get("direction", "incoming") == "incoming"
    event = {
        "from_number": CALLER if incoming else OUR_NUMBER,
        "to_numbers": (OUR_NUMBER if incoming else CALLER,),
        "body": "Hello",
        "media": (),
        "status": "received" if incoming else "delivered",
    }
    return MessageEvent(**(common(minutes) | event | changes))


def call(minutes=0, **changes):
    event = {"answered": False, "ended": True, "answered_at": None, "completed_at": None, "duration_s": None}
    return CallEvent(**(common(minutes) | event | changes))


def answered(minutes=0, **changes):
    return call(minutes, answered=True, answered_at=THEN + timedelta(seconds=5), **changes)


def voicemail(minutes=0, **changes):
    return VoicemailEvent(**(common(minutes) | {"url": VOICE, "transcript": "Call me.", "duration_s": 9} | changes))


def address(*phones, **changes):
    event = {"first_name": "Ann", "last_name": "Lee", "email": "ann@example.com", "deleted": False}
    return ContactEvent(**({"phones": phones} | event | changes))


# --- Messages ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", list(itertools.permutations(["sent", "failed", "undelivered", "delivered"])), ids=str)
def test_receipts_in_any_order_give_one_status(in_acme, order):
    codes = {"undelivered": "30006"}
    record(*(message_event(direction="outgoing", status=status, error_code=codes.get(status, "")) for status in order))
    assert list(Message.objects.values_list("status", "error_code")) == [("delivered", "30006")]


@pytest.mark.parametrize("order", list(itertools.permutations(["sent", "failed", "undelivered"])), ids=str)
def test_carrier_failure_outranks_provider_failure(in_acme, order):
    record(*(message_event(direction="outgoing", status=status) for status in order))
    assert Message.objects.get().status == "undelivered"


@pytest.mark.parametrize("status", ["queued", "sending", "unknown"])
def test_status_queued_at_the_provider_means_sent(in_acme, status):
    record(message_event(direction="outgoing", status=status))
    assert Message.objects.get().status == "sent"


@pytest.mark.parametrize("order", [1, -1])
def test_receipt_before_its_message_gets_its_body_and_time(in_acme, order):
    receipt = message_event(5, direction="outgoing", body="", company_numbers=(), outside_numbers=(), to_numbers=())
    record(*[receipt, message_event(direction="outgoing", status="sent")][::order])
    message = Message.objects.select_related("activity").get()
    assert (message.status, message.body, message.to_numbers) == ("delivered", "Hello", [CALLER])
    assert message.created_at == message.activity.created_at == THEN


# --- Calls ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("events", "status"),
    [
        ([call(ended=False), call(), call()], "missed"),
        ([call(ended=False), answered(ended=False), answered(completed_at=END, duration_s=60)], "unbooked"),
        ([call(ended=False), answered(ended=False), call(completed_at=END)], "unbooked"),
        ([call(ended=False), answered(ended=False)], "in_progress"),
        ([call(ended=False, direction="outgoing"), call(direction="outgoing")], "unbooked"),
    ],
)
def test_call_events_in_any_order_give_one_call(in_acme, events, status):
    for order in itertools.permutations(events):
        Call.objects.all().delete()
        Activity.objects.all().delete()
        record(*order)
        found = Call.objects.values("status", "answered_at", "completed_at", "duration_s").get()
        assert found == {
            "status": status,
            "answered_at": next((event.answered_at for event in events if event.answered_at), None),
            "completed_at": next((event.completed_at for event in events if event.completed_at), None),
            "duration_s": next((event.duration_s for event in events if event.duration_s), None),
        }


def test_call_details_in_any_order_are_stored_once(in_acme):
    files = [{"url": f"https://files.example.com/{name}.mp3", "type": "audio/mpeg"} for name in "ab"]
    events = [
        answered(recordings=(files[0],)),
        answered(recordings=tuple(files), forwarded_to="USkim", menu_choice="2 Sales"),
        SummaryEvent(openphone_id="AC1", summary="A drip.", next_steps=("Send Kim.",)),
        TranscriptEvent(openphone_id="AC1", lines=({"speaker": CALLER, "start": 0, "end": 1, "text": "Hi"},)),
    ]
    for order in itertools.permutations(events):
        CallDetail.objects.all().delete()
        Call.objects.all().delete()
        record(*order, *order)
        call_row = Call.objects.get()
        assert call_row.recording_url == files[0]["url"]
        assert CallDetail.objects.values(
            "call", "recordings", "summary", "next_steps", "transcript", "forwarded_to", "menu_choice"
        ).get() == {
            "call": call_row.pk,
            "recordings": files,
            "summary": "A drip.",
            "next_steps": ["Send Kim."],
            "transcript": [{"speaker": CALLER, "start": 0, "end": 1, "text": "Hi"}],
            "forwarded_to": "USkim",
            "menu_choice": "2 Sales",
        }


def test_summary_without_a_call_is_stored_alone(in_acme):
    record(SummaryEvent(openphone_id="AC1", summary="A drip.", next_steps=()), call(openphone_id="AC2"))
    assert CallDetail.objects.get().call is None


@pytest.mark.parametrize(
    "order", list(itertools.permutations([call(), voicemail(1), call(voicemail_url=VOICE)])), ids=str
)
def test_repeated_voicemail_is_one_activity(in_acme, order):
    record(*order, *order)
    assert list(Call.objects.values_list("status", "voicemail_url", "created_at")) == [("missed", VOICE, THEN)]
    entry = Activity.objects.get(activity_type="voicemail")
    assert (entry.openphone_id, entry.body, entry.created_at) == ("AC1:voicemail", "Call me.", THEN)
    assert (entry.contact.phone, entry.conversation) == (CALLER, Conversation.objects.get())
    assert CallDetail.objects.get().voicemail_transcript == "Call me."


def test_call_tracking_names_an_unnamed_caller(in_acme, acme):
    ContactFactory(company=acme, phone=SECOND, first_name="Bo", last_name="")
    record(call(outside_name="ANN  LEE JONES"), call(openphone_id="AC2", outside_numbers=(SECOND,), outside_name="X"))
    names = Contact.objects.order_by("phone").values_list("phone", "first_name", "last_name")
    assert set(names) == {(CALLER, "ANN", "LEE JONES"), (SECOND, "Bo", "")}


# --- Conversation status ----------------------------------------------------------------------------------------------

SENT, TALKED = message_event(2, openphone_id="AC2", direction="outgoing"), answered(3, openphone_id="AC3")


@pytest.mark.parametrize(
    ("events", "status"),
    [
        ([message_event(), SENT], "open"),
        ([SENT, message_event(4)], "waiting"),
        ([message_event(), TALKED], "open"),
        ([TALKED, call(4)], "waiting"),
        ([SENT, call(ended=False), call()], "open"),
        ([SENT, voicemail(4), call()], "waiting"),
    ],
)
def test_newest_activity_sets_the_conversation_status_in_any_order(in_acme, events, status):
    for order in itertools.permutations(events):
        Call.objects.all().delete()
        Message.objects.all().delete()
        Activity.objects.all().delete()
        Conversation.objects.all().delete()
        record(*order)
        assert Conversation.objects.get().status == status, order


def test_closed_conversation_is_reopened_by_incoming_activities_only(in_acme):
    record(message_event())
    Conversation.objects.update(status="closed")
    record(message_event(), SENT)
    assert Conversation.objects.get().status == "closed"
    record(message_event(4, openphone_id="AC4"))
    assert Conversation.objects.get().status == "waiting"


# --- Address book -----------------------------------------------------------------------------------------------------


def test_address_entry_creates_a_contact_with_all_numbers(in_acme):
    record(address("911", CALLER, SECOND), address(CALLER, SECOND))
    contact = Contact.objects.get()
    assert (contact.phone, contact.name, contact.email) == (CALLER, "Ann Lee", "ann@example.com")
    assert set(ContactPhone.objects.values_list("phone", flat=True)) == {CALLER, SECOND}


def test_address_entry_fills_blank_fields_only(in_acme, acme):
    ours = ContactFactory(company=acme, phone=CALLER, first_name="Anna", last_name="", email="")
    owner = ContactFactory(company=acme, first_name="Bo", last_name="Day", email="bo@example.com")
    ContactPhoneFactory(contact=owner, phone=SECOND)
    third = fictional_number(40_022)
    record(address(CALLER, SECOND, third, email="no address"))
    ours.refresh_from_db()
    owner.refresh_from_db()
    assert (ours.name, ours.email, owner.name, owner.email) == ("Anna Lee", "", "Bo Day", "bo@example.com")
    assert ContactPhone.objects.get(phone=SECOND).contact == owner
    assert ContactPhone.objects.get(phone=third).contact in (ours, owner)


@pytest.mark.parametrize("event", [address(CALLER, deleted=True), address("911"), address()])
def test_unusable_address_entry_changes_nothing(in_acme, event):
    record(event)
    assert not Contact.objects.exists()


def test_contact_of_another_company_is_not_named(in_acme, globex):
    foreign = ContactFactory(company=globex, phone=CALLER, first_name="", last_name="")
    record(address(CALLER))
    with tenant(globex.pk):
        foreign.refresh_from_db()
    assert foreign.name == ""
    assert Contact.objects.count() == 1


# --- Concurrency ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("order", [1, -1])
def test_concurrent_call_and_summary_are_linked(acme, order):
    first, second = [call(), SummaryEvent(openphone_id="AC1", summary="A drip.", next_steps=())][::order]
    is_recorded, is_over = threading.Event(), threading.Event()

    def record_second():
        try:
            is_recorded.wait()
            with tenant(acme.pk):
                record(second)
        finally:
            is_over.set()
            connection.close()

    with ThreadPoolExecutor(1) as other:
        recording = other.submit(record_second)
        with tenant(acme.pk), transaction.atomic():
            record(first)
            is_recorded.set()
            is_over.wait(0.5)  # enough time for the other thread, unless it waits for the lock
        recording.result()
    with tenant(acme.pk):
        assert CallDetail.objects.get().call == Call.objects.get()
