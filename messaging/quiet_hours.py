"""When people may be texted: the windows of the law as data, and the next instant at which all of them are open.

Hours are wall clock at the recipient, [opens, closes), Monday first. Sources marked "vendor table" are lists that
vendors publish and that disagree with one another: kept to on the safe side, cited as no statute.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import geocoder
from phonenumbers.timezone import UNKNOWN_TIMEZONE, time_zones_for_number

LOOK_AHEAD_DAYS = 14
MAX_ZONES = 16  # a number with more (toll-free ones have 42) says nothing about where anybody is


@dataclass(frozen=True)
class TextingHours:
    """The hours of each day of the week, and who says so."""

    week: tuple[tuple[int, int], ...]
    source: str


def _hours(
    source: str,
    days: tuple[int, int],
    *,
    saturday: tuple[int, int] | None = None,
    sunday: tuple[int, int] | None = None,
) -> TextingHours:
    return TextingHours(week=(*[days] * 5, saturday or days, sunday or days), source=source)


FEDERAL = _hours("47 CFR 64.1200(c)(1)", (8, 21))
# Campaigns are sent in these at most, wherever the law allows more: customary in the trade, no law.
MARKETING = _hours("our own", (9, 20), sunday=(12, 20))

STATES = {
    "FL": _hours("Florida Statutes 501.616(6)", (8, 20)),
    "TX": _hours("Texas SB 140 (2025)", (9, 21), sunday=(12, 21)),
    "AL": _hours("vendor table", (8, 20)),
    "CT": _hours("vendor table", (9, 20)),
    "KY": _hours("vendor table", (10, 21)),
    "LA": _hours("vendor table", (8, 20)),
    "MA": _hours("vendor table", (8, 20)),
    "MD": _hours("vendor table", (8, 20)),
    "MS": _hours("vendor table", (8, 20)),
    "NJ": _hours("vendor table", (8, 20)),
    "OK": _hours("vendor table", (8, 20)),
    "RI": _hours("vendor table", (9, 18), saturday=(10, 17), sunday=(10, 17)),
    "WA": _hours("vendor table", (8, 20)),
}
# What people write on a card and what the number's region is called, where it is not the two letters.
STATE_NAMES = {
    "alabama": "AL", "connecticut": "CT", "florida": "FL", "kentucky": "KY", "louisiana": "LA", "maryland": "MD",
    "massachusetts": "MA", "mississippi": "MS", "new jersey": "NJ", "oklahoma": "OK", "rhode island": "RI",
    "texas": "TX", "washington": "WA", "washington state": "WA",
}  # fmt: skip


def texting_hours_of(*, states: Iterable[str], marketing: bool) -> list[TextingHours]:
    """The windows that bind a text: the federal one, those of the states, in any spelling, and ours for marketing."""
    codes = {STATE_NAMES.get(state.strip().lower(), state.strip().upper()) for state in states}
    return [FEDERAL, *(STATES[code] for code in sorted(codes & set(STATES))), *([MARKETING] if marketing else [])]


def next_open(*, moment: datetime, zones: Iterable[ZoneInfo], windows: Iterable[TextingHours]) -> datetime | None:
    """The first instant from `moment` on that lies within all windows in every one of the zones. None if there is none.

    Found by moving on to the next opening of whichever zone is closed, until none is. Openings are wall clock times,
    so that both nights of a change to and from summer time come out right.
    """
    zones, windows = list(zones), list(windows)
    last, found = moment + timedelta(days=LOOK_AHEAD_DAYS), moment
    while found <= last:
        later = max(_next_open_in(zone, found, windows) for zone in zones)
        if later == found:
            return found
        found = later
    return None


def _next_open_in(zone: ZoneInfo, moment: datetime, windows: list[TextingHours]) -> datetime:
    local = moment.astimezone(zone)
    day = local.date()
    while True:
        opens = max(window.week[day.weekday()][0] for window in windows)
        closes = min(window.week[day.weekday()][1] for window in windows)
        if day > local.date() or local.hour < opens:
            return datetime.combine(day, time(opens), zone).astimezone(UTC)
        if local.hour < closes:
            return moment
        day += timedelta(days=1)


def zones_of_number(phone: str) -> list[str]:
    """The IANA zones in which who has this number, E.164, may be. Empty where it doesn't say: toll-free, unknown."""
    zones = [zone for zone in time_zones_for_number(phonenumbers.parse(phone)) if zone != UNKNOWN_TIMEZONE]
    return zones if len(zones) <= MAX_ZONES else []


def state_of_number(phone: str) -> str:
    """The state of the area code: `Florida`, or `FL` of a `Palm Beach, FL`. Florida presumes that people live there.

    Empty for another country's numbers and where it isn't known.
    """
    number = phonenumbers.parse(phone)
    if number.country_code != 1:
        return ""
    return geocoder.description_for_number(number, "en").rpartition(", ")[2]
