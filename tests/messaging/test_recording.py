"""Rows recorded from webhook events: contact, conversation, activity, message and call."""

from datetime import UTC, datetime, timedelta

import pytest

from calls.models import Call, MissedCaller
from crm.db.tenancy import tenant
from crm.models import Activity, Contact, ContactPhone, Conversation, Lead, PhoneLine
from messaging.models import Message, WebhookEvent
from tests.count_queries import CountQueries
from tests.factories import (
    ContactFactory,
    ContactPhoneFactory,
    PhoneLineFactory,
    WebhookSecretFactory,
    fictional_number,
)
from tests.messaging.payloads import (
    AT,
    CALLER,
    EVERY_CALL,
    EVERY_MESSAGE,
    OUR_NUMBER,
    call_2026,
    call_v2,
    call_v4,
    callrail_call,
    message_2026,
    message_v3,
    message_v4,
    post_event,
)
from tests.messaging.worker_rounds import process_next_event

THEN = datetime.fromisoformat(AT)
MISSED = {"answeredAt": None, "status": "completed"}


@pytest.fixture
def arrive(client, secret, in_acme):
    """Post and process payloads in order."""

    def arrive(*payloads):
        for payload in payloads:
            assert post_event(client, payload).json()["status"] == "accepted"
            assert process_next_event()
        done = set(WebhookEvent.objects.values_list("status", "error"))
        assert done == {("processed", "")}

    return arrive


@pytest.mark.parametrize("build", EVERY_MESSAGE)
def test_message_from_a_stranger_creates_contact_conversation_and_activity(arrive, desk, build):
    arrive(build(id="ACtext"))
    message = Message.objects.get()
    assert (message.direction, message.status, message.body) == ("incoming", "received", "Can you come on Tuesday?")
    assert (message.from_number, message.to_numbers) == (CALLER, [OUR_NUMBER])
    assert (message.phone_line, message.created_at) == (desk, THEN)
    contact = Contact.objects.get()
    assert (contact.phone, contact.first_name, contact.name) == (CALLER, "", "")
    assert ContactPhone.objects.get().phone == CALLER
    conversation = Conversation.objects.get()
    assert (conversation.contact, conversation.phone_line, conversation.last_activity_at) == (contact, desk, THEN)
    activity = Activity.objects.get()
    assert (activity.openphone_id, activity.activity_type, activity.direction) == ("ACtext", "message", "incoming")
    assert (activity.contact, activity.conversation, activity.created_at) == (contact, conversation, THEN)
    assert activity.body == message.body
    assert message.activity == activity
    assert not Lead.objects.exists()


@pytest.mark.parametrize("build", EVERY_CALL)
def test_call_from_a_stranger_creates_no_lead(arrive, desk, build):
    arrive(build(id="ACcall"))
    call = Call.objects.get()
    assert (call.direction, call.status, call.booked) == ("incoming", "unbooked", False)
    assert (call.from_number, call.to_number, call.duration_s) == (CALLER, OUR_NUMBER, 60)
    assert (call.phone_line, call.contact.phone, call.created_at) == (desk, CALLER, THEN)
    assert (call.answered_at, call.completed_at) == (THEN + timedelta(seconds=5), THEN + timedelta(seconds=65))
    assert (call.activity.openphone_id, call.activity.activity_type) == ("ACcall", "call")
    assert call.activity.conversation == Conversation.objects.get()
    assert not Lead.objects.exists()


@pytest.mark.parametrize("build", EVERY_CALL)
def test_unanswered_incoming_call_is_missed(arrive, desk, build):
    arrive(build(**MISSED))
    call = Call.objects.get()
    assert (call.status, call.duration_s, call.answered_at) == ("missed", None, None)


@pytest.mark.parametrize("build", EVERY_CALL)
def test_outgoing_call_is_never_missed(arrive, desk, build, acme):
    ContactFactory(company=acme, phone=CALLER)
    swapped = {"from": OUR_NUMBER, "to": CALLER} if build is call_v2 else {}
    arrive(build(direction="outgoing", **MISSED, **swapped))
    call = Call.objects.get()
    assert (call.status, call.from_number, call.to_number) == ("unbooked", OUR_NUMBER, CALLER)
    assert call.contact.phone == CALLER


def test_voicemail_url_is_stored(arrive, desk):
    arrive(call_v2(**MISSED, voicemail={"url": "https://files.example.com/v.mp3", "type": "audio/mpeg"}))
    assert Call.objects.get().voicemail_url == "https://files.example.com/v.mp3"


def test_repeat_caller_is_one_contact_with_a_new_call(arrive, desk):
    arrive(call_v2(), call_v2(**MISSED), message_v3())
    assert list(Call.objects.order_by("id").values_list("status", flat=True)) == ["unbooked", "missed"]
    assert Contact.objects.count() == Conversation.objects.count() == 1
    assert Activity.objects.count() == 3


def test_contact_is_found_by_any_of_its_numbers(arrive, desk, acme):
    contact = ContactFactory(company=acme)
    ContactPhoneFactory(contact=contact, phone=CALLER)
    arrive(message_v4())
    assert Message.objects.get().contact == contact
    assert Contact.objects.count() == 1


def test_contact_of_another_company_is_not_used(arrive, desk, globex):
    foreign = ContactFactory(company=globex, phone=CALLER)
    arrive(message_v4())
    assert Message.objects.get().contact != foreign
    with tenant(globex.pk):
        assert not Message.objects.exists()
        assert list(Contact.objects.all()) == [foreign]


def test_same_message_in_another_event_changes_nothing(arrive, desk):
    arrive(message_v4(id="ACtext"))
    before = (list(Message.objects.values()), list(Activity.objects.values()), list(Conversation.objects.values()))
    arrive(message_v3(id="ACtext", body="Another", media=["https://files.example.com/a.jpg"]) | {"id": "EVagain"})
    message = Message.objects.get()
    assert message.body == "Can you come on Tuesday?"
    assert message.media == [{"url": "https://files.example.com/a.jpg", "type": ""}]
    assert before[1:] == (list(Activity.objects.values()), list(Conversation.objects.values()))


def test_values_are_never_replaced_by_empty_ones(arrive, desk):
    arrive(call_v2(id="ACcall", voicemail={"url": "https://files.example.com/v.mp3"}))
    before = Call.objects.values().get()
    arrive(call_2026(id="ACcall", context={}, answeredAt=None, completedAt=None, duration=None, status="unknown"))
    assert Call.objects.values().get() == before


def test_second_event_fills_blank_fields(arrive, desk):
    arrive(message_2026(id="ACtext", text="", context={}), call_2026(id="ACcall", context={}, duration=None, **MISSED))
    assert Message.objects.get().contact is None
    arrive(message_2026(id="ACtext"), call_2026(id="ACcall"))
    message, call = Message.objects.get(), Call.objects.get()
    assert (message.contact.phone, message.phone_line, message.from_number) == (CALLER, desk, CALLER)
    assert message.activity.body == message.body == "Can you come on Tuesday?"
    assert (call.status, call.duration_s, call.contact.phone) == ("unbooked", 60, CALLER)
    assert message.activity.conversation == call.activity.conversation == Conversation.objects.get()


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("queued", "delivered"),
        ("sending", "delivered"),
        ("sent", "delivered"),
        ("unknown", "delivered"),
        ("delivered", "delivered"),
        ("failed", "delivered"),
        ("undelivered", "delivered"),
    ],
)
def test_message_status_only_advances(arrive, desk, status, expected):
    arrive(message_2026("message.delivered", id="ACtext"))
    Message.objects.update(status=status, run_at=THEN)
    arrive(message_2026("message.delivered", id="ACtext"))
    assert Message.objects.get().status == expected


def test_missed_call_may_become_answered_but_not_the_reverse(arrive, desk):
    arrive(call_2026(id="ACcall", **MISSED), call_2026(id="ACcall"), call_2026(id="ACcall", **MISSED))
    assert Call.objects.get().status == "unbooked"


@pytest.mark.parametrize("status", ["awaiting_quote", "still_deciding", "purchased", "lost", "cancelled"])
def test_booked_call_keeps_its_status(arrive, desk, status):
    arrive(call_2026(id="ACcall"))
    Call.objects.update(status=status, booked=True)
    arrive(call_2026(id="ACcall"), call_2026(id="ACcall", **MISSED))
    call = Call.objects.get()
    assert (call.status, call.booked) == (status, True)


def test_last_activity_time_only_advances(arrive, desk):
    later, earlier = "2026-03-05T09:00:00Z", "2026-03-01T09:00:00Z"
    arrive(message_v4(), message_v4(createdAt=later), message_v4(createdAt=earlier))
    assert Conversation.objects.get().last_activity_at == datetime(2026, 3, 5, 9, tzinfo=UTC)


@pytest.mark.parametrize("sender", ["22395", "Anonymous", "+266696687", "+7378742833", "+86282452253", "+10000000000"])
def test_sender_without_a_number_is_not_a_contact(arrive, desk, sender):
    arrive(message_v3(sender=sender), call_v2(**{"from": sender}))
    assert not Contact.objects.exists()
    assert not Conversation.objects.exists()
    assert Message.objects.get().from_number == Call.objects.get().from_number == sender
    assert Message.objects.get().phone_line == desk


@pytest.mark.parametrize("number", ["+86282452253", "+266696687", "0000000000"])
def test_call_from_a_withheld_number_is_kept_with_its_line_and_recording(client, acme, desk, number):
    WebhookSecretFactory(company=acme, provider="callrail")
    call = callrail_call(
        answered=False, voicemail=True, recording="https://files.example.com/v.mp3", customer_phone_number=number
    )
    with tenant(acme.pk):
        assert post_event(client, call, provider="callrail").json()["status"] == "accepted"
        assert process_next_event()
        kept = Call.objects.get()
        assert not Contact.objects.exists()
        assert not MissedCaller.objects.exists()
    assert (kept.from_number, kept.status, kept.phone_line, kept.contact) == (number, "missed", desk, None)
    assert kept.voicemail_url == "https://files.example.com/v.mp3"


def test_group_message_belongs_to_the_senders_conversation(arrive, desk):
    others = [fictional_number(n) for n in (40_011, 40_012, 40_013)]
    arrive(message_v3(to=",".join([others[0], OUR_NUMBER, *others[1:]])))
    message = Message.objects.get()
    assert message.to_numbers == [others[0], OUR_NUMBER, *others[1:]]
    assert Contact.objects.get() == message.contact
    assert (message.contact.phone, message.phone_line) == (CALLER, desk)


def test_outgoing_group_message_belongs_to_the_first_recipient(arrive, desk, acme):
    ContactFactory(company=acme, phone=CALLER)
    arrive(message_v4("message.delivered", sender=OUR_NUMBER, to=[CALLER, fictional_number(40_011)]))
    assert Message.objects.get().contact.phone == CALLER
    assert Contact.objects.count() == 1


def test_unknown_line_is_created_without_a_name(arrive):
    arrive(message_v4(), call_2026())
    line = PhoneLine.objects.get()
    assert (line.name, line.number, line.provider_id) == ("", OUR_NUMBER, "PNdesk")
    assert list(PhoneLine.objects.unnamed()) == [line]


def test_unknown_line_of_a_group_message_gets_its_number_later(arrive):
    arrive(message_v3(to=f"{OUR_NUMBER},{fictional_number(40_011)}"))
    assert (PhoneLine.objects.get().number, PhoneLine.objects.get().provider_id) == ("", "PNdesk")
    arrive(message_v3())
    assert PhoneLine.objects.get().number == OUR_NUMBER


def test_line_found_by_its_number_gets_its_id(arrive, acme):
    line = PhoneLineFactory(company=acme, number=OUR_NUMBER, provider_id="")
    arrive(message_v4())
    line.refresh_from_db()
    assert (line.provider_id, line.name) == ("PNdesk", "Front desk")


def test_line_keeps_its_number_and_id(arrive, acme):
    line = PhoneLineFactory(company=acme, number=OUR_NUMBER, provider_id="PNold")
    arrive(message_v4())
    assert PhoneLine.objects.get() == line
    assert PhoneLine.objects.get().provider_id == "PNold"


def test_ambiguous_lines_are_not_merged(arrive, acme):
    by_id = PhoneLineFactory(company=acme, number="", provider_id="PNdesk")
    by_number = PhoneLineFactory(company=acme, number=OUR_NUMBER, provider_id="")
    arrive(message_v4())
    assert Message.objects.get().phone_line == by_id
    assert set(PhoneLine.objects.values_list("pk", "number", "provider_id")) == {
        (by_id.pk, "", "PNdesk"),
        (by_number.pk, OUR_NUMBER, ""),
    }


@pytest.mark.parametrize("order", [1, -1])
def test_line_number_identifies_our_side_among_participants(arrive, desk, order):
    arrive(call_v4(participants=[OUR_NUMBER, CALLER][::order]))
    call = Call.objects.get()
    assert (call.contact.phone, call.phone_line) == (CALLER, desk)
    assert (call.from_number, call.to_number) == (CALLER, OUR_NUMBER)


def test_participants_without_a_known_line_create_no_contact(arrive):
    arrive(call_v4(participants=[OUR_NUMBER, CALLER]))
    assert Call.objects.get().contact is None
    assert not Contact.objects.exists()


def test_message_without_a_line_has_a_contact_but_no_conversation(arrive):
    arrive(message_2026(context={"senderIdentifier": CALLER}))
    assert Message.objects.get().contact.phone == CALLER
    assert not Conversation.objects.exists()
    assert not PhoneLine.objects.exists()


def test_replaced_characters_are_noted_on_the_event(client, secret, desk, in_acme):
    post_event(client, message_v4(text="Hi\x00there"))
    process_next_event()
    assert Message.objects.get().body == "Hi\ufffdthere"
    event = WebhookEvent.objects.get()
    assert (event.status, "U+FFFD" in event.error) == ("processed", True)


def test_query_count_is_independent_of_the_number_of_messages(client, secret, desk, in_acme):
    def cost():
        post_event(client, message_v4())
        with CountQueries() as queries:
            assert process_next_event()
        return len(queries)

    cost()  # the first one also creates the contact
    at_one = cost()
    for _ in range(3):
        post_event(client, message_v4())
    assert cost() == at_one
