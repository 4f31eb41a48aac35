"""Due times of members, by zone and law."""

from datetime import UTC, datetime, timedelta

import pytest

from crm.models import Campaign, CampaignMembership
from messaging.services.campaigns.due_times import set_due_times
from tests.count_queries import CountQueries
from tests.factories import CampaignMembershipFactory, ContactFactory, fictional_number

ANYWHERE = "+18005550101"  # a number without a place: the contact's own time zone decides
NIGHT = datetime(2026, 3, 3, 8, tzinfo=UTC)  # a Tuesday, three in the morning in New York


def due_times(campaign, now):
    """Return the due time of each member in UTC, in the order in which they were added."""
    campaign = Campaign.objects.select_related("company").get(pk=campaign.pk)
    set_due_times(campaign=campaign, now=now)
    members = CampaignMembership.objects.filter(campaign=campaign).order_by("pk")
    return [f"{member.due_at:%d %H:%M}" if member.due_at else member.status for member in members]


@pytest.mark.parametrize(
    ("contact", "due"),
    [
        ({"timezone": "America/New_York"}, "03 14:00"),  # nine o'clock
        ({"timezone": "America/Los_Angeles"}, "03 17:00"),
        ({"phone": "+12125550101"}, "03 14:00"),
        ({"phone": "+13035550101"}, "03 16:00"),
        ({"phone": "+12125550101", "state": "CO"}, "03 16:00"),  # both must be awake
        ({"phone": "+16065550101"}, "03 16:00"),  # Kentucky, in two zones: from ten
        ({"phone": "+18005550101"}, "03 16:00"),  # unknown: the company's zone
        ({"timezone": "Nowhere/Town", "phone": "+12125550101"}, "03 14:00"),
        ({"timezone": "Australia/Sydney"}, "03 08:00"),  # 19:00 there: now
    ],
)
def test_members_are_due_when_their_zone_and_law_allow(contact, due, draft, in_acme):
    CampaignMembershipFactory(campaign=draft, contact=ContactFactory(company=in_acme, **{"phone": ANYWHERE} | contact))
    assert due_times(draft, NIGHT) == [due]


@pytest.mark.parametrize(
    ("zone", "now", "due"),
    [
        # The night in which clocks are put forward, and the one in which they are put back: noon on Sundays.
        ("America/New_York", datetime(2026, 3, 8, 4, 30, tzinfo=UTC), "08 16:00"),
        ("America/New_York", datetime(2026, 3, 8, 7, 30, tzinfo=UTC), "08 16:00"),
        ("America/New_York", datetime(2026, 11, 1, 4, 30, tzinfo=UTC), "01 17:00"),
        ("America/New_York", datetime(2026, 11, 1, 6, 30, tzinfo=UTC), "01 17:00"),
        ("America/Phoenix", datetime(2026, 3, 8, 9, 30, tzinfo=UTC), "08 19:00"),  # has none
        ("Europe/Berlin", datetime(2026, 3, 29, 0, 30, tzinfo=UTC), "29 10:00"),
    ],
)
def test_nights_of_a_daylight_saving_change_are_right(zone, now, due, draft, in_acme):
    CampaignMembershipFactory(campaign=draft, contact=ContactFactory(company=in_acme, phone=ANYWHERE, timezone=zone))
    assert due_times(draft, now) == [due]


def test_member_who_may_never_be_texted_is_skipped(draft, in_acme, monkeypatch):
    monkeypatch.setattr("messaging.services.campaigns.due_times.next_allowed", lambda **_: None)
    CampaignMembershipFactory(campaign=draft, contact=ContactFactory(company=in_acme))
    assert due_times(draft, NIGHT) == ["skipped"]


def test_only_pending_members_get_a_due_time(draft, in_acme):
    sent = CampaignMembershipFactory(
        campaign=draft, contact__company=in_acme, status="sent", sent_at=NIGHT - timedelta(hours=1)
    )
    assert due_times(draft, NIGHT) == [sent.status]


def test_many_members_take_two_statements(draft, in_acme):
    zones = ["America/New_York", "America/Denver", "America/Los_Angeles"]
    for number in range(30):
        contact = ContactFactory(company=in_acme, phone=fictional_number(number), timezone=zones[number % 3])
        CampaignMembershipFactory(campaign=draft, contact=contact)
    campaign = Campaign.objects.select_related("company").get(pk=draft.pk)
    with CountQueries() as asked:
        set_due_times(campaign=campaign, now=NIGHT)
    assert len(asked) == 2  # to find the groups, and to set their times
    due = CampaignMembership.objects.values_list("contact__timezone", "due_at").distinct()
    assert {zone: at.hour for zone, at in due} == dict(zip(zones, [14, 16, 17], strict=True))
