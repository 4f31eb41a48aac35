"""A campaign with real workers that are killed at random, pauses and an outage: nobody is left out or texted twice.

`CAMPAIGN_MEMBERS=20000 pytest -s` prints the figures of a large run.
"""

import os
import random
import time
from collections import Counter

import pytest
from django.test import Client
from django.utils import timezone

from crm.choices import MembershipStatus
from crm.db.tenancy import all_tenants, tenant
from crm.models import Campaign, CampaignMembership, Contact, ContactPhone
from messaging.models import Message
from messaging.services.campaigns.counts import find_wrong_counts
from tests.conftest import signed_in
from tests.db.scratch import wait_until
from tests.factories import (
    CampaignFactory,
    CompanyFactory,
    PhoneLineFactory,
    ProviderAccountFactory,
    UserFactory,
    WebhookSecretFactory,
    fictional_number,
)
from tests.messaging.clocks import zone_with_hour
from tests.messaging.killed_workers import KilledWorkers, age_unknown_messages
from tests.messaging.payloads import message_v4, post_event
from tests.messaging.worker_rounds import process_next_event
from tests.provider_server import ProviderServer, answer, drop

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
MEMBERS = int(os.environ.get("CAMPAIGN_MEMBERS", "240"))
JOBS = "texts,lookups,campaigns,campaign-counts"
ROUNDS = 5
OUTAGE = [drop(accepts=False), drop(accepts=True), answer(503), drop(accepts=True), drop(accepts=False)]


@pytest.fixture
def provider(settings, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    settings.SMS_BACKEND, settings.SMS_PER_SECOND = "provider", 1_000_000
    with ProviderServer(requests_per_second=1_000_000) as server:
        settings.OPENPHONE_API_URL = server.url
        server.openphone.add_line("PNdesk", "+12125550180")
        yield server


@pytest.fixture
def campaign(provider):
    company = CompanyFactory(slug="acme")
    ProviderAccountFactory(company=company)
    WebhookSecretFactory(company=company)
    line = PhoneLineFactory(company=company, number="+12125550180", provider_id="PNdesk", daily_cap=10_000_000)
    campaign = CampaignFactory(company=company, body="Spring check?", phone_line=line)
    phones = [phone for phone in map(fictional_number, range(MEMBERS + MEMBERS // 50 + 100)) if phone != line.number]
    phones = [phone for phone in phones if phone[2:5] not in {"211", "311"}][:MEMBERS]
    awake = zone_with_hour(14)
    with tenant(company.pk):
        contacts = Contact.objects.bulk_create(
            Contact(company=company, phone=phone, timezone=awake) for phone in phones
        )
        ContactPhone.objects.bulk_create(
            [ContactPhone(company=company, contact=contact, phone=contact.phone) for contact in contacts],
            ignore_conflicts=True,
        )
        CampaignMembership.objects.bulk_create(
            CampaignMembership(company=company, campaign=campaign, contact=contact) for contact in contacts
        )
    return campaign


def read_statuses():
    with all_tenants():
        return Counter(CampaignMembership.objects.values_list("status", flat=True))


def send_stops(line, chance, stopped):
    """Let a few contacts who may still wait opt out. Notes when each opt-out was committed."""
    with all_tenants():
        waiting = CampaignMembership.objects.filter(status="pending").values_list("contact__phone", flat=True)
        phones = [phone for phone in waiting if phone not in stopped]
    for phone in chance.sample(phones, min(4, len(phones))):
        post_event(Client(), message_v4(sender=phone, to=[line.number], text="STOP"))
        assert process_next_event()
        stopped[phone] = timezone.now()


def test_campaign_loses_and_repeats_nothing_while_workers_are_killed(provider, campaign):
    chance, stopped = random.Random(7), {}  # noqa: S311
    manager = signed_in(UserFactory(company=campaign.company, role="manager"))
    url = f"/api/v1/campaigns/{campaign.pk}"
    assert manager.post(f"{url}/start").json()["status"] == "running"
    began, pauses = time.monotonic(), 0
    with KilledWorkers(provider, JOBS) as workers:
        for number in range(1, ROUNDS + 1):
            wanted = number * MEMBERS * 3 // (ROUNDS * 4)

            def has_sent_enough(wanted=wanted):
                age_unknown_messages()  # a batch of a killed worker may be all that is left
                return workers.have_sent(wanted)

            wait_until(has_sent_enough)
            send_stops(campaign.phone_line, chance, stopped)
            workers.kill()
            if number == 2:
                provider.fail_sends(*OUTAGE)
            if number % 2:
                assert manager.post(f"{url}/pause").json()["status"] == "paused"
                pauses += 1
                time.sleep(chance.random())
                workers.start()
                time.sleep(1)
                sent_while_paused = len(provider.sent)
                time.sleep(0.5)
                assert len(provider.sent) == sent_while_paused
                assert manager.post(f"{url}/resume").json()["status"] == "running"
            workers.start()
            age_unknown_messages()

        def is_over():
            assert workers.have_sent(0)
            age_unknown_messages()
            with all_tenants():
                return Campaign.objects.get().status == "completed"

        wait_until(is_over)
    seconds = time.monotonic() - began
    sent = Counter(message.to for message in provider.sent)
    with all_tenants():
        left_at = {
            message.to_numbers[0]: message.sent_at for message in Message.objects.filter(kind="campaign", status="sent")
        }
        missing = set(Contact.objects.values_list("phone", flat=True)) - set(sent) - set(stopped)
    too_late = [phone for phone, at in stopped.items() if phone in left_at and left_at[phone] > at]
    found = read_statuses()
    total, doubled = sum(sent.values()), sum(sent.values()) - len(sent)
    print(f"{MEMBERS} members in {seconds:.0f} s, {workers.kills} workers killed, {pauses} pauses: {total} sent")
    print(f"{len(sent)} distinct, {len(missing)} lost, {doubled} doubled, {len(stopped)} opted out meanwhile")
    print(f"{len(too_late)} sent after their STOP; members: {dict(found)}")
    assert (missing, too_late) == (set(), [])
    assert set(sent.values()) == {1}
    assert sum(found.values()) == MEMBERS
    assert set(found) <= {MembershipStatus.SENT, MembershipStatus.OPTED_OUT}
    assert found[MembershipStatus.OPTED_OUT] >= len(set(stopped) - set(sent))
    with tenant(campaign.company_id):
        assert find_wrong_counts() == []
