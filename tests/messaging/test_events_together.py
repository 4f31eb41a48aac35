"""Webhook events that are processed in one transaction: the rows are those of one event at a time."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from calls.models import MissedCaller
from crm.db.tenancy import all_tenants, tenant
from crm.models import Contact, Conversation, OptOut, PhoneLine
from messaging.models import Message, WebhookEvent
from messaging.services.inbound import webhook_processing
from messaging.services.inbound.webhook_processing import process_due_events
from tests.conftest import postgres_only
from tests.db.scratch import wait_until
from tests.factories import CompanyFactory, ContactFactory, PhoneLineFactory, WebhookSecretFactory
from tests.fictional_numbers import fictional_number
from tests.messaging.event_stream import EventStream, snapshot
from tests.messaging.payloads import CALLER, OUR_NUMBER, call_v4, current, message_v4, post_event
from tests.messaging.worker_rounds import process_next_event

pytestmark = pytest.mark.django_db
OTHER = fictional_number(40_055)


@pytest.fixture
def together(client, secret, in_acme, desk):
    """Post payloads and process them together."""

    def together(*payloads):
        for payload in payloads:
            assert post_event(client, payload).json()["status"] == "accepted"
        assert process_due_events()

    return together


def at(minutes):
    """Return the time some minutes ago in the providers' format."""
    return (timezone.now() - timedelta(minutes=minutes)).isoformat()


def incoming(text, *, minutes, **resource):
    return message_v4(text=text, createdAt=at(minutes), **resource)


def missed(*, minutes):
    return call_v4(createdAt=at(minutes), answeredAt=None, completedAt=at(minutes - 1), status="no-answer")


def statuses():
    return list(WebhookEvent.objects.order_by("id").values_list("status", "tries"))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.slow
def test_rows_are_those_of_one_event_at_a_time(client, seed):
    stream = EventStream(events=120, seed=seed)
    snapshots = []
    for slug, process in (("alone", process_next_event), ("together", process_due_events)):
        company = CompanyFactory(slug=slug)
        WebhookSecretFactory(company=company)
        with all_tenants():
            PhoneLine.objects.update(number="")  # no two companies have the same
        PhoneLineFactory(company=company, name="Front desk", number=OUR_NUMBER, provider_id="PNdesk")
        for event in stream.events:
            post_event(client, event, company=slug)
        while process():
            pass
        with tenant(company.pk):
            assert not WebhookEvent.objects.filter(tries__gt=0).exists()
            snapshots.append(snapshot())
    for table, rows in snapshots[0].items():
        assert snapshots[1][table] == rows, table


def test_event_that_fails_does_not_stop_those_with_it(together, monkeypatch):
    def fail_or_run(*, provider, event, known):
        if event.body == "poison":
            raise LookupError("internal")
        return record(provider=provider, event=event, known=known)

    record = webhook_processing.record_event
    monkeypatch.setattr(webhook_processing, "record_event", fail_or_run)
    together(*(incoming(text, minutes=5) for text in ("first", "poison", "last")))
    assert statuses() == [("processed", 0), ("pending", 1), ("processed", 0)]
    assert set(Message.objects.values_list("body", flat=True)) == {"first", "last"}


def test_invalid_event_is_dead_alone(together):
    together(incoming("first", minutes=5), message_v4(id=None), incoming("last", minutes=4))
    assert statuses() == [("processed", 0), ("dead", 0), ("processed", 0)]


def test_messages_of_a_new_caller_share_one_contact_and_conversation(together):
    together(*(incoming(text, minutes=9 - n) for n, text in enumerate(("one", "two", "three"))))
    assert Contact.objects.get().phone == CALLER
    conversation = Conversation.objects.get()
    assert conversation.last_activity_at == Message.objects.get(body="three").created_at
    assert set(Message.objects.values_list("activity__conversation", flat=True)) == {conversation.pk}


def test_repeated_event_is_one_message(together):
    together(*(incoming("Hello", minutes=5, id="ACone") for _ in range(3)))
    assert Message.objects.get().body == "Hello"


def test_reply_to_a_missed_call_in_the_same_transaction_recovers_it(together):
    together(missed(minutes=9), incoming("Call me", minutes=8))
    assert MissedCaller.objects.get().recovered_by == "reply"


def test_opt_out_and_opt_in_count_in_their_order(together):
    together(incoming("STOP", minutes=9), incoming("START", minutes=8))
    assert OptOut.objects.get().state == "clear"
    together(incoming("START", minutes=7), incoming("STOP", minutes=6))
    assert OptOut.objects.get().state == "opted_out"


def test_message_after_a_stop_does_not_move_the_conversation_before_its_confirmation(together):
    together(incoming("Opt out", minutes=3), incoming("Thanks", minutes=2))
    confirmation = Message.objects.get(kind="confirmation")
    assert Conversation.objects.get().last_activity_at == confirmation.created_at


def test_number_from_the_address_book_is_its_contacts_in_the_same_transaction(together):
    address = {"id": "CTann", "firstName": "Ann", "lastName": "Lee", "emails": [], "createdAt": at(5)}
    numbers = [{"value": number, "type": "phone-number"} for number in (CALLER, OTHER)]
    details = {"phoneNumbers": numbers, "customFields": [], "company": None, "role": None, "updatedAt": at(5)}
    together(
        incoming("Hello", minutes=9),
        current("contact.updated", address | details, {"userId": "USann", "sharedWithIds": []}),
        message_v4("message.delivered", sender=OUR_NUMBER, to=(OTHER,), direction="outgoing", createdAt=at(4)),
    )
    assert set(Message.objects.values_list("contact", flat=True)) == {Contact.objects.get().pk}


@postgres_only
@pytest.mark.django_db(transaction=True)
def test_events_give_way_to_another_transaction(client, secret, desk, acme):
    with tenant(acme.pk):
        busy = ContactFactory(company=acme, phone=CALLER)
    for sender in (OTHER, CALLER):
        post_event(client, incoming("Hello", minutes=5, sender=sender))

    def process():
        try:
            assert process_due_events()
        finally:
            connection.close()

    worker = threading.Thread(target=process)
    with tenant(acme.pk), transaction.atomic():
        Contact.objects.select_for_update().get(pk=busy.pk)
        worker.start()
        wait_until(lambda: Message.objects.count() == 1)  # the other contact's, although both began together
    worker.join()
    with tenant(acme.pk):
        assert statuses() == [("processed", 0), ("processed", 0)]
