"""Scheduled messages in threads that race: cancellations and replies against the workers that send."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from crm.db.tenancy import all_tenants, tenant
from messaging.models import Message
from messaging.services.outbound.sending import send_next_messages
from messaging.services.replies import queue_reply
from tests.conftest import signed_in
from tests.errors import code_of
from tests.factories import (
    CompanyFactory,
    ContactFactory,
    PhoneLineFactory,
    ProviderAccountFactory,
    UserFactory,
    WebhookSecretFactory,
)
from tests.messaging.clocks import zone_with_hour
from tests.messaging.payloads import message_v4, post_event
from tests.messaging.worker_rounds import process_next_event
from tests.provider_server import ProviderServer

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
NUMBER, COUNT = "+12125550180", 30


@pytest.fixture
def provider(settings, monkeypatch):
    """A provider without a rate limit."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    settings.SMS_BACKEND, settings.SMS_PER_SECOND = "provider", 20
    with ProviderServer(requests_per_second=1_000_000) as server:
        settings.PROVIDER_API_URLS = {"openphone": server.url}
        server.openphone.add_line("PNdesk", NUMBER)
        yield server


@pytest.fixture
def csr(provider):
    company = CompanyFactory(slug="acme")
    ProviderAccountFactory(company=company)
    WebhookSecretFactory(company=company)
    PhoneLineFactory(company=company, number=NUMBER, provider_id="PNdesk", daily_cap=1_000_000)
    return UserFactory(company=company, role="csr")


def schedule(csr, *, count, **options):
    """Schedule a message to each of some contacts, in an hour. Returns the ids."""
    awake, ids = zone_with_hour(14), []
    for number in range(count):
        contact = ContactFactory(company=csr.company, phone=f"+1303555{100 + number:04d}", timezone=awake)
        with tenant(csr.company_id):
            later = timezone.now() + timedelta(hours=1)
            ids.append(queue_reply(contact=contact, body="See you.", user=csr, send_at=later, **options).pk)
    return ids


def in_threads(*works):
    """Run the works at the same time, and return what they return."""

    def run(work):
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def send_until_none_is_due():
    while is_any_due():
        if not send_next_messages():
            time.sleep(0.002)


def is_any_due():
    """Return whether a message waits for its line, or is leaving."""
    with all_tenants():
        due = Message.objects.queued_until(timezone.now()) | Message.objects.filter(status="sending")
        return due.exists()


def states():
    with all_tenants():
        return dict(Message.objects.filter(direction="outgoing").order_by("pk").values_list("pk", "status"))


@pytest.mark.parametrize("head_start_s", [0, 0.005, 0.02])
def test_of_a_cancellation_and_a_claim_at_the_same_time_exactly_one_wins(provider, csr, settings, head_start_s):
    settings.SMS_PER_SECOND = 1_000_000
    api = signed_in(csr)
    won = {"sent": 0, "cancelled": 0}
    for pk in schedule(csr, count=4):
        Message._base_manager.filter(pk=pk).update(run_at=timezone.now())
        start, sent_before = threading.Barrier(2), len(provider.sent)

        def cancel(pk=pk, start=start):
            start.wait()
            return api.post(f"/api/v1/messages/{pk}/cancel")

        def send(start=start):
            start.wait()
            time.sleep(head_start_s)
            return send_next_messages()

        response, _ = in_threads(cancel, send)
        send_until_none_is_due()
        is_sent = states()[pk] == "sent"
        won["sent" if is_sent else "cancelled"] += 1
        assert response.status_code == (409 if is_sent else 200)
        assert not is_sent or code_of(response) == "not_queued"
        assert (states()[pk], len(provider.sent) - sent_before) == (("sent", 1) if is_sent else ("failed", 0))
    print(won)


def test_no_message_leaves_after_the_reply_that_holds_it_back(provider, csr):
    """Replies are posted and processed for the contacts whose messages are next.

    A message leaves when its `sent_at` is committed; the provider is called right after. It left too late if that was
    after its reply was committed.
    """
    schedule(csr, count=COUNT, hold_if_reply=True)
    committed, over, client = {}, threading.Event(), Client()

    def reply_of(position):
        phone, at = f"+1303555{100 + position:04d}", timezone.now().isoformat()
        post_event(client, message_v4(sender=phone, to=[NUMBER], text="Can't come.", createdAt=at))
        assert process_next_event()
        committed[phone] = timezone.now()

    def reply():
        while not over.is_set() and len(committed) < COUNT:
            position = min(len(provider.sent) + len(committed), COUNT - 1)
            if f"+1303555{100 + position:04d}" in committed:
                time.sleep(0.001)
            else:
                reply_of(position)

    def send():
        send_until_none_is_due()
        over.set()

    reply_of(COUNT - 1)
    with all_tenants():
        Message.objects.filter(status="queued").update(run_at=timezone.now())

    in_threads(send, send, reply)
    with all_tenants():
        rows = {message.to_numbers[0]: message for message in Message.objects.filter(direction="outgoing")}
    held = {phone for phone, message in rows.items() if message.status == "held"}
    left = {phone: message.sent_at for phone, message in rows.items() if message.status == "sent"}
    too_late = [phone for phone, at in committed.items() if phone in left and left[phone] > at]
    print(f"{COUNT} messages, {len(committed)} replies: {len(left)} sent, {len(held)} held, {len(too_late)} too late")
    assert too_late == []
    assert held | left.keys() == rows.keys()
    assert held <= committed.keys()
    assert sorted(text.to for text in provider.sent) == sorted(left)
    assert held
