"""A campaign that several people and workers change at the same moment, on PostgreSQL."""

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from crm.db.tenancy import tenant
from crm.models import Campaign, CampaignMembership, Contact, PhoneLine
from crm.services.merging.merge import merge_contacts
from crm.services.opt_outs import record_opt_out
from messaging.models import Message
from messaging.services.campaigns.audience import AudienceClosed, add_audience
from messaging.services.campaigns.jobs import run_next_campaign
from messaging.services.campaigns.recall import recall_messages
from messaging.services.campaigns.runs import cancel_campaign, pause_campaign, resume_campaign, start_campaign
from messaging.services.campaigns.states import WrongStatus
from messaging.services.outbound import sending
from messaging.services.outbound.claims import claim_messages
from messaging.services.outbound.ready_lines import find_ready_lines
from messaging.services.outbound.sending import send_claimed, send_next_messages
from tests.conftest import postgres_only
from tests.factories import (
    CampaignFactory,
    CampaignMembershipFactory,
    CompanyFactory,
    ContactFactory,
    PhoneLineFactory,
    SegmentFactory,
    fictional_number,
)
from tests.messaging.clocks import zone_with_hour

pytestmark = [postgres_only, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
MEMBERS = 12
ROUNDS = 4
ENDS = {"sent", "skipped", "opted_out"}


@pytest.fixture(autouse=True)
def fast_lines(settings):
    settings.SMS_PER_SECOND = 10_000


@pytest.fixture
def company():
    return CompanyFactory(slug="acme")


@pytest.fixture
def make(company):
    """Make a draft with members, who may be texted now."""
    line = PhoneLineFactory(company=company, number="+12125550180")
    contacts = [
        ContactFactory(company=company, phone=fictional_number(1000 + number), timezone=zone_with_hour(14))
        for number in range(MEMBERS)
    ]

    def make(**values):
        campaign = CampaignFactory(company=company, phone_line=line, body="Roof check?", **values)
        for contact in contacts:
            CampaignMembershipFactory(campaign=campaign, contact=contact)
        with tenant(company.pk):
            Message.objects.filter(kind="campaign").update(sent_at=timezone.now() - timedelta(days=3))
        return campaign

    return make


def at_once(*steps):
    """Run the steps at the same moment. Returns the type of what each returned or raised as a refusal."""
    barrier = threading.Barrier(len(steps))

    def run(step):
        try:
            barrier.wait()
            return type(step())
        except (WrongStatus, AudienceClosed) as refusal:
            return type(refusal)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(steps)) as pool:
        return [outcome.result() for outcome in [pool.submit(run, step) for step in steps]]


def change(campaign, service, **values):
    """Return a step that calls a service, as a user of the company does."""

    def step():
        with tenant(campaign.company_id):
            return service(campaign=campaign, **values)

    return step


def work():
    while run_next_campaign() or send_next_messages():
        pass


def statuses(campaign):
    with tenant(campaign.company_id):
        return set(CampaignMembership.objects.filter(campaign=campaign).values_list("status", flat=True))


def test_campaign_that_four_people_start_at_once_starts_once(company, make):
    segment = SegmentFactory(company=company, definition={"all": []})
    campaign = make(recurrence="FREQ=WEEKLY", segment=segment)
    outcomes = at_once(*[change(campaign, start_campaign, user=None)] * 4)
    assert sorted(outcome.__name__ for outcome in outcomes) == ["Campaign", *["WrongStatus"] * 3]
    with tenant(company.pk):
        assert Campaign.objects.filter(previous_run=campaign).count() == 1


def test_contacts_join_before_the_start_or_not_at_all(company, make):
    for number in range(ROUNDS):
        campaign = make()
        late = ContactFactory(company=company, phone=fictional_number(2000 + number), timezone=zone_with_hour(14))
        outcomes = at_once(
            change(campaign, start_campaign, user=None), change(campaign, add_audience, contacts=[late.pk])
        )
        with tenant(company.pk):
            due = CampaignMembership.objects.filter(campaign=campaign).values_list("due_at", flat=True)
            assert all(due)
            assert len(due) == MEMBERS + (outcomes[1] is not AudienceClosed)


@pytest.mark.parametrize("first", [run_next_campaign, work])
def test_campaign_that_is_cancelled_while_workers_feed_and_send_leaves_nobody_waiting(first, company, make):
    for _ in range(ROUNDS):
        campaign = make()
        with tenant(company.pk):
            start_campaign(campaign=campaign, user=None)
        at_once(first, work, change(campaign, cancel_campaign))
        work()
        assert statuses(campaign) <= ENDS
        with tenant(company.pk):
            assert not Message.objects.filter(status="queued").exists()


def test_campaign_that_is_cancelled_while_a_worker_takes_a_paused_one_s_message_back_leaves_nobody_waiting(
    company, make, monkeypatch
):
    campaign, cancellations = make(), []
    with tenant(company.pk):
        start_campaign(campaign=campaign, user=None)
    assert run_next_campaign()
    [ready] = find_ready_lines(timezone.now())
    claim = claim_messages(ready=ready)
    change(campaign, pause_campaign)()

    def recall_and_cancel(messages):
        recall_messages(messages=messages)
        if not cancellations:  # messages depart in groups
            cancellations.append(pool.submit(at_once, change(campaign, cancel_campaign)))
            wait(cancellations, timeout=0.5)  # it waits for the worker's transaction

    with ThreadPoolExecutor(1) as pool, monkeypatch.context() as patch:
        patch.setattr(sending, "recall_messages", recall_and_cancel)
        send_claimed(messages=claim.messages)
        assert [each.result() for each in cancellations] == [[Campaign]]
    work()  # what didn't depart within the time of the batch is queued again
    assert statuses(campaign) == {"skipped"}


def test_pause_and_resumption_while_workers_send_repeat_and_lose_nothing(company, make):
    campaign = make()
    with tenant(company.pk):
        start_campaign(campaign=campaign, user=None)
    for _ in range(ROUNDS):
        at_once(work, change(campaign, pause_campaign))
        at_once(work, change(campaign, resume_campaign))
    work()
    with tenant(company.pk):
        Campaign.objects.filter(pk=campaign.pk).update(feed_at=timezone.now())
    work()
    with tenant(company.pk):
        assert sorted(Message.objects.values_list("membership", "status")) == [
            (member, "sent") for member in sorted(campaign.memberships.values_list("pk", flat=True))
        ]
    campaign.refresh_from_db()
    assert campaign.status == "completed"


def test_contacts_who_opt_out_while_workers_send_get_nothing_afterwards(company, make):
    campaign = make()
    with tenant(company.pk):
        start_campaign(campaign=campaign, user=None)
        phones = list(campaign.memberships.values_list("contact__phone", flat=True))[: MEMBERS // 2]
    stopped = {}

    def stop():
        for phone in phones:
            with tenant(company.pk):
                record_opt_out(phone=phone, words="STOP", source="sms", occurred_at=timezone.now())
            stopped[phone] = timezone.now()

    at_once(stop, work, work)
    work()
    assert statuses(campaign) <= ENDS
    with tenant(company.pk):
        for message in Message.objects.filter(status="sent", to_numbers__0__in=phones):
            assert message.sent_at <= stopped[message.to_numbers[0]]


def test_members_who_are_merged_while_workers_send_get_one_text(company, make):
    """Two texts have both left before the merge, or there is one."""
    campaign, merged_at = make(), {}
    with tenant(company.pk):
        start_campaign(campaign=campaign, user=None)
        members = list(Contact.objects.filter(campaign_memberships__campaign=campaign).order_by("pk"))
    pairs = list(zip(members[::2], members[1::2], strict=True))

    def merge():
        for kept, gone in pairs:
            with tenant(company.pk):
                merge_contacts(kept=kept, gone=gone, user=None)
            merged_at[kept.pk] = timezone.now()

    at_once(merge, work, work)
    with tenant(company.pk):  # a batch that a merge has refused rests for a minute
        Campaign.objects.filter(pk=campaign.pk).update(feed_at=timezone.now())
        PhoneLine.objects.update(next_send_at=timezone.now())
    work()
    assert statuses(campaign) <= ENDS
    with tenant(company.pk):
        assert not Message.objects.filter(status__in=["queued", "sending"]).exists()
        for kept, gone in pairs:
            assert campaign.memberships.filter(contact=kept).count() == 1
            assert not campaign.memberships.filter(contact=gone.pk).exists()
            texts = Message.objects.filter(membership__campaign=campaign, contact=kept, status="sent")
            left = sorted(texts.values_list("sent_at", flat=True))
            assert len(left) == 1 or (len(left) == 2 and left[1] <= merged_at[kept.pk])
