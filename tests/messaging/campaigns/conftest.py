"""Fixtures: a draft of Acme's on its line, and members whose zone lets them be texted now."""

import pytest

from tests.factories import CampaignFactory, CampaignMembershipFactory, ContactFactory, fictional_number
from tests.messaging.clocks import zone_with_hour


@pytest.fixture
def draft(acme, desk):
    return CampaignFactory(company=acme, body="Hi {first_name|there}, is your roof ready?", phone_line=desk)


@pytest.fixture
def awake():
    """A time zone in which it is two in the afternoon."""
    return zone_with_hour(14)


@pytest.fixture
def add_members(awake):
    """Add contacts to a campaign. Returns the memberships."""

    def add(campaign, count=1, **contact):
        numbers = [fictional_number(number) for number in range(1000, 1000 + count)]
        fields = {"company": campaign.company, "timezone": awake} | contact
        return [
            CampaignMembershipFactory(campaign=campaign, contact=ContactFactory(phone=phone, **fields))
            for phone in numbers
        ]

    return add
