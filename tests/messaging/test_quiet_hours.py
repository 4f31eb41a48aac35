"""Quiet hours: a table of clocks. Times are in 2026 and in the first zone."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from messaging.quiet_hours import STATES, next_open, texting_hours_of
from messaging.states import zones_of_state

NEW_YORK, CHICAGO, DENVER, PHOENIX = "America/New_York", "America/Chicago", "America/Denver", "America/Phoenix"
LOS_ANGELES, BOISE, HONOLULU = "America/Los_Angeles", "America/Boise", "Pacific/Honolulu"

# zones, states, marketing, now, opens. 2 March 2026 is a Monday; daylight saving time is from 8 March to 1 November.
CLOCKS = [
    # Federal hours, 8 to 21.
    ([NEW_YORK], [], False, "03-02 07:59", "03-02 08:00"),
    ([NEW_YORK], [], False, "03-02 08:00", "03-02 08:00"),
    ([NEW_YORK], [], False, "03-02 20:59", "03-02 20:59"),
    ([NEW_YORK], [], False, "03-02 21:00", "03-03 08:00"),
    ([NEW_YORK], [], False, "03-02 23:59", "03-03 08:00"),
    ([NEW_YORK], [], False, "03-03 00:01", "03-03 08:00"),
    ([NEW_YORK], [], False, "03-08 08:00", "03-08 08:00"),  # a Sunday like any day
    ([NEW_YORK], [], False, "12-31 22:00", "01-01 08:00"),
    # Marketing hours: 9 to 20, on Sundays from 12.
    ([NEW_YORK], [], True, "03-02 08:30", "03-02 09:00"),
    ([NEW_YORK], [], True, "03-02 20:00", "03-03 09:00"),
    ([NEW_YORK], [], True, "03-07 20:30", "03-08 12:00"),
    ([NEW_YORK], [], True, "03-08 09:00", "03-08 12:00"),
    ([NEW_YORK], [], True, "03-08 20:00", "03-09 09:00"),
    # States in several spellings.
    ([NEW_YORK], ["FL"], False, "03-02 20:00", "03-03 08:00"),
    ([NEW_YORK], ["florida "], False, "03-02 20:30", "03-03 08:00"),
    ([NEW_YORK], ["NY"], False, "03-02 20:30", "03-02 20:30"),
    ([CHICAGO], ["TX"], False, "03-02 08:30", "03-02 09:00"),
    ([CHICAGO], ["Texas"], False, "03-08 09:30", "03-08 12:00"),
    ([CHICAGO], ["TX"], False, "03-08 20:30", "03-08 20:30"),
    ([CHICAGO], ["TX", "Florida"], False, "03-02 08:30", "03-02 09:00"),  # contact and number differ: both apply
    ([CHICAGO], ["TX", "Florida"], False, "03-02 20:00", "03-03 09:00"),
    ([NEW_YORK], ["RI"], False, "03-06 18:00", "03-07 10:00"),
    ([NEW_YORK], ["RI"], True, "03-07 17:00", "03-08 12:00"),
    ([NEW_YORK], ["RI"], True, "03-08 17:00", "03-09 09:00"),
    ([NEW_YORK], ["KY"], False, "03-02 09:00", "03-02 10:00"),
    ([LOS_ANGELES], ["Washington State"], False, "03-02 20:00", "03-03 08:00"),
    # Several zones: all must be open.
    ([BOISE, LOS_ANGELES], [], False, "03-02 08:30", "03-02 09:00"),
    ([BOISE, LOS_ANGELES], [], False, "03-02 20:30", "03-02 20:30"),
    ([BOISE, LOS_ANGELES], [], False, "03-02 21:00", "03-03 09:00"),
    ([NEW_YORK, HONOLULU], [], False, "03-02 09:00", "03-02 13:00"),
    ([NEW_YORK, HONOLULU], [], False, "07-06 09:00", "07-06 14:00"),  # Hawaii has no daylight saving time
    # Start of daylight saving time: 02:00 becomes 03:00, and 8:00 is an hour sooner.
    ([NEW_YORK], [], False, "03-07 21:00", "03-08 08:00"),
    ([NEW_YORK], [], False, "03-08 01:59", "03-08 08:00"),
    ([NEW_YORK], [], False, "03-08 03:00", "03-08 08:00"),
    ([PHOENIX, DENVER], [], False, "03-07 07:30", "03-07 08:00"),
    ([PHOENIX, DENVER], [], False, "03-08 07:30", "03-08 08:00"),  # Denver is at 8:30
    ([PHOENIX, DENVER], [], False, "03-08 20:00", "03-09 08:00"),  # Denver is at 21:00
    # End of daylight saving time: 02:00 becomes 01:00, and 8:00 is an hour later.
    ([NEW_YORK], [], False, "10-31 21:00", "11-01 08:00"),
    ([NEW_YORK], [], False, "11-01 00:30", "11-01 08:00"),
    ([NEW_YORK], [], True, "10-31 20:00", "11-01 12:00"),
]


def at(local, zone):
    return datetime.strptime(f"2026-{local}", "%Y-%m-%d %H:%M").replace(tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize(("zones", "states", "marketing", "now", "opens"), CLOCKS)
def test_next_open_is_the_first_instant_that_all_hours_and_zones_allow(zones, states, marketing, now, opens):
    moment, expected = at(now, zones[0]), at(opens, zones[0])
    if expected < moment:
        expected = expected.replace(year=2027)
    hours = texting_hours_of(states=states, marketing=marketing)
    found = next_open(moment=moment.astimezone(UTC), zones=[ZoneInfo(zone) for zone in zones], hours=hours)
    assert found == expected


@pytest.mark.parametrize(
    ("moment", "hours"), [("03-07 21:00", 10), ("10-31 21:00", 12), ("06-01 21:00", 11)]
)  # fmt: skip
def test_daylight_saving_night_is_shorter_or_longer(moment, hours):
    closes = at(moment, NEW_YORK).astimezone(UTC)
    opens = next_open(moment=closes, zones=[ZoneInfo(NEW_YORK)], hours=texting_hours_of(states=[], marketing=False))
    assert (opens - closes).total_seconds() == hours * 3600


def test_zones_that_are_never_open_together_have_no_hour():
    zones = [ZoneInfo("Pacific/Auckland"), ZoneInfo("Europe/Madrid")]
    hours = texting_hours_of(states=[], marketing=True)
    assert next_open(moment=datetime(2026, 3, 2, tzinfo=UTC), zones=zones, hours=hours) is None


def test_state_hours_are_stricter_than_federal_ones_and_have_a_source():
    for hours in STATES.values():
        assert hours.source
        assert len(hours.week) == 7
        assert all(8 <= opens < closes <= 21 for opens, closes in hours.week)
        assert set(hours.week) != {(8, 21)}


def test_every_state_with_hours_is_known_with_its_zones():
    assert [code for code in STATES if not zones_of_state(code)] == []
