"""What texts do to the ledger of opt-outs, from the delivery on."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from crm.db.tenancy import tenant
from crm.models import ContactFlag, OptOut, OptOutEntry, PhoneLine
from messaging.models import Message
from messaging.services.inbound.messages import record_message
from messaging.services.inbound.webhook_processing import process_next_event
from messaging.services.outbound.outbox import SendBlocked, queue_message
from tests.conftest import postgres_only
from tests.factories import CompanyFactory, ContactFactory, ContactPhoneFactory, MessageFactory, WebhookSecretFactory
from tests.messaging.payloads import CALLER, OUR_NUMBER, deliver, text_2026, text_v4

SENT = {"direction": "outgoing", "status": "sent"}


@pytest.fixture
def arrive(client, secret, in_acme, desk):
    """Deliver these and let the worker deal with them, in this order."""

    def arrive(*payloads):
        for payload in payloads:
            assert deliver(client, payload).json()["status"] == "accepted"
            assert process_next_event()

    return arrive


def at(minutes):
    """So many minutes ago, as providers write it."""
    return (timezone.now() - timedelta(minutes=minutes)).isoformat()


def said(text, *, minutes=0, **resource):
    return text_v4(text=text, createdAt=at(minutes), **resource)


def state():
    return OptOut.objects.get().state


def confirmations():
    return list(Message.objects.filter(kind="confirmation").order_by("id"))


def test_a_stop_is_kept_with_the_message_that_said_it(arrive):
    arrive(said("Stop!!", id="ACstop", minutes=3))
    entry = OptOutEntry.objects.get()
    assert (entry.action, entry.words, entry.source) == ("opted_out", "Stop!!", "sms")
    assert entry.activity.openphone_id == "ACstop"
    assert entry.occurred_at == Message.objects.get().created_at
    assert (state(), ContactFlag.objects.get().review_state) == ("opted_out", "confirmed")


def test_what_sounds_like_a_stop_waits_for_a_person_and_is_not_confirmed(arrive):
    arrive(said("please take me off your list"))
    assert (state(), ContactFlag.objects.get().review_state) == ("under_review", "pending")
    assert not confirmations()


@pytest.mark.parametrize("text", ["can you stop by at 3?", "nonstop leaks", "HELP", "yes", ""])
def test_an_ordinary_text_leaves_no_trace_in_the_ledger(arrive, text):
    arrive(said(text))
    assert not OptOut.objects.exists()


def test_a_text_whose_words_are_told_later_is_heard_then(arrive):
    arrive(text_2026(id="ACtext", text=""))
    assert not OptOut.objects.exists()
    arrive(text_2026(id="ACtext", text="STOP"))
    assert state() == "opted_out"


def test_a_stop_told_of_twice_is_one_entry(arrive):
    arrive(said("REVOKE", id="ACstop"), text_2026(id="ACstop", text="REVOKE"))
    assert OptOutEntry.objects.count() == len(confirmations()) == 1


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_stop_and_a_later_start_end_the_same_in_each_order(arrive, order):
    texts = [said("STOP", minutes=60), said("START", minutes=30)]
    arrive(*(texts[position] for position in order))
    assert state() == "clear"
    assert not ContactFlag.objects.opted_out().exists()
    assert OptOutEntry.objects.count() == 2


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_start_and_a_later_stop_end_the_same_in_each_order(arrive, order):
    texts = [said("START", minutes=60), said("STOP", minutes=30)]
    arrive(*(texts[position] for position in order))
    assert (state(), ContactFlag.objects.opted_out().count()) == ("opted_out", 1)


def test_a_second_number_of_a_contact_is_the_one_that_is_out(arrive, acme):
    contact = ContactFactory(company=acme)
    ContactPhoneFactory(contact=contact, phone=CALLER)
    arrive(said("REVOKE"))
    assert OptOut.objects.get().phone == CALLER
    assert contact.flags.opted_out().exists()
    assert not confirmations()  # it would go to the other number


def test_who_writes_from_a_short_code_is_nobody(arrive):
    arrive(said("STOP", sender="22395"))
    assert not OptOut.objects.exists()


def test_one_confirmation_goes_out_although_the_number_is_out(arrive, desk):
    arrive(said("Revoke"), said("REVOKE"), said("opt out"))
    [text] = confirmations()
    assert (text.to_numbers, text.phone_line, text.status) == ([CALLER], desk, "queued")
    assert "Acme Roofing" in text.body
    with pytest.raises(SendBlocked):
        queue_message(contact=text.contact, line=desk, body="Ten percent off!", kind="campaign")


@pytest.mark.parametrize("text", ["STOP", "stop.", "StopAll", "UNSUBSCRIBE", "cancel", "End", "QUIT"])
def test_quo_sends_its_own_confirmation(arrive, text):
    arrive(said(text))
    assert state() == "opted_out"
    assert not confirmations()


def test_what_comes_later_than_five_minutes_is_not_confirmed(arrive):
    arrive(said("REVOKE", minutes=6))
    assert state() == "opted_out"
    assert not confirmations()


def test_a_start_from_somebody_who_was_never_out_is_not_answered(arrive):
    arrive(said("opt in"))
    assert not confirmations()


def test_who_is_in_again_is_told_so(arrive):
    arrive(said("STOP", minutes=20), said("opt in"))
    [text] = confirmations()
    assert "again" in text.body
    assert not ContactFlag.objects.opted_out().exists()


def test_two_machines_that_answer_each_other_get_one_confirmation(arrive):
    arrive(*(said(text) for text in ["revoke", "opt in", "opt out", "subscribe"]))
    assert len(confirmations()) == 1


def test_whom_nobody_may_contact_gets_no_confirmation_and_is_out_all_the_same(arrive, acme):
    contact = ContactFactory(company=acme, phone=CALLER)
    contact.flags.create(company=acme, flag_type="do_not_contact")
    arrive(said("REVOKE"))
    assert (state(), confirmations()) == ("opted_out", [])


def test_a_yes_to_our_confirmation_is_a_start(arrive):
    arrive(said("REVOKE", minutes=2))
    Message.objects.filter(kind="confirmation").update(created_at=timezone.now() - timedelta(minutes=1), **SENT)
    arrive(said("Yes!"))
    assert state() == "clear"
    assert OptOutEntry.objects.get(action="opted_in").words == "Yes!"


@pytest.mark.parametrize("between", ["another text", "a day", "no question"])
def test_a_yes_to_anything_else_is_none(arrive, acme, desk, between):
    arrive(said("STOP" if between == "no question" else "REVOKE", minutes=2))
    contact = Message.objects.filter(direction="incoming").get().contact
    Message.objects.filter(kind="confirmation").update(created_at=timezone.now() - timedelta(minutes=1), **SENT)
    if between == "another text":
        MessageFactory(contact=contact, direction="outgoing", created_at=timezone.now() - timedelta(seconds=30))
    if between == "a day":
        OptOut.objects.update(asked_at=timezone.now() - timedelta(hours=25))
    arrive(said("Yes"))
    assert state() == "opted_out"


@pytest.fixture
def hear_twilio(in_acme):
    """A text over a line of Twilio, as its adapter puts it."""
    PhoneLine.objects.create(company=in_acme, number=OUR_NUMBER, provider="twilio")

    def hear(body, opt_out_type=""):
        return record_message(
            provider="twilio", openphone_id=f"SM{Message.objects.count()}", line_id="", our_numbers=[OUR_NUMBER],
            outside_numbers=[CALLER], direction="incoming", from_number=CALLER, to_numbers=[OUR_NUMBER], body=body,
            media=[], status="received", created_at=timezone.now(), opt_out_type=opt_out_type,
        )  # fmt: skip

    return hear


@pytest.mark.parametrize(
    ("body", "opt_out_type", "expected", "confirmed"),
    [
        ("REVOKE", "", "opted_out", 0),
        ("opt out", "", "opted_out", 1),
        ("Bugger off", "STOP", "opted_out", 0),
        ("stop it, please", "STOP", "opted_out", 0),
    ],
)
def test_what_twilio_took_for_a_stop_is_one_and_twilio_has_answered(
    hear_twilio, body, opt_out_type, expected, confirmed
):
    hear_twilio(body, opt_out_type)
    assert (state(), len(confirmations())) == (expected, confirmed)


def test_what_twilio_took_for_a_start_or_a_help_is_one(hear_twilio):
    hear_twilio("STOP", "STOP")
    hear_twilio("STOP", "HELP")
    hear_twilio("Vamos", "START")
    assert (state(), confirmations()) == ("clear", [])


@postgres_only
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", range(5))
def test_two_workers_that_hear_a_stop_and_a_start_at_once_end_as_one_would(turn):
    acme = CompanyFactory(slug="acme")
    WebhookSecretFactory(company=acme)
    for minutes, text in enumerate(["REVOKE", "opt in", "opt out", "START", "please stop", "STOP"]):
        assert deliver(Client(), said(text, minutes=60 - minutes)).status_code == 200
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
