"""Concurrent and killed worker processes: each message is sent once, at one pace, and never after its STOP."""

import itertools
import os
import random
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from crm.db.tenancy import all_tenants, tenant
from crm.models import CampaignMembership, OptOut, PhoneLine
from messaging.models import Message
from messaging.services.outbound import call_times, sending
from messaging.services.outbound.claims import CAMPAIGN_SHARE, claim_messages
from messaging.services.outbound.outbox import queue_message
from messaging.services.outbound.sending import send_next_messages
from tests.db.scratch import wait_until
from tests.factories import (
    CampaignFactory,
    CampaignMembershipFactory,
    CompanyFactory,
    ContactFactory,
    PhoneLineFactory,
    ProviderAccountFactory,
    WebhookSecretFactory,
    fictional_number,
)
from tests.messaging.clocks import zone_with_hour
from tests.messaging.payloads import message_v4, post_event
from tests.messaging.test_workers import finish, start_worker
from tests.messaging.worker_rounds import process_next_event
from tests.provider_server import ProviderServer, hang, late

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
RACE_MESSAGES = int(os.environ.get("RACE_TEXTS", "60"))
WORKERS = 4
UNIT = Path(__file__).resolve().parents[2] / "deploy" / "systemd" / "crm-work@.service"
STOP_S = int(re.findall(r"^TimeoutStopSec=(\d+)$", UNIT.read_text(), re.MULTILINE)[0])
STOPS = ["STOP", "stop.", "Unsubscribe", "please take me off your list"]


@pytest.fixture
def provider(settings, monkeypatch):
    """A provider without a rate limit: only the product's pace counts."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    settings.SMS_BACKEND, settings.SMS_PER_SECOND = "provider", 1_000_000
    with ProviderServer(requests_per_second=1_000_000) as server:
        settings.PROVIDER_API_URLS = {"openphone": server.url}
        server.openphone.add_line("PNdesk", "+12125550180")
        yield server


@pytest.fixture
def line(provider):
    company = CompanyFactory(slug="acme")
    ProviderAccountFactory(company=company)
    return PhoneLineFactory(company=company, number="+12125550180", provider_id="PNdesk", daily_cap=1_000_000)


def queue_campaign(line, count):
    """Queue a message to each of `count` contacts. Returns their numbers in queue order."""
    campaign = CampaignFactory(company=line.company, status="running")
    awake = zone_with_hour(14)
    phones = [fictional_number(number) for number in range(count + 100)]
    phones = [phone for phone in phones if phone[2:5] not in {"211", "311"}][:count]
    for phone in phones:
        contact = ContactFactory(company=line.company, phone=phone, timezone=awake)
        membership = CampaignMembershipFactory(campaign=campaign, contact=contact)
        with tenant(line.company_id):
            queue_message(contact=contact, line=line, body="Spring check?", kind="campaign", membership=membership)
    return phones


def start_sender(provider, *arguments, **settings):
    more = settings | {"SMS_BACKEND": "provider", "OPENPHONE_API_URL": provider.url, "SMS_PER_SECOND": "1000000"}
    return start_worker(*arguments, **more)


def kill(worker):
    worker.kill()
    worker.communicate()


def statuses():
    with all_tenants():
        return list(Message.objects.order_by("id").values_list("status", flat=True))


def pass_time(seconds):
    """Age the messages with an unknown outcome."""
    with all_tenants():
        for message in Message.objects.filter(status__in=["sending", "unknown"]):
            message.sent_at -= timedelta(seconds=seconds)
            message.run_at = timezone.now()
            message.save()


def start_sender_that_is_calling(provider, fault):
    provider.fail_sends(fault)
    worker = start_sender(provider, LOG_LEVEL="INFO")
    wait_until(lambda: any(request.method == "POST" for request in provider.requests))
    return worker


def terminate(worker, release=lambda: None):
    """Send SIGTERM and return the worker's last log line, once it has ended within the time that systemd gives it."""
    worker.terminate()
    release()
    _, log = worker.communicate(timeout=STOP_S)
    assert (worker.returncode, "Traceback" in log) == (0, False)
    return log.splitlines()[-1]


def test_terminated_worker_records_the_answer_to_its_call(provider, line):
    queue_campaign(line, 3)
    worker = start_sender_that_is_calling(provider, late())
    assert "sending" in statuses()
    assert re.search(r"Worker stopped: SIGTERM\. Tasks done: .*\btexts \d", terminate(worker, release=provider.close))
    assert statuses()[0] == "sent"
    assert statuses().count("sent") == len(provider.sent)
    assert {*statuses()} <= {"sent", "queued"}
    finish(start_sender(provider, "--until-empty"))
    assert statuses() == ["sent"] * 3
    assert len(provider.sent) == 3


@pytest.mark.parametrize("accepts", [True, False])
def test_terminated_worker_does_not_wait_for_a_provider_that_hangs(provider, line, accepts):
    queue_campaign(line, 1)
    worker = start_sender_that_is_calling(provider, hang(accepts=accepts))
    assert re.search(r"Worker stopped: SIGTERM\. Tasks done: .*\btexts 1\b", terminate(worker))
    assert statuses() == ["unknown"]
    pass_time(76)
    finish(start_sender(provider, "--until-empty"))
    assert statuses() == ["sent"]
    assert len(provider.sent) == 1


@pytest.mark.parametrize("accepts", [True, False])
@pytest.mark.parametrize("terms", [0, 2])
def test_worker_killed_during_the_call_sends_the_message_exactly_once(provider, line, accepts, terms):
    queue_campaign(line, 1)
    worker = start_sender_that_is_calling(provider, hang(accepts=accepts))
    assert statuses() == ["sending"]
    for _ in range(terms):
        worker.terminate()
    kill(worker)
    assert statuses() == ["sending"]
    pass_time(76)
    finish(start_sender(provider, "--until-empty"))
    assert len(provider.sent) == 1
    assert statuses() == ["sent"]


def test_workers_killed_at_random_send_each_message_exactly_once(provider, line):
    phones = queue_campaign(line, 40)
    kills = in_progress = 0
    for number in range(1, 4):
        workers = [start_sender(provider) for _ in range(2)]
        wait_until(lambda number=number: len(provider.sent) >= number * 9)
        time.sleep(random.random() / 50)  # noqa: S311
        for worker in workers:
            kill(worker)
            kills += 1
        in_progress += statuses().count("sending")
        pass_time(76)  # else the next round would wait so long for the batches that were claimed in this one
    finish(start_sender(provider, "--until-empty"))
    print(f"{kills} workers killed, {in_progress} messages in progress, {len(provider.sent)} of {len(phones)} sent")
    assert sorted(text.to for text in provider.sent) == sorted(phones)
    assert set(statuses()) == {"sent"}


def work_in_threads(count, until):
    def work(_):
        try:
            while not until():
                if not send_next_messages():
                    time.sleep(0.002)
        finally:
            connection.close()

    return ThreadPoolExecutor(count).map(work, range(count))


def test_workers_keep_the_pace_of_a_line(provider, line, settings, monkeypatch):
    settings.SMS_PER_SECOND = 25
    phones = queue_campaign(line, 40)
    claims = []

    def note_claim(**options):
        claim = claim_messages(**options)
        if claim.messages:
            claims.append((claim.messages[0].sent_at, len(claim.messages)))
        return claim

    monkeypatch.setattr(sending, "claim_messages", note_claim)
    list(work_in_threads(3, until=lambda: len(provider.sent) == len(phones)))
    with all_tenants():
        line.refresh_from_db()
    claims.sort()
    last, count = claims[-1]
    second = timedelta(seconds=1)
    assert line.next_send_at == last + second * count / 25
    assert all(
        later - earlier >= second * count / (25 * CAMPAIGN_SHARE)
        for (earlier, count), (later, _) in itertools.pairwise(claims)
    )
    assert max(count for _, count in claims) <= 25  # a second of the pace
    assert line.sent_segments == len(phones)


def test_reply_leaves_before_the_campaign_that_was_there_first(provider, line, settings):
    settings.SMS_PER_SECOND = 1
    queue_campaign(line, 3)
    contact = ContactFactory(company=line.company, phone="+12125550199")
    assert send_next_messages()
    with tenant(line.company_id):
        queue_message(contact=contact, line=line, body="On our way.", kind="reply")
        line.refresh_from_db()
        assert line.next_campaign_send_at - line.next_send_at == timedelta(seconds=0.25)
    assert not send_next_messages()  # the line rests
    with all_tenants():
        PhoneLine.objects.update(next_send_at=timezone.now())
    assert send_next_messages()
    assert [text.to for text in provider.sent][1:] == [contact.phone]
    with all_tenants():
        PhoneLine.objects.update(next_send_at=timezone.now())
    assert not send_next_messages()  # the rest of the pace is the replies'


def test_slow_provider_gets_short_batches(provider, line, settings):
    queue_campaign(line, 40)
    call_times.note_call_time("openphone", 1)  # now about 0.4 s
    assert send_next_messages()
    assert len(provider.sent) <= 3
    statuses_after = statuses()
    assert (statuses_after.count("sent"), statuses_after.count("sending")) == (len(provider.sent), 0)


def test_waiting_line_does_not_delay_another(provider, line):
    other = PhoneLineFactory(company=line.company, number="+12125550181", provider_id="PNother")
    provider.openphone.add_line("PNother", other.number)
    queue_campaign(line, 3)
    with all_tenants():
        PhoneLine.objects.filter(pk=line.pk).update(next_send_at=timezone.now() + timedelta(hours=1))
    contact = ContactFactory(company=line.company, phone="+12125550199")
    with tenant(line.company_id):
        queue_message(contact=contact, line=other, body="On our way.", kind="reply")
    assert send_next_messages()
    assert [text.to for text in provider.sent] == [contact.phone]
    assert not send_next_messages()


def test_no_message_leaves_after_its_stop_while_a_campaign_runs(provider, line, settings):
    """STOPs are posted and processed for the numbers that are next in the queue.

    A message leaves when its `sent_at` is committed; the provider is called right after. It left too late if that was
    after its STOP was committed.
    """
    settings.SMS_PER_SECOND = 25  # about the rate at which STOPs are processed
    WebhookSecretFactory(company=line.company)
    phones = queue_campaign(line, RACE_MESSAGES)
    chance = random.Random(4)  # noqa: S311
    committed: dict[str, datetime] = {}
    over = threading.Event()

    def send_stops():
        client = Client()
        try:
            while not over.is_set() and len(committed) < RACE_MESSAGES // 2:
                done = len(provider.sent) + len(committed) // 2
                phone = phones[min(done + chance.randrange(-2, 4), len(phones) - 1)]
                if phone in committed:
                    time.sleep(0.001)
                    continue
                post_event(client, message_v4(sender=phone, to=[line.number], text=chance.choice(STOPS)))
                assert process_next_event()
                committed[phone] = timezone.now()
        finally:
            connection.close()

    stopper = threading.Thread(target=send_stops)
    stopper.start()
    list(work_in_threads(WORKERS, until=lambda: not {"queued", "sending"} & set(statuses())))
    over.set()
    stopper.join()

    sent = [text.to for text in provider.sent]
    with all_tenants():
        left_at = {
            message.to_numbers[0]: message.sent_at for message in Message.objects.filter(kind="campaign", status="sent")
        }
        stopped = Message.objects.filter(status="failed", error__contains="opted out").count()
        opted_out = CampaignMembership.objects.filter(status="opted_out").count()
        assert OptOut.objects.exclude(state="clear").count() == len(committed)
    too_late = [phone for phone, at in committed.items() if phone in left_at and left_at[phone] > at]
    just_before = [phone for phone in committed if phone in sent]
    print(
        f"{len(phones)} messages, {len(committed)} STOPs meanwhile: {len(sent)} sent, {stopped} stopped, "
        f"{len(just_before)} left just before their STOP, {len(too_late)} after it"
    )
    assert too_late == []
    assert sorted(sent) == sorted(left_at)
    assert len(sent) == len(set(sent)) == len(phones) - stopped
    assert stopped == len(committed) - len(just_before) == opted_out
    assert stopped
