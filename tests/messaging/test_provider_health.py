"""Outages of providers: counted, logged once, and shown to managers."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from messaging.models import Message, ProviderHealth
from messaging.notices import list_notices
from messaging.services.outbound.outbox import queue_message
from messaging.services.outbound.provider_health import OUTAGE_AFTER
from messaging.services.outbound.sending import send_next_messages
from messaging.services.outbound.unknown_sends import look_up_next_message
from tests.factories import ContactFactory, ProviderAccountFactory, ProviderHealthFactory
from tests.messaging.clocks import zone_with_hour
from tests.provider_server import answer, drop


@pytest.fixture
def send(in_acme, desk, provider_server, settings):
    """Return a function that sends a message with each of these faults."""
    settings.SMS_PER_SECOND = 1000
    ProviderAccountFactory(company=in_acme)
    casey = ContactFactory(company=in_acme, phone="+12125550101", timezone=zone_with_hour(14))

    def send(*faults):
        provider_server.fail_sends(*faults)
        for _ in faults or (None,):
            Message.objects.update(status="failed", run_at=None)
            queue_message(contact=casey, line=desk, body="On our way.", kind="reply")
            assert send_next_messages()
            desk.next_send_at = timezone.now()
            desk.paused_until = None
            desk.save()

    return send


def health():
    return ProviderHealth.objects.get(provider="openphone")


def outage_notices():
    notices = list_notices(zone=ZoneInfo("America/New_York"))
    return [notice.message for notice in notices if notice.kind == "provider_down"]


def test_failures_are_counted_by_reason_and_never_less(send):
    send(answer(500), drop(accepts=False), answer(429), answer(400), answer(402))
    send()
    counts = health()
    assert (counts.unknown, counts.rate_limited, counts.rejected) == (2, 1, 1)
    assert (counts.suspended, counts.unreachable) == (1, 0)


def test_unreachable_provider_is_counted(send, settings):
    settings.PROVIDER_API_URLS = {"openphone": "http://127.0.0.1:1"}
    send()
    assert (health().unreachable, health().failed_in_row) == (1, 1)


def test_outage_is_logged_at_its_beginning_and_end_and_shown_meanwhile(send, caplog):
    caplog.set_level("WARNING")
    send(*[answer(500)] * (OUTAGE_AFTER - 1))
    assert (health().down_since, caplog.messages, outage_notices()) == (None, [], [])
    send(answer(500), answer(500), answer(500))
    began = (
        "OpenPhone / Quo doesn't answer: The provider answered with status 500; the outcome is unknown. Messages wait."
    )
    assert caplog.messages == [began]
    since = health().down_since
    assert outage_notices() == [
        f"OpenPhone / Quo doesn't answer since {since:%Y-%m-%d %H:%M} UTC. "
        "Messages wait and are sent when it answers again."
    ]
    ProviderHealth.objects.update(down_since=since - timedelta(minutes=30))
    send()
    assert caplog.messages == [began, "OpenPhone / Quo answers again, after 30 minutes."]
    assert (health().down_since, health().failed_in_row, outage_notices()) == (None, 0, [])


def test_refusal_is_an_answer(send):
    send(answer(500), answer(500), answer(400), answer(500))
    assert (health().failed_in_row, health().down_since) == (1, None)


def test_lookup_counts_too(send, provider_server):
    send(answer(500))
    Message.objects.filter(status="unknown").update(run_at=timezone.now())
    provider_server.fail_reads(answer(500))
    assert look_up_next_message()
    assert health().unknown == 2


def test_outage_of_another_provider_is_not_shown(in_acme, desk):
    ProviderHealthFactory(provider="twilio", down_since=timezone.now(), failed_in_row=3)
    assert outage_notices() == []
