"""Recurring campaigns: each run is a campaign of its own, at the same time of the company's clock."""

from datetime import UTC, datetime, timedelta
from time import monotonic
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from crm.models import Campaign, CampaignStep
from crm.recurrence import InvalidRule
from messaging.services.campaigns.jobs import run_next_campaign
from messaging.services.campaigns.recurrence import (
    COMMON_RULES,
    check_recurrence,
    next_run_at,
    upcoming_runs,
)
from messaging.services.campaigns.runs import start_campaign
from tests.errors import code_of
from tests.factories import SegmentFactory

DENVER = ZoneInfo("America/Denver")


@pytest.mark.parametrize(
    ("rule", "this", "following"),
    [
        ("FREQ=WEEKLY", "2026-03-02T17:00:00+00:00", "2026-03-09T16:00:00+00:00"),  # daylight-saving time has begun
        ("FREQ=DAILY", "2026-10-31T16:00:00+00:00", "2026-11-01T17:00:00+00:00"),  # and has ended
        ("FREQ=MONTHLY;BYMONTHDAY=1", "2026-03-02T17:00:00+00:00", "2026-04-01T16:00:00+00:00"),
        ("FREQ=MONTHLY;BYMONTHDAY=31", "2026-01-31T17:00:00+00:00", "2026-03-31T16:00:00+00:00"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", "2026-03-03T17:00:00+00:00", "2026-03-17T16:00:00+00:00"),
        ("FREQ=DAILY;UNTIL=20260302", "2026-03-02T17:00:00+00:00", None),
    ],
)
def test_run_keeps_its_time_of_the_companys_clock(rule, this, following):
    this = datetime.fromisoformat(this)
    found = next_run_at(rule=rule, this=this, after=this, zone=DENVER)
    assert (found and found.astimezone(UTC).isoformat()) == following


def test_time_that_the_clocks_skip_on_one_day_comes_back_on_the_next():
    half_past_two = datetime(2026, 3, 6, 2, 30, tzinfo=DENVER)
    runs = [half_past_two, half_past_two + timedelta(days=1)]
    while len(runs) < 5:
        this = runs[-1].astimezone(UTC)
        runs.append(next_run_at(rule="FREQ=DAILY", this=this, after=this, zone=DENVER, before=runs[-2].astimezone(UTC)))
    assert [f"{run.astimezone(UTC).astimezone(DENVER):%d %H:%M}" for run in runs] == [
        "06 02:30", "07 02:30", "08 03:30", "09 02:30", "10 02:30",
    ]  # fmt: skip


def test_time_that_a_person_has_changed_stays_changed():
    before, this = datetime(2026, 3, 6, 9, tzinfo=DENVER), datetime(2026, 3, 7, 10, tzinfo=DENVER).astimezone(UTC)
    following = next_run_at(rule="FREQ=DAILY", this=this, after=this, zone=DENVER, before=before)
    assert following == datetime(2026, 3, 8, 10, tzinfo=DENVER)


@pytest.mark.parametrize(
    "rule", ["FREQ=DAILY;BYHOUR=11", "FREQ=WEEKLY;BYHOUR=11", "FREQ=MONTHLY;BYHOUR=11;BYMINUTE=30"]
)
def test_next_run_is_on_a_later_day_than_one_that_a_person_has_started(rule):
    this = datetime(2026, 3, 3, 17, tzinfo=UTC)  # ten o'clock in Denver
    following = next_run_at(rule=rule, this=this, after=this, zone=DENVER)
    assert following.astimezone(DENVER).date() > this.astimezone(DENVER).date()
    assert following.astimezone(DENVER).hour == 11


def test_rule_that_names_no_day_is_found_out_soon():
    began = monotonic()
    for rule in ("FREQ=MONTHLY;BYMONTHDAY=31;BYMONTH=2", "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=31"):
        with pytest.raises(InvalidRule):
            check_recurrence(rule=rule)
    assert monotonic() - began < 30  # it was a minute


@pytest.mark.parametrize("rule", [*COMMON_RULES, "FREQ=MONTHLY;BYDAY=1MO", "FREQ=MONTHLY;BYDAY=MO,FR;BYSETPOS=-1"])
def test_usual_rules_are_allowed(rule):
    check_recurrence(rule=rule)
    this = datetime(2026, 3, 3, 17, tzinfo=UTC)
    assert len(upcoming_runs(rule=rule, first=this, number=3, zone=DENVER)) == 3


@pytest.mark.parametrize(
    "rule",
    [
        "monthly", "FREQ=HOURLY", "FREQ=DAILY;COUNT=3", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;BYHOUR=9,12",
        "FREQ=DAILY;UNTIL=soon", "FREQ=MONTHLY;BYMONTHDAY=31;BYMONTH=2", "FREQ=WEEKLY;BYDAY=XX", "FREQ=DAILY;;",
        "DTSTART:20200101T000000\nRRULE:FREQ=DAILY", "FREQ=DAILY;BYSETPOS=366", "FREQ=DAILY;BYMONTHDAY=-31;BYMONTH=2,4",
        "FREQ=WEEKLY;BYSETPOS=-366", "FREQ=WEEKLY;BYDAY=1MO", "FREQ=MONTHLY;BYMONTH=0", "FREQ=MONTHLY;BYMONTHDAY=32",
        "FREQ=DAILY;INTERVAL=7;BYDAY=TU", "FREQ=YEARLY;BYMONTH=13", "FREQ=MONTHLY;BYDAY=6MO", "FREQ=MONTHLY;BYDAY=0MO",
    ],
)  # fmt: skip
def test_rule_that_can_not_be_used_is_refused_when_it_is_written(rule, in_acme, manager_api):
    segment = SegmentFactory(company=in_acme)
    answer = manager_api.post("/api/v1/campaigns", {"name": "Check", "segment": segment.pk, "recurrence": rule})
    assert (answer.status_code, code_of(answer)) == (400, "invalid_recurrence")


def test_start_schedules_the_next_run_with_its_steps(draft, add_members, manager, in_acme):
    CampaignStep.objects.create(company=in_acme, campaign=draft, step=2, delay_minutes=60, body="Still there?")
    Campaign.objects.update(
        purpose="service",
        recurrence="FREQ=MONTHLY;BYMONTHDAY=1",
        segment=SegmentFactory(company=in_acme),
    )
    add_members(draft)
    start_campaign(campaign=draft, user=manager)
    following = Campaign.objects.get(previous_run=draft)
    assert (following.status, following.body, following.started_by) == ("scheduled", draft.body, manager)
    assert following.purpose == "service"
    assert following.scheduled_at > timezone.now()
    assert following.scheduled_at.astimezone(DENVER).day == 1
    assert list(following.steps.values_list("step", "delay_minutes", "body")) == [(2, 60, "Still there?")]
    assert not following.memberships.exists()


def test_run_without_contacts_ends_and_the_next_one_follows(draft, manager, in_acme):
    """A week in which nobody has an overdue invoice doesn't end the series."""
    draft.segment = SegmentFactory(company=in_acme, definition={"field": {"name": "city", "is": ["Nowhere"]}})
    draft.recurrence, draft.status, draft.scheduled_at = "FREQ=WEEKLY", "scheduled", timezone.now()
    draft.save()
    while run_next_campaign():
        pass
    draft.refresh_from_db()
    assert (draft.status, draft.status_reason) == ("completed", "")
    assert Campaign.objects.get(previous_run=draft).status == "scheduled"
