"""A night of hostile webhook events and providers' answers: the worker lives, and other companies' work is done.

HOSTILE_EXAMPLES sets the number of both together; `make test` runs a few hundred.
"""

import logging
import os
from collections import Counter
from datetime import timedelta
from itertools import islice

import pytest
from django.utils import timezone

from analytics.dashboard.metrics import call_metrics
from analytics.models import CallRollup
from analytics.rollups import jobs
from crm.date_ranges import DateRange
from crm.db.tenancy import all_tenants, tenant
from crm.models import PhoneLine
from messaging.choices import MessageStatus
from messaging.models import Message, WebhookEvent
from messaging.models.messages import OUTBOX_STATUSES
from messaging.providers.registry import PROVIDERS
from messaging.services.outbound.outbox import queue_message
from tests import factories
from tests.messaging import hostile
from tests.messaging.clocks import zone_with_hour
from tests.messaging.payloads import OUR_NUMBER, call_v4, message_v4, post_event
from tests.messaging.worker_rounds import work_until_idle
from tests.provider_server import ProviderServer
from tests.provider_server.twilio import ACCOUNT as TWILIO_ACCOUNT

pytestmark = [pytest.mark.slow, pytest.mark.django_db]
EXAMPLES = int(os.environ.get("HOSTILE_EXAMPLES", "300"))
EVENTS, ANSWERS = EXAMPLES // 2, EXAMPLES - EXAMPLES // 2
BATCH = 50  # of hostile messages on their way at the same time


@pytest.fixture(autouse=True)
def worker_of_the_test(settings, monkeypatch):
    """Send without pauses, keep only a few lines of the log, and check the rollups in each round."""
    settings.SMS_PER_SECOND, settings.WORKER_MAX_TRIES = 10_000, 3
    monkeypatch.setattr(jobs, "DUE_CHECK_INTERVAL_S", 0.5)
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def server(settings, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ProviderServer(requests_per_second=10**9) as server:
        server.openphone.add_line("PNsound", "+12125550190")
        settings.SMS_BACKEND = "provider"
        settings.PROVIDER_API_URLS = dict.fromkeys(PROVIDERS, server.url)
        yield server


@pytest.fixture
def sound(globex):
    """The line of a company whose events and messages are all in order."""
    factories.WebhookSecretFactory(company=globex)
    factories.ProviderAccountFactory(company=globex)
    return factories.PhoneLineFactory(company=globex, number="+12125550190", provider_id="PNsound")


@pytest.fixture
def lines(acme):
    """The lines of the company that gets the hostile events and answers."""
    for provider in ("openphone", "twilio", "callrail"):
        factories.WebhookSecretFactory(company=acme, provider=provider)
        factories.ProviderAccountFactory(company=acme, provider=provider, account_id=TWILIO_ACCOUNT)
    return [
        factories.PhoneLineFactory(company=acme, number=OUR_NUMBER, provider="openphone", provider_id="PNhostile"),
        factories.PhoneLineFactory(company=acme, number="+12125550191", provider="twilio", provider_id="PNtwilio"),
    ]


def make_due():
    past = timezone.now() - timedelta(seconds=1)
    with all_tenants():
        WebhookEvent.objects.waiting().update(run_at=past)
        Message.objects.filter(status__in=OUTBOX_STATUSES).update(run_at=past)
        PhoneLine.objects.update(paused_until=None, next_send_at=past)
        CallRollup.objects.update(run_at=past)


def add_sound_work(client, line, number):
    """Add a call and a message of the other company, and let it send one."""
    assert post_event(client, call_v4(answeredAt=None), company="globex").json()["status"] == "accepted"
    assert post_event(client, message_v4(), company="globex").json()["status"] == "accepted"
    with tenant(line.company_id):
        phone = factories.fictional_number(1_100 + number)  # from +1 213 on: the lines are in +1 212
        contact = factories.ContactFactory(company=line.company, phone=phone, timezone=zone_with_hour(14))
        queue_message(contact=contact, line=line, body=f"Sound {number}", kind="reply")


def queue_hostile(lines, contacts):
    with tenant(lines[0].company_id):
        for index, contact in enumerate(contacts):
            line = PhoneLine.objects.get(pk=lines[index % 2].pk)
            queue_message(contact=contact, line=line, body="Spring check?", kind="campaign")


def test_worker_lives_through_a_night_of_hostile_events_and_answers(client, lines, sound, server, capsys, caplog):
    added = 0
    for number, (provider, body) in enumerate(hostile.generate(hostile.events(), EVENTS)):
        assert post_event(client, body, provider=provider).status_code in (200, 401)
        if number % BATCH == 0:
            add_sound_work(client, sound, added)
            added += 1
            work_until_idle()
    for _ in range(3):
        work_until_idle()
        make_due()

    with all_tenants():
        events = list(WebhookEvent.objects.select_related("company"))
    statuses = Counter((event.company.slug, event.status) for event in events)
    assert statuses["globex", "processed"] == 2 * added
    assert all(event.company.slug == "acme" or event.status == "processed" for event in events)
    assert statuses["acme", "pending"] == 0
    assert all(event.error for event in events if event.status == "dead")
    # Unexpected values are understood, not caught: only such a dead event had attempts.
    assert [event.error for event in events if event.tries] == []

    with all_tenants():
        contacts = [
            factories.ContactFactory(
                company=lines[0].company, phone=factories.fictional_number(n), timezone=zone_with_hour(14)
            )
            for n in range(BATCH)
        ]
    outcomes = Counter()
    generated = iter(hostile.generate(hostile.faults(), ANSWERS))
    asked = 0
    while asked < ANSWERS:
        make_due()
        queue_hostile(lines, contacts)
        answered_to_sends = list(islice(generated, BATCH))
        server.fail_sends(*answered_to_sends)
        work_until_idle()
        with all_tenants():
            unknown = Message.objects.filter(status=MessageStatus.UNKNOWN, company=lines[0].company)
            unknown.update(sent_at=timezone.now() - timedelta(minutes=2))
            answered_to_lookups = list(islice(generated, unknown.count()))
        server.fail_reads(*answered_to_lookups)
        asked += len(answered_to_sends) + len(answered_to_lookups)
        make_due()
        server.fail_sends(*answered_to_sends)  # for those that an answer has queued again
        work_until_idle()
        for faults in server._faults.values():
            faults.clear()
        with all_tenants():
            rest = Message.objects.filter(company=lines[0].company, kind="campaign")
            outcomes.update(
                rest.filter(created_at__lt=timezone.now() + timedelta(days=1)).values_list("status", flat=True)
            )
            assert not rest.filter(status="sending", run_at__lte=timezone.now()).exists()
            rest.update(status="failed", run_at=None, kind="reminder")
        add_sound_work(client, sound, added)
        added += 1
        make_due()
        work_until_idle()

    make_due()
    work_until_idle()
    with tenant(sound.company_id):
        assert set(Message.objects.filter(direction="outgoing").values_list("status", flat=True)) == {"sent"}
        assert call_metrics(DateRange(None, None, sound.company.zone))["total"] == added
        assert CallRollup.objects.get().tries == 0
    assert len([sent for sent in server.sent if sent.body.startswith("Sound")]) == added
    # Answers that can't be read in a row are an outage of the provider, which is said.
    others = {record.name for record in caplog.records} - {"messaging.services.outbound.provider_health"}
    assert others == set()
    with capsys.disabled():
        print(f"\n{EVENTS} events {dict(statuses)}; {ANSWERS} answers {dict(outcomes)}; {added} times other work")
