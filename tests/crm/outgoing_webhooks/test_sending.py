"""Outgoing webhooks: events of changes, attempts, retries and signatures."""

import base64
import hashlib
import hmac
import json
import time
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from django.test import override_settings
from django.utils.timezone import now

from crm import public_http
from crm.db.tenancy import all_tenants
from crm.models import OutgoingEvent, OutgoingWebhook
from crm.public_http import Answer
from crm.services.outgoing_webhooks import events as events_module
from crm.services.outgoing_webhooks import sending
from crm.services.outgoing_webhooks.events import body_of, is_change_due, make_next_events
from crm.services.outgoing_webhooks.sending import (
    claim_attempts,
    finish_attempts,
    has_pending_events,
    record_result,
    send_next_events,
)
from tests.api.feed import settle
from tests.crm.outgoing_webhooks.receiver import Receiver
from tests.db.scratch import wait_until
from tests.factories import ContactFactory, InvoiceFactory, OutgoingEventFactory, OutgoingWebhookFactory

pytestmark = pytest.mark.django_db(transaction=True)
URL = "/api/v1/outgoing-webhooks"


@pytest.fixture(autouse=True)
def loopback(settings):
    settings.OUTGOING_WEBHOOK_NETWORKS = ["127.0.0.0/8"]


@pytest.fixture
def receiver():
    with Receiver() as server:
        yield server


@pytest.fixture
def webhook(manager_api, receiver):
    """A webhook to the receiver, as the API creates it, with its secret."""
    body = {"name": "Shop", "url": receiver.url, "resources": ["contacts"]}
    response = manager_api.post(URL, body)
    assert response.status_code == 201, response.content
    return response.json()


def make_events():
    settle()
    while make_next_events():
        pass


def send_all():
    """Send what is due now, and wait for the answers."""
    while send_next_events() or sending._state.in_flight:
        pass


def events(**conditions):
    with all_tenants():
        return list(OutgoingEvent.objects.filter(**conditions).order_by("pk"))


def row_of(webhook):
    with all_tenants():
        return OutgoingWebhook.objects.get(pk=webhook["id"])


def make_due():
    with all_tenants():
        OutgoingEvent.objects.update(run_at=now())
        OutgoingWebhook.objects.update(next_at=now(), lease_until=None)


def verify(received, secret):
    """Verify as a receiver does by Standard Webhooks. Return whether a signature is of this secret."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{received.id}.{received.timestamp}.".encode() + received.body
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return expected in received.signature.split(" ")


def test_change_is_sent_once_signed_with_ids_only(webhook, receiver, acme):
    contact = ContactFactory(company=acme, first_name="Casey")
    InvoiceFactory(contact=contact)  # not chosen
    make_events()
    send_all()
    [received] = receiver.received
    assert verify(received, webhook["secret"])
    assert abs(int(received.timestamp) - time.time()) < 60
    sent = json.loads(received.body)
    assert (sent["type"], sent["data"]["id"]) == ("contacts.updated", contact.pk)
    assert b"Casey" not in received.body
    [event] = events()
    assert (event.status, event.tries, event.answer_status, event.event_id) == ("sent", 1, 204, received.id)
    make_events()
    send_all()
    assert len(receiver.received) == 1


def test_changes_before_the_webhook_and_of_other_companies_are_not_sent(manager_api, receiver, acme, globex):
    ContactFactory(company=acme)
    settle()
    manager_api.post(URL, {"name": "Shop", "url": receiver.url, "resources": ["contacts"]})
    ContactFactory(company=globex)
    make_events()
    assert events() == []


def test_failed_attempt_is_repeated_under_the_same_id_with_a_fresh_signature(webhook, receiver, acme):
    ContactFactory(company=acme)
    make_events()
    receiver.status = 500
    send_all()
    [event] = events()
    assert (event.status, event.tries, event.answer_status) == ("pending", 1, 500)
    assert event.run_at > now()
    assert row_of(webhook).failing_since is not None
    receiver.status = 204
    make_due()
    time.sleep(1.1)  # another second, so another signature
    send_all()
    first, second = receiver.received
    assert (first.id, first.body) == (second.id, second.body)
    assert first.signature != second.signature
    assert [event.status for event in events()] == ["sent"]
    assert row_of(webhook).failing_since is None


def test_event_is_dead_after_three_days_and_replayed_under_its_id(webhook, receiver, manager_api, acme):
    ContactFactory(company=acme)
    make_events()
    [event] = events()
    with all_tenants():
        OutgoingEvent.objects.update(give_up_at=now())
    receiver.status = 503
    send_all()
    dead = manager_api.get("/api/v1/outgoing-events?status=dead").json()["results"]
    assert [each["id"] for each in dead] == [event.pk]
    assert "outgoing_events_dead" in [each["kind"] for each in manager_api.get("/api/v1/notices").json()["notices"]]
    receiver.status = 204
    assert manager_api.post(f"/api/v1/outgoing-events/{event.pk}/replay").status_code == 202
    assert manager_api.post(f"/api/v1/outgoing-events/{event.pk}/replay").status_code == 409
    make_due()
    send_all()
    assert receiver.ids == [event.event_id] * 2
    assert [each.status for each in events()] == ["sent"]
    [entry] = manager_api.get("/api/v1/audit?action=replay").json()["results"]
    assert (entry["resource"], entry["object"]) == ("outgoing-events", event.pk)


def test_waits_grow_to_hours_and_fill_three_days():
    waits = [sending.next_wait_s(tries) for tries in range(30)]
    assert 4 < waits[0] < 6
    assert max(waits) <= 8 * 3600 * 1.1
    attempts = next(n for n in range(30) if sum(waits[:n]) > 3 * 24 * 3600)
    assert 12 <= attempts <= 20


def test_redirect_is_not_followed(webhook, receiver, acme):
    with Receiver() as other:
        receiver.status, receiver.headers = 302, {"location": other.url}
        ContactFactory(company=acme)
        make_events()
        send_all()
        assert other.received == []
    assert [event.answer_status for event in events()] == [302]
    assert [event.status for event in events()] == ["pending"]


def test_slow_receiver_holds_up_no_other(webhook, receiver, manager_api, acme, monkeypatch):
    for limit in ("READ_S", "WHOLE_S"):  # however long the quick one takes
        monkeypatch.setattr(public_http, limit, 300.0)
    receiver.answers.clear()
    with Receiver() as quick:
        manager_api.post(URL, {"name": "Quick", "url": quick.url, "resources": ["contacts"]})
        for _ in range(5):
            ContactFactory(company=acme)
        make_events()

        def all_are_sent():
            send_next_events()
            return (len(quick.received), len(receiver.received)) == (5, 1)

        wait_until(all_are_sent)
        assert sending._state.in_flight  # the slow one still has its first event
        receiver.answers.set()
        send_all()


def test_rotated_secret_signs_beside_the_former_one_for_a_day(webhook, receiver, manager_api, acme):
    rotated = manager_api.post(f"{URL}/{webhook['id']}/rotate-secret").json()["secret"]
    assert rotated != webhook["secret"]
    ContactFactory(company=acme)
    make_events()
    send_all()
    assert all(verify(receiver.received[-1], secret) for secret in (rotated, webhook["secret"]))
    with all_tenants():
        OutgoingWebhook.objects.update(old_secret_until=now())
    ContactFactory(company=acme)
    make_events()
    make_due()
    send_all()
    assert [verify(receiver.received[-1], secret) for secret in (rotated, webhook["secret"])] == [True, False]


def test_webhook_that_failed_for_five_days_is_switched_off_and_can_be_switched_on(webhook, receiver, manager_api, acme):
    for _ in range(2):
        ContactFactory(company=acme)
    make_events()
    with all_tenants():
        OutgoingWebhook.objects.update(failing_since=now() - timedelta(days=5))
    receiver.status = 500
    send_all()
    assert {event.status for event in events()} == {"dead"}
    shown = manager_api.get(f"{URL}/{webhook['id']}").json()
    assert (shown["is_active"], bool(shown["disabled_reason"])) == (False, True)
    assert "outgoing_webhook_off" in [each["kind"] for each in manager_api.get("/api/v1/notices").json()["notices"]]
    ContactFactory(company=acme)  # while it is off
    settle()
    shown = manager_api.patch(f"{URL}/{webhook['id']}", {"is_active": True}).json()
    assert (shown["is_active"], shown["disabled_reason"], shown["failing_since"]) == (True, "", None)
    make_events()
    assert not has_pending_events()


def test_webhook_that_a_manager_switches_off_and_on_gets_no_old_events(webhook, receiver, manager_api, acme):
    ContactFactory(company=acme)
    make_events()
    for is_active in (False, True):
        assert manager_api.patch(f"{URL}/{webhook['id']}", {"is_active": is_active}).status_code == 200
    send_all()
    assert ({event.status for event in events()}, receiver.received) == ({"dead"}, [])


def test_receiver_that_is_gone_is_switched_off_at_once(webhook, receiver, acme):
    ContactFactory(company=acme)
    make_events()
    receiver.status = 410
    send_all()
    assert row_of(webhook).is_active is False


def test_late_result_of_a_lost_lease_frees_no_other_worker_s_lease(acme):
    hook = OutgoingWebhookFactory(company=acme)
    event = OutgoingEventFactory(webhook=hook, company=acme)
    [attempt] = claim_attempts(1)
    with all_tenants():
        OutgoingWebhook.objects.update(lease_until=now() - timedelta(seconds=1))
    [again] = claim_attempts(1)
    assert (attempt.event.event_id, again.event.event_id) == (event.event_id,) * 2
    record_result(attempt, Answer(204, ""), "")
    with all_tenants():
        assert OutgoingWebhook.objects.get().lease_until == again.lease_until


def test_stopped_worker_records_the_attempts_that_are_under_way(webhook, receiver, acme):
    receiver.delay_s = 0.3
    ContactFactory(company=acme)
    make_events()
    assert send_next_events()
    assert [event.status for event in events()] == ["pending"]
    finish_attempts()
    assert [event.status for event in events()] == ["sent"]
    assert (row_of(webhook).lease_until, sending._state.in_flight) == (None, {})
    make_due()
    assert not send_next_events()
    assert len(receiver.received) == 1


@pytest.fixture
def broken(manager_api, receiver, monkeypatch):
    """Another webhook, whose events can't be made."""
    body = {"name": "Broken", "url": receiver.url, "resources": ["contacts"]}
    made = manager_api.post(URL, body).json()
    make = events_module._event

    def fail(webhook, **values):
        return make(webhook, **values | ({"occurred_at": None} if webhook.pk == made["id"] else {}))

    monkeypatch.setattr(events_module, "_event", fail)
    monkeypatch.setattr(events_module, "_resting", {})
    return made


def test_webhook_whose_events_can_not_be_made_stops_no_other(broken, webhook, receiver, acme, caplog):
    with all_tenants():
        OutgoingWebhook.objects.filter(pk=broken["id"]).update(read_at=now() - timedelta(minutes=1))  # the first
    ContactFactory(company=acme)
    make_events()
    assert [event.webhook_id for event in events()] == [webhook["id"]]
    assert f"The events of outgoing webhook {broken['id']} can't be made. It is tried again later." in caplog.messages
    assert not is_change_due()  # it rests
    events_module._resting.clear()
    assert is_change_due()


def test_secret_of_a_missing_key_stops_the_events_of_no_other_webhook(webhook, acme):
    with override_settings(SECRETS_KEYS=[Fernet.generate_key().decode()]):
        lost = OutgoingWebhookFactory(company=acme)
    ContactFactory(company=acme)
    make_events()
    assert {event.webhook_id for event in events()} == {webhook["id"], lost.pk}


def test_webhook_that_could_not_make_events_makes_them_later(broken, acme, monkeypatch):
    ContactFactory(company=acme)
    make_events()
    assert events() == []
    monkeypatch.undo()
    make_events()
    assert [event.change for event in events()] == ["updated"]


def test_webhook_whose_changes_may_be_missing_gets_a_resync(webhook, acme):
    ContactFactory(company=acme)
    with all_tenants():
        OutgoingWebhook.objects.update(read_at=now() - timedelta(hours=49))
    make_events()
    [event] = events()
    assert (event.change, event.resource, event.object_id) == ("resync", "", None)
    assert json.loads(body_of(event))["type"] == "resync"
