"""A campaign that runs across the night in which the clocks change, hour by hour."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from crm.db.tenancy import tenant
from crm.models import CampaignMembership, CampaignStep
from messaging.models import Message
from messaging.services.campaigns.jobs import run_next_campaign
from messaging.services.campaigns.runs import start_campaign
from messaging.services.outbound.sending import send_next_messages
from tests.factories import CampaignFactory, CampaignMembershipFactory, CompanyFactory, ContactFactory, PhoneLineFactory

NEW_YORK, PHOENIX = ZoneInfo("America/New_York"), ZoneInfo("America/Phoenix")
SATURDAYS = [datetime(2026, 3, 7), datetime(2026, 10, 31)]  # the clocks change in the night that follows
OF_A_ZONE = 6
DAY_LIMIT = 5  # so that some of both zones are left for Sunday and Monday
STEP = timedelta(minutes=50)  # not a divisor of a day: all minutes come up


class Clock:
    """The time that the product sees."""

    def __init__(self, monkeypatch, now):
        self.now = now
        monkeypatch.setattr("django.utils.timezone.now", lambda: self.now)


@pytest.fixture
def campaign(in_new_york, saturday):
    """A campaign of two messages, a day apart, to contacts in two zones."""
    line = PhoneLineFactory(company=in_new_york, next_send_at=saturday, next_campaign_send_at=saturday)
    campaign = CampaignFactory(
        company=in_new_york, body="Roof check?", phone_line=line, daily_limit=DAY_LIMIT, created_at=saturday
    )
    CampaignStep.objects.create(company=in_new_york, campaign=campaign, step=2, delay_minutes=24 * 60, body="Still?")
    for number in range(2 * OF_A_ZONE):
        zone, area = [(NEW_YORK, 212), (PHOENIX, 602)][number % 2]
        contact = ContactFactory(company=in_new_york, phone=f"+1{area}55501{number:02d}", timezone=zone.key)
        CampaignMembershipFactory(campaign=campaign, contact=contact)
    return campaign


@pytest.fixture
def in_new_york(db):
    company = CompanyFactory(timezone=NEW_YORK.key)
    with tenant(company.pk):
        yield company


@pytest.fixture(params=SATURDAYS, ids=["spring", "autumn"])
def saturday(request):
    """Ten in the morning in New York."""
    return request.param.replace(hour=10, tzinfo=NEW_YORK).astimezone(UTC)


def work():
    while run_next_campaign() or send_next_messages():
        pass


@pytest.mark.slow
def test_nobody_is_texted_outside_of_their_hours_left_out_or_texted_twice(campaign, saturday, monkeypatch):
    clock = Clock(monkeypatch, saturday)
    start_campaign(campaign=campaign, user=None)
    while campaign.status != "completed":
        work()
        clock.now += STEP
        campaign.refresh_from_db()
        assert clock.now < saturday + timedelta(days=8)
    members = CampaignMembership.objects.values_list("step", "status")
    assert Counter(members) == {(1, "sent"): 2 * OF_A_ZONE, (2, "sent"): 2 * OF_A_ZONE}
    sent = Message.objects.filter(kind="campaign").order_by("sent_at").select_related("contact", "membership")
    assert set(Counter((message.contact_id, message.body) for message in sent).values()) == {1}
    first_sent, days = {}, Counter()
    for message in sent:
        local = message.sent_at.astimezone(ZoneInfo(message.contact.timezone))
        opens = 12 if local.weekday() == 6 else 9
        assert opens <= local.hour < 20, local
        first = first_sent.setdefault(message.contact_id, message.sent_at)
        assert message.membership.step == 1 or message.sent_at - first >= timedelta(days=1)
        days[message.sent_at.astimezone(NEW_YORK).date()] += 1
    assert max(days.values()) == DAY_LIMIT  # of the company's day, which has 23 or 25 hours on Sunday
    assert days[saturday.date()] == days[saturday.date() + timedelta(days=1)] == DAY_LIMIT
