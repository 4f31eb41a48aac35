"""What providers say, in any order and more than once, becomes the same rows."""

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

pytestmark = pytest.mark.django_db
THEN = datetime(2026, 3, 2, 16, tzinfo=UTC)
VOICE = "https://files.example.com/voice.mp3"
SECOND = fictional_number(40_021)


def record(*events):
    for event in events:
        record_event(provider="openphone", event=event)


def occurrence(minutes=0, **changes):
    return {
        "openphone_id": "AC1",
        "line_id": "PNdesk",
        "our_numbers": (OUR_NUMBER,),
        "outside_numbers": (CALLER,),
        "direction": "incoming",
        "created_at": THEN + timedelta(minutes=minutes),
    } | changes


def text(minutes=0, **changes):
    incoming = changes.get("direction", "incoming") == "incoming"
    event = {
        "from_number": CALLER if incoming else OUR_NUMBER,
        "to_numbers": (OUR_NUMBER if incoming else CALLER,),
        "body": "Hello",
        "media": (),
        "status": "received" if incoming else "delivered",
    }
    return MessageEvent(**(occurrence(minutes) | event | changes))


def call(minutes=0, **changes):
    event = {"answered": False, "over": True, "answered_at": None, "completed_at": None, "duration_s": None}
    return CallEvent(**(occurrence(minutes) | event | changes))


def answered(minutes=0, **changes):
    return call(minutes, answered=True, answered_at=THEN + timedelta(seconds=5), **changes)


def voicemail(minutes=0, **changes):
    return VoicemailEvent(**(occurrence(minutes) | {"url": VOICE, "transcript": "Call me.", "duration_s": 9} | changes))


def address(*phones, **changes):
    event = {"first_name": "Ann", "last_name": "Lee", "email": "ann@example.com", "deleted": False}
    return ContactEvent(**({"phones": phones} | event | changes))


# --- Texts ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", list(itertools.permutations(["sent", "failed", "undelivered", "delivered"])), ids=str)
def test_every_order_of_receipts_ends_the_same(in_acme, order):
    codes = {"undelivered": "30006"}
    record(*(text(direction="outgoing", status=status, error_code=codes.get(status, "")) for status in order))
    assert list(Message.objects.values_list("status", "error_code")) == [("delivered", "30006")]


@pytest.mark.parametrize("order", list(itertools.permutations(["sent", "failed", "undelivered"])), ids=str)
def test_of_two_bad_ends_the_carriers_counts(in_acme, order):
    record(*(text(direction="outgoing", status=status) for status in order))
    assert Message.objects.get().status == "undelivered"


@pytest.mark.parametrize("status", ["queued", "sending", "unknown"])
def test_a_text_that_only_the_provider_queues_is_sent_as_far_as_we_go(in_acme, status):
    record(text(direction="outgoing", status=status))
    assert Message.objects.get().status == "sent"


@pytest.mark.parametrize("order", [1, -1])
def test_a_receipt_before_its_message_takes_its_words_and_its_time(in_acme, order):
    receipt = text(5, direction="outgoing", body="", our_numbers=(), outside_numbers=(), to_numbers=())
    record(*[receipt, text(direction="outgoing", status="sent")][::order])
    message = Message.objects.select_related("activity").get()
    assert (message.status, message.body, message.to_numbers) == ("delivered", "Hello", [CALLER])
    assert message.created_at == message.activity.created_at == THEN


# --- Calls ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("events", "status"),
    [
        ([call(over=False), call(), call()], "missed"),
        ([call(over=False), answered(over=False), answered(completed_at=THEN, duration_s=60)], "unbooked"),
        ([call(over=False), answered(over=False), call(completed_at=THEN)], "unbooked"),
        ([call(over=False), answered(over=False)], "in_progress"),
        ([call(over=False, direction="outgoing"), call(direction="outgoing")], "unbooked"),
    ],
)
def test_every_order_of_a_calls_events_ends_the_same(in_acme, events, status):
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


def test_what_is_told_of_a_call_is_there_in_any_order_once(in_acme):
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


def test_a_summary_of_a_call_that_nobody_tells_of_waits_alone(in_acme):
    record(SummaryEvent(openphone_id="AC1", summary="A drip.", next_steps=()), call(openphone_id="AC2"))
    assert CallDetail.objects.get().call is None


@pytest.mark.parametrize(
    "order", list(itertools.permutations([call(), voicemail(1), call(voicemail_url=VOICE)])), ids=str
)
def test_a_voicemail_is_one_entry_however_often_it_is_told(in_acme, order):
    record(*order, *order)
    assert list(Call.objects.values_list("status", "voicemail_url", "created_at")) == [("missed", VOICE, THEN)]
    entry = Activity.objects.get(activity_type="voicemail")
    assert (entry.openphone_id, entry.body, entry.created_at) == ("AC1:voicemail", "Call me.", THEN)
    assert (entry.contact.phone, entry.conversation) == (CALLER, Conversation.objects.get())
    assert CallDetail.objects.get().voicemail_transcript == "Call me."


def test_call_tracking_names_a_caller_who_has_no_name(in_acme, acme):
    ContactFactory(company=acme, phone=SECOND, first_name="Bo", last_name="")
    record(call(outside_name="ANN  LEE JONES"), call(openphone_id="AC2", outside_numbers=(SECOND,), outside_name="X"))
    names = Contact.objects.order_by("phone").values_list("phone", "first_name", "last_name")
    assert set(names) == {(CALLER, "ANN", "LEE JONES"), (SECOND, "Bo", "")}


# --- Whose turn it is -------------------------------------------------------------------------------------------------

OUT, TALKED = text(2, openphone_id="AC2", direction="outgoing"), answered(3, openphone_id="AC3")


@pytest.mark.parametrize(
    ("events", "status"),
    [
        ([text(), OUT], "open"),
        ([OUT, text(4)], "waiting"),
        ([text(), TALKED], "open"),
        ([TALKED, call(4)], "waiting"),
        ([OUT, call(over=False), call()], "open"),
        ([OUT, voicemail(4), call()], "waiting"),
    ],
)
def test_the_newest_says_whose_turn_it_is_in_any_order(in_acme, events, status):
    for order in itertools.permutations(events):
        Call.objects.all().delete()
        Message.objects.all().delete()
        Activity.objects.all().delete()
        Conversation.objects.all().delete()
        record(*order)
        assert Conversation.objects.get().status == status, order


def test_a_closed_conversation_is_opened_by_what_comes_in_and_by_nothing_else(in_acme):
    record(text())
    Conversation.objects.update(status="closed")
    record(text(), OUT)
    assert Conversation.objects.get().status == "closed"
    record(text(4, openphone_id="AC4"))
    assert Conversation.objects.get().status == "waiting"


# --- The address book -------------------------------------------------------------------------------------------------


def test_an_address_makes_a_contact_with_all_its_numbers(in_acme):
    record(address("911", CALLER, SECOND), address(CALLER, SECOND))
    contact = Contact.objects.get()
    assert (contact.phone, contact.name, contact.email) == (CALLER, "Ann Lee", "ann@example.com")
    assert set(ContactPhone.objects.values_list("phone", flat=True)) == {CALLER, SECOND}


def test_an_address_fills_gaps_and_overwrites_nothing(in_acme, acme):
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
def test_an_address_without_use_changes_nothing(in_acme, event):
    record(event)
    assert not Contact.objects.exists()


def test_another_companys_contact_is_not_named(in_acme, globex):
    foreign = ContactFactory(company=globex, phone=CALLER, first_name="", last_name="")
    record(address(CALLER))
    with tenant(globex.pk):
        foreign.refresh_from_db()
    assert foreign.name == ""
    assert Contact.objects.count() == 1


# --- At once ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("order", [1, -1])
def test_a_call_and_its_summary_told_at_once_find_each_other(acme, order):
    first, second = [call(), SummaryEvent(openphone_id="AC1", summary="A drip.", next_steps=())][::order]
    is_told, is_over = threading.Event(), threading.Event()

    def tell_second():
        try:
            is_told.wait()
            with tenant(acme.pk):
                record(second)
        finally:
            is_over.set()
            connection.close()

    with ThreadPoolExecutor(1) as other:
        telling = other.submit(tell_second)
        with tenant(acme.pk), transaction.atomic():
            record(first)
            is_told.set()
            is_over.wait(0.5)  # time enough for the other to end, if it does not wait for us
        telling.result()
    with tenant(acme.pk):
        assert CallDetail.objects.get().call == Call.objects.get()
