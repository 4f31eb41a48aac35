"""Quiet hours: the texting hours of federal and state law and of a company, and the next time that all of them allow.

Hours are the recipient's wall clock, [opens, closes), Monday first. "Vendor table" marks lists published by vendors,
which disagree with one another. The stricter value is used, and no statute is cited.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from crm.models import Company
from crm.texting_hours import EARLIEST, LATEST
from messaging.states import state_code

LOOK_AHEAD_DAYS = 14


@dataclass(frozen=True)
class TextingHours:
    """Allowed hours for each day of the week, and their legal source."""

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


FEDERAL = _hours("47 CFR 64.1200(c)(1)", (EARLIEST, LATEST))
# For campaigns, even where the law allows more hours: an industry custom, not a law.
MARKETING = _hours("industry custom", (9, 20), sunday=(12, 20))

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


def texting_hours_of(*, states: Iterable[str], marketing: bool) -> list[TextingHours]:
    """Return all hours that apply: federal, those of the states (in any spelling), and the marketing hours."""
    codes = {state_code(state) for state in states}
    return [FEDERAL, *(STATES[code] for code in sorted(codes & set(STATES))), *([MARKETING] if marketing else [])]


def texting_hours_of_company(company: Company) -> TextingHours:
    """Return the hours that the company allows: at most those of federal law."""
    return _hours("the company's settings", (company.quiet_hours_end, company.quiet_hours_start))


def next_open(*, moment: datetime, zones: Iterable[ZoneInfo], hours: Iterable[TextingHours]) -> datetime | None:
    """Return the first instant from `moment` on that all hours allow in every zone; None if there is none.

    The search advances to the next opening of each closed zone until all are open. Openings are wall-clock times, so
    nights of a daylight-saving change are correct.
    """
    zones, hours = list(zones), list(hours)
    last, found = moment + timedelta(days=LOOK_AHEAD_DAYS), moment
    while found <= last:
        later = max(_next_open_in(zone, found, hours) for zone in zones)
        if later == found:
            return found
        found = later
    return None


def _next_open_in(zone: ZoneInfo, moment: datetime, hours: list[TextingHours]) -> datetime:
    local = moment.astimezone(zone)
    day = local.date()
    while True:
        opens = max(rule.week[day.weekday()][0] for rule in hours)
        closes = min(rule.week[day.weekday()][1] for rule in hours)
        if day > local.date() or local.hour < opens:
            return datetime.combine(day, time(opens), zone).astimezone(UTC)
        if local.hour < closes:
            return moment
        day += timedelta(days=1)
