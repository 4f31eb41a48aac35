"""Opt-out keywords, from the webhook event to the opt-out."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from crm.db.tenancy import tenant
from crm.models import Contact, ContactFlag, Conversation, OptOut, OptOutEntry, PhoneLine
from messaging.models import Message
from messaging.services.inbound.messages import record_message
from messaging.services.outbound.outbox import SendBlocked, queue_message
from tests.conftest import postgres_only
from tests.factories import CompanyFactory, ContactFactory, ContactPhoneFactory, MessageFactory, WebhookSecretFactory
from tests.messaging.payloads import CALLER, OUR_NUMBER, message_2026, message_v4, post_event
from tests.messaging.worker_rounds import process_next_event

SENT = {"direction": "outgoing", "status": "sent"}


@pytest.fixture
def arrive(client, secret, in_acme, desk):
    """Post and process payloads in order."""

    def arrive(*payloads):
        for payload in payloads:
            assert post_event(client, payload).json()["status"] == "accepted"
            assert process_next_event()

    return arrive


def at(minutes):
    """Return the time some minutes ago in the providers' format."""
    return (timezone.now() - timedelta(minutes=minutes)).isoformat()


def incoming(text, *, minutes=0, **resource):
    return message_v4(text=text, createdAt=at(minutes), **resource)


def state():
    return OptOut.objects.get().state


def confirmations():
    return list(Message.objects.filter(kind="confirmation").order_by("id"))


def test_stop_is_recorded_with_its_message(arrive):
    arrive(incoming("Stop!!", id="ACstop", minutes=3))
    entry = OptOutEntry.objects.get()
    assert (entry.action, entry.words, entry.source) == ("opted_out", "Stop!!", "sms")
    assert entry.activity.openphone_id == "ACstop"
    assert entry.occurred_at == Message.objects.get().created_at
    assert (state(), ContactFlag.objects.get().review_state) == ("opted_out", "confirmed")


def test_suspected_opt_out_is_reviewed_without_a_confirmation(arrive):
    arrive(incoming("please take me off your list"))
    assert (state(), ContactFlag.objects.get().review_state) == ("under_review", "pending")
    assert not confirmations()


@pytest.mark.parametrize("text", ["can you stop by at 3?", "nonstop leaks", "HELP", "yes", ""])
def test_ordinary_message_leaves_no_opt_out_row(arrive, text):
    arrive(incoming(text))
    assert not OptOut.objects.exists()


def test_body_reported_later_is_classified_then(arrive):
    arrive(message_2026(id="ACtext", text=""))
    assert not OptOut.objects.exists()
    arrive(message_2026(id="ACtext", text="STOP"))
    assert state() == "opted_out"


def test_repeated_stop_is_one_entry(arrive):
    arrive(incoming("REVOKE", id="ACstop"), message_2026(id="ACstop", text="REVOKE"))
    assert OptOutEntry.objects.count() == len(confirmations()) == 1


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_stop_and_later_start_end_the_same_in_any_order(arrive, order):
    messages = [incoming("STOP", minutes=60), incoming("START", minutes=30)]
    arrive(*(messages[position] for position in order))
    assert state() == "clear"
    assert not ContactFlag.objects.opted_out().exists()
    assert OptOutEntry.objects.count() == 2


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_start_and_later_stop_end_the_same_in_any_order(arrive, order):
    messages = [incoming("START", minutes=60), incoming("STOP", minutes=30)]
    arrive(*(messages[position] for position in order))
    assert (state(), ContactFlag.objects.opted_out().count()) == ("opted_out", 1)


def test_second_number_of_a_contact_opts_out_without_a_confirmation(arrive, acme):
    contact = ContactFactory(company=acme)
    ContactPhoneFactory(contact=contact, phone=CALLER)
    arrive(incoming("REVOKE"))
    assert OptOut.objects.get().phone == CALLER
    assert contact.flags.opted_out().exists()
    assert not confirmations()  # it would be sent to the main number


@pytest.mark.parametrize("sender", ["22395", "+22507123456", "+52155123456", "Anonymous", "+266696687"])
def test_stop_from_a_sender_without_a_valid_number_is_kept_as_sent(arrive, sender):
    arrive(incoming("STOP", sender=sender))
    entry = OptOutEntry.objects.get()
    assert (entry.action, entry.words, entry.opt_out.phone, state()) == ("opted_out", "STOP", sender, "opted_out")
    assert not Contact.objects.exists()
    assert not confirmations()


def test_sentence_from_a_long_number_is_reviewed_and_the_advertisement_of_a_short_code_is_not(arrive):
    arrive(incoming("20 % off! Reply STOP to end", sender="22395"), incoming("stop texting me", sender="+22507123456"))
    assert (OptOut.objects.get().phone, state()) == ("+22507123456", "under_review")


@pytest.mark.parametrize(
    ("number", "spellings"),
    [
        ("+525512345678", ["+5215512345678", "5215512345678", "005215512345678"]),
        ("+5491112345678", ["+541112345678", "5491112345678", "00541112345678"]),
        ("+5511987654321", ["+551187654321", "5511987654321"]),
    ],
)
def test_stop_in_any_spelling_of_a_foreign_number_opts_out_its_one_contact(arrive, number, spellings):
    for spelling in spellings:
        arrive(incoming("Hello", sender=spelling))
    arrive(incoming("STOP", sender=spellings[0]))
    contact = Contact.objects.get()
    assert (contact.phone, OptOut.objects.get().phone, state()) == (number, number, "opted_out")
    assert contact.flags.opted_out().exists()
    assert Conversation.objects.get().contact == contact


def test_confirmation_is_queued_although_the_number_is_opted_out(arrive, desk):
    arrive(incoming("Revoke"), incoming("REVOKE"), incoming("opt out"))
    [message] = confirmations()
    assert (message.to_numbers, message.phone_line, message.status) == ([CALLER], desk, "queued")
    assert "Acme Roofing" in message.body
    with pytest.raises(SendBlocked):
        queue_message(contact=message.contact, line=desk, body="Ten percent off!", kind="campaign")


def test_confirmation_has_the_words_of_the_company(arrive, acme):
    acme.opt_out_text = "{company_name}: no more texts. Reply START to get them again."
    acme.save()
    arrive(incoming("REVOKE", minutes=2))
    assert [each.body for each in confirmations()] == ["Acme Roofing: no more texts. Reply START to get them again."]
    Message.objects.filter(kind="confirmation").update(created_at=timezone.now() - timedelta(minutes=1), **SENT)
    arrive(incoming("Yes"))
    assert state() == "opted_out"  # the text doesn't ask for a YES
    arrive(incoming("START"))
    assert state() == "clear"


@pytest.mark.parametrize("text", ["STOP", "stop.", "StopAll", "UNSUBSCRIBE", "cancel", "End", "QUIT"])
def test_quo_sends_its_own_confirmation(arrive, text):
    arrive(incoming(text))
    assert state() == "opted_out"
    assert not confirmations()


def test_late_opt_out_has_no_confirmation(arrive):
    arrive(incoming("REVOKE", minutes=6))
    assert state() == "opted_out"
    assert not confirmations()


def test_start_without_an_opt_out_has_no_confirmation(arrive):
    arrive(incoming("opt in"))
    assert not confirmations()


def test_opt_in_is_confirmed(arrive):
    arrive(incoming("STOP", minutes=20), incoming("opt in"))
    [message] = confirmations()
    assert "again" in message.body
    assert not ContactFlag.objects.opted_out().exists()


def test_confirmations_are_limited_to_one_in_five_minutes(arrive):
    arrive(*(incoming(text) for text in ["revoke", "opt in", "opt out", "subscribe"]))
    assert len(confirmations()) == 1


def test_do_not_contact_flag_blocks_the_confirmation_but_not_the_opt_out(arrive, acme):
    contact = ContactFactory(company=acme, phone=CALLER)
    contact.flags.create(company=acme, flag_type="do_not_contact")
    arrive(incoming("REVOKE"))
    assert (state(), confirmations()) == ("opted_out", [])


def test_yes_to_the_confirmation_is_an_opt_in(arrive):
    arrive(incoming("REVOKE", minutes=2))
    Message.objects.filter(kind="confirmation").update(created_at=timezone.now() - timedelta(minutes=1), **SENT)
    arrive(incoming("Yes!"))
    assert state() == "clear"
    assert OptOutEntry.objects.get(action="opted_in").words == "Yes!"


@pytest.mark.parametrize("between", ["another message", "a day", "no question"])
def test_yes_to_anything_else_changes_nothing(arrive, acme, desk, between):
    arrive(incoming("STOP" if between == "no question" else "REVOKE", minutes=2))
    contact = Message.objects.filter(direction="incoming").get().contact
    Message.objects.filter(kind="confirmation").update(created_at=timezone.now() - timedelta(minutes=1), **SENT)
    if between == "another message":
        MessageFactory(contact=contact, direction="outgoing", created_at=timezone.now() - timedelta(seconds=30))
    if between == "a day":
        OptOut.objects.update(asked_at=timezone.now() - timedelta(hours=25))
    arrive(incoming("Yes"))
    assert state() == "opted_out"


@pytest.fixture
def receive_twilio(in_acme):
    """Record an incoming message over a Twilio line."""
    PhoneLine.objects.create(company=in_acme, number=OUR_NUMBER, provider="twilio")

    def receive(body, opt_out_type=""):
        return record_message(
            provider="twilio", openphone_id=f"SM{Message.objects.count()}", line_id="", company_numbers=[OUR_NUMBER],
            outside_numbers=[CALLER], direction="incoming", from_number=CALLER, to_numbers=[OUR_NUMBER], body=body,
            media=[], status="received", created_at=timezone.now(), opt_out_type=opt_out_type,
        )  # fmt: skip

    return receive


@pytest.mark.parametrize(
    ("body", "opt_out_type", "expected", "confirmed"),
    [
        ("REVOKE", "", "opted_out", 0),
        ("opt out", "", "opted_out", 1),
        ("Bugger off", "STOP", "opted_out", 0),
        ("stop it, please", "STOP", "opted_out", 0),
    ],
)
def test_twilios_stop_verdict_counts_and_needs_no_confirmation(receive_twilio, body, opt_out_type, expected, confirmed):
    receive_twilio(body, opt_out_type)
    assert (state(), len(confirmations())) == (expected, confirmed)


def test_twilios_start_and_help_verdicts_count(receive_twilio):
    receive_twilio("STOP", "STOP")
    receive_twilio("STOP", "HELP")
    receive_twilio("Vamos", "START")
    assert (state(), confirmations()) == ("clear", [])


@postgres_only
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", range(5))
def test_concurrent_stops_and_starts_end_as_if_sequential(turn):
    acme = CompanyFactory(slug="acme")
    WebhookSecretFactory(company=acme)
    for minutes, text in enumerate(["REVOKE", "opt in", "opt out", "START", "please stop", "STOP"]):
        assert post_event(Client(), incoming(text, minutes=60 - minutes)).status_code == 200
    start = threading.Barrier(6)

    def work():
        start.wait()
        process_next_event()
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    while process_next_event():
        pass
    with tenant(acme.pk):
        assert (state(), OptOutEntry.objects.count()) == ("opted_out", 6)
        assert ContactFlag.objects.opted_out().get().review_state == "confirmed"
