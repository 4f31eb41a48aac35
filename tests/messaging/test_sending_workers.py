"""Real workers send side by side and are killed: each text leaves once, none after its STOP, and all at one pace."""

import itertools
import os
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from crm.db.tenancy import all_tenants, tenant
from crm.models import CampaignMembership, OptOut, PhoneLine
from messaging.models import Message
from messaging.services.inbound.webhook_processing import process_next_event
from messaging.services.outbound.outbox import queue_message
from messaging.services.outbound.sending import send_next_message
from tests.conftest import postgres_only
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
from tests.messaging.clocks import zone_where_it_is
from tests.messaging.payloads import deliver, text_v4
from tests.messaging.test_workers import finish, start_worker, wait_until
from tests.provider_server import ProviderServer, hang

pytestmark = pytest.mark.django_db(transaction=True)
RACE_TEXTS = int(os.environ.get("RACE_TEXTS", "60"))
WORKERS = 4
STOPS = ["STOP", "stop.", "Unsubscribe", "please take me off your list"]


@pytest.fixture
def provider(settings, monkeypatch):
    """A provider without a limit, so that what is measured is ours."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    settings.SMS_BACKEND, settings.SMS_PER_SECOND = "provider", 1_000_000
    with ProviderServer(requests_a_second=1_000_000) as server:
        settings.OPENPHONE_API_URL = server.url
        server.openphone.add_line("PNdesk", "+12125550180")
        yield server


@pytest.fixture
def line(provider):
    company = CompanyFactory(slug="acme")
    ProviderAccountFactory(company=company)
    return PhoneLineFactory(company=company, number="+12125550180", provider_id="PNdesk", daily_cap=1_000_000)


def queue_campaign(line, count):
    """A text to each of so many contacts; their numbers, in the order of the queue."""
    campaign = CampaignFactory(company=line.company, status="running")
    awake = zone_where_it_is(14)
    phones = [fictional_number(number) for number in range(count + 100)]
    phones = [phone for phone in phones if phone[2:5] not in {"211", "311"}][:count]
    for phone in phones:
        contact = ContactFactory(company=line.company, phone=phone, timezone=awake)
        membership = CampaignMembershipFactory(campaign=campaign, contact=contact)
        with tenant(line.company_id):
            queue_message(contact=contact, line=line, body="Spring check?", kind="campaign", membership=membership)
    return phones


def start_sender(provider, *arguments):
    more = {"SMS_BACKEND": "provider", "OPENPHONE_API_URL": provider.url, "SMS_PER_SECOND": "1000000"}
    return start_worker(*arguments, **more)


def kill(worker):
    worker.kill()
    worker.communicate()


def statuses():
    with all_tenants():
        return list(Message.objects.order_by("id").values_list("status", flat=True))


def let_it_be_later(seconds):
    """For the texts of which nobody knows."""
    with all_tenants():
        for message in Message.objects.filter(status__in=["sending", "unknown"]):
            message.created_at -= timedelta(seconds=seconds)
            message.run_at = timezone.now()
            message.save()


@pytest.mark.parametrize("takes", [True, False])
def test_a_worker_killed_in_the_middle_of_the_call_sends_the_text_exactly_once(provider, line, takes):
    queue_campaign(line, 1)
    provider.fail_sends(hang(takes=takes))
    worker = start_sender(provider)
    wait_until(lambda: any(request.method == "POST" for request in provider.requests))
    assert statuses() == ["sending"]
    kill(worker)
    assert statuses() == ["sending"]
    let_it_be_later(76)
    finish(start_sender(provider, "--until-empty"))
    assert len(provider.sent) == 1
    assert statuses() == ["sent"]


def test_workers_killed_at_random_lose_no_text_and_send_none_twice(provider, line):
    phones = queue_campaign(line, 40)
    kills = 0
    for number in range(1, 4):
        workers = [start_sender(provider) for _ in range(2)]
        wait_until(lambda number=number: len(provider.sent) >= number * 9)
        time.sleep(random.random() / 50)  # noqa: S311
        for worker in workers:
            kill(worker)
            kills += 1
    left_open = statuses().count("sending")
    let_it_be_later(76)
    finish(start_sender(provider, "--until-empty"))
    print(f"{kills} workers killed, {left_open} texts in their hands, {len(provider.sent)} of {len(phones)} sent")
    assert sorted(text.to for text in provider.sent) == sorted(phones)
    assert set(statuses()) == {"sent"}


def work_in_threads(count, until):
    def work(_):
        try:
            while not until():
                if not send_next_message():
                    time.sleep(0.002)
        finally:
            connection.close()

    return ThreadPoolExecutor(count).map(work, range(count))


def test_any_number_of_workers_keep_the_pace_of_a_line_exactly(provider, line, settings):
    settings.SMS_PER_SECOND = 25
    queue_campaign(line, 20)
    list(work_in_threads(3, until=lambda: len(provider.sent) == 20))
    with all_tenants():
        left_at = list(Message.objects.order_by("created_at").values_list("created_at", flat=True))
        line.refresh_from_db()
    assert line.next_send_at == left_at[-1] + timedelta(seconds=1) / 25
    assert all(later - earlier >= timedelta(seconds=1) / 25 for earlier, later in itertools.pairwise(left_at))
    assert line.sent_segments == 20


def test_a_line_that_waits_does_not_hold_up_another(provider, line):
    other = PhoneLineFactory(company=line.company, number="+12125550181", provider_id="PNother")
    provider.openphone.add_line("PNother", other.number)
    queue_campaign(line, 3)
    with all_tenants():
        PhoneLine.objects.filter(pk=line.pk).update(next_send_at=timezone.now() + timedelta(hours=1))
    contact = ContactFactory(company=line.company, phone="+12125550199")
    with tenant(line.company_id):
        queue_message(contact=contact, line=other, body="On our way.", kind="reply")
    assert send_next_message()
    assert [text.to for text in provider.sent] == [contact.phone]
    assert not send_next_message()


@postgres_only
def test_no_text_leaves_after_its_stop_while_a_batch_is_leaving(provider, line, settings):
    """STOPs are delivered, and worked on, just ahead of where the senders are in the queue, many for the very next.

    A text that is in the provider's log behind the place that the log had reached when its STOP was committed has
    left too late.
    """
    settings.SMS_PER_SECOND = 25  # about as fast as STOPs are worked on
    WebhookSecretFactory(company=line.company)
    phones = queue_campaign(line, RACE_TEXTS)
    chance = random.Random(4)  # noqa: S311
    committed: dict[str, int] = {}
    over = threading.Event()

    def say_stop():
        client = Client()
        try:
            while not over.is_set() and len(committed) < RACE_TEXTS // 2:
                done = len(provider.sent) + len(committed) // 2
                phone = phones[min(done + chance.randrange(-2, 4), len(phones) - 1)]
                if phone in committed:
                    time.sleep(0.001)
                    continue
                deliver(client, text_v4(sender=phone, to=[line.number], text=chance.choice(STOPS)))
                assert process_next_event()
                committed[phone] = len(provider.sent)
        finally:
            connection.close()

    stopper = threading.Thread(target=say_stop)
    stopper.start()
    list(work_in_threads(WORKERS, until=lambda: not {"queued", "sending"} & set(statuses())))
    over.set()
    stopper.join()

    sent = [text.to for text in provider.sent]
    too_late = [phone for phone, place in committed.items() if phone in sent[place:]]
    just_before = [phone for phone in committed if phone in sent]
    with all_tenants():
        stopped = Message.objects.filter(status="failed", error__contains="opted out").count()
        opted_out = CampaignMembership.objects.filter(status="opted_out").count()
        assert OptOut.objects.exclude(state="clear").count() == len(committed)
    print(
        f"{len(phones)} texts, {len(committed)} STOPs while they left: {len(sent)} sent, {stopped} stopped, "
        f"{len(just_before)} left just before their STOP, {len(too_late)} after it"
    )
    assert too_late == []
    assert len(sent) == len(set(sent)) == len(phones) - stopped
    assert stopped == len(committed) - len(just_before) == opted_out
    assert stopped
