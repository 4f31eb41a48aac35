"""Counts of a campaign's members: exact under concurrent writers, summing up and rebuilding."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from crm.db.tenancy import tenant
from crm.models import CampaignCount, CampaignMembership
from messaging.services.campaigns import counts
from messaging.services.campaigns.counts import count_results, find_wrong_counts, rebuild_counts, sum_up_next_counts
from tests.factories import CampaignFactory, CampaignMembershipFactory, CompanyFactory, ContactFactory

STATUSES = ["pending", "sending", "sent", "delivered", "replied", "opted_out", "failed"]


def change_often(members, times=1):
    for member in members:
        for _ in range(times):
            for status in STATUSES:
                sent_at = timezone.now() if status in ("sent", "delivered", "replied", "opted_out") else None
                CampaignMembership.objects.filter(pk=member.pk).update(status=status, sent_at=sent_at)


def test_many_changes_are_replaced_by_their_sums(in_acme):
    campaign = CampaignFactory(company=in_acme)
    members = [CampaignMembershipFactory(campaign=campaign, contact__company=in_acme) for _ in range(30)]
    change_often(members)
    before, rows = count_results(campaign=campaign), CampaignCount.objects.count()
    assert rows > counts.MANY
    assert sum_up_next_counts()
    assert CampaignCount.objects.count() == 1
    assert count_results(campaign=campaign) == before == counts.Results(sent=0, opted_out=0, failed=30)
    assert not sum_up_next_counts()
    assert find_wrong_counts() == []


def test_results_count_messages_that_left(in_acme):
    campaign = CampaignFactory(company=in_acme)
    for status in ["sent", "delivered", "replied", "opted_out"]:
        CampaignMembershipFactory(campaign=campaign, contact__company=in_acme, status=status, sent_at=timezone.now())
    CampaignMembershipFactory(campaign=campaign, contact__company=in_acme, status="opted_out")  # was never sent
    assert count_results(campaign=campaign) == counts.Results(sent=4, opted_out=1, failed=0)


def test_command_finds_and_rebuilds_wrong_counts(in_acme, capsys):
    campaign = CampaignFactory(company=in_acme, name="Spring check")
    CampaignMembershipFactory(campaign=campaign, contact__company=in_acme)
    call_command("rebuild_rollups", "--check")
    CampaignCount.objects.update(members=7)
    with pytest.raises(CommandError, match="differ"):
        call_command("rebuild_rollups", "--check")
    assert f"acme: campaign {campaign.pk} has other counts than its members." in capsys.readouterr().out
    call_command("rebuild_rollups")
    call_command("rebuild_rollups", "--check")
    assert CampaignCount.objects.get().members == 1


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_sums_stay_exact_while_members_change_and_counts_are_summed_up_and_rebuilt():
    company = CompanyFactory(slug="acme")
    campaign = CampaignFactory(company=company)
    members = [CampaignMembershipFactory(campaign=campaign, contact=ContactFactory(company=company)) for _ in range(40)]
    over = threading.Event()

    def write(part):
        try:
            for member in members[part::4]:
                with tenant(company.pk):
                    change_often([member], times=2)
        finally:
            connection.close()

    def tidy(work):
        try:
            while not over.is_set():
                with tenant(company.pk):
                    work()
                over.wait(random.random() / 10)  # noqa: S311
        finally:
            connection.close()

    def sum_up():
        counts.sum_up_counts(campaign_id=campaign.pk)

    with ThreadPoolExecutor(7) as pool:
        tidying = [pool.submit(tidy, work) for work in (sum_up, sum_up, rebuild_counts)]
        writing = [pool.submit(write, part) for part in range(4)]
        for task in writing:
            task.result()
        over.set()
        for task in tidying:
            task.result()
    with tenant(company.pk):
        assert find_wrong_counts() == []
        assert count_results(campaign=campaign).failed == 40
