"""Working hours of a company, by its own clock."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from crm.working_hours import is_open

DENVER = ZoneInfo("America/Denver")
WEEK = {
    "monday": {"opens": "08:00", "closes": "17:30"},
    "sunday": {"opens": "01:30", "closes": "03:30"},
    "friday": None,
}


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        ("2027-03-08T07:59", False),  # a Monday
        ("2027-03-08T08:00", True),
        ("2027-03-08T17:29", True),
        ("2027-03-08T17:30", False),
        ("2027-03-09T10:00", False),  # a day without hours
        ("2027-03-12T10:00", False),
        ("2027-03-14T01:45", True),  # the clock goes from two to three
        ("2027-03-14T03:15", True),
        ("2027-03-14T03:30", False),
        ("2027-11-07T01:45", True),  # the clock goes from two back to one
        ("2027-11-07T03:15", True),
    ],
)
def test_company_works_within_the_hours_of_its_clock(local, expected):
    assert is_open(hours=WEEK, zone=DENVER, moment=datetime.fromisoformat(local).replace(tzinfo=DENVER)) is expected


def test_company_without_working_hours_always_works():
    assert is_open(hours=None, zone=DENVER, moment=datetime(2027, 3, 14, 2, tzinfo=DENVER))
