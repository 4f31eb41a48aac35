"""A week of a company's appointments: a row for each rep, a column for each day of the company."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from calls.models import Appointment
from crm.date_ranges import FIRST_DAY, LAST_DAY, bounds_of, parse_day, today_in
from crm.models import Company, User

DAYS = 7
MAX_SHOWN = 600
NOBODY = "No rep"


@dataclass(frozen=True)
class Slot:
    """One appointment. Its times are in its own zone, which is shown if it isn't the company's."""

    appointment: Appointment
    begins: str
    ends: str
    zone: str
    is_conflict: bool
    """True if its rep has another appointment at the same time."""


@dataclass(frozen=True)
class RepRow:
    name: str
    days: list[tuple[date, list[Slot]]]
    conflicts: int


@dataclass(frozen=True)
class Week:
    company: Company
    days: list[date]
    rows: list[RepRow]
    today: date
    earlier: date
    later: date
    is_cut: bool
    """True if the week has more than MAX_SHOWN appointments."""

    @property
    def conflicts(self) -> int:
        return sum(row.conflicts for row in self.rows)


def week_of(company: Company, day: str) -> Week:
    """Return the week with this day, from Monday on. Of any other text: the present week."""
    zone = company.zone
    today = today_in(zone)
    monday = _monday(day, today)
    days = [monday + timedelta(days=n) for n in range(DAYS)]
    start, end = bounds_of(days[0], days[-1], zone)
    found = Appointment.objects.not_cancelled().filter(
        company=company.pk, scheduled_start__gte=start, scheduled_start__lt=end
    )
    rows = list(found.select_related("contact", "assigned_rep").order_by("scheduled_start", "pk")[: MAX_SHOWN + 1])
    by_rep: dict[User | None, list[Appointment]] = defaultdict(list)
    for row in rows[:MAX_SHOWN]:
        by_rep[row.assigned_rep].append(row)
    shown = [_row(rep, of_rep, days, zone) for rep, of_rep in by_rep.items()]
    return Week(
        company=company,
        days=days,
        rows=sorted(shown, key=lambda row: (row.name == NOBODY, row.name)),
        today=today,
        earlier=monday - timedelta(days=DAYS),
        later=monday + timedelta(days=DAYS),
        is_cut=len(rows) > MAX_SHOWN,
    )


def _monday(day: str, today: date) -> date:
    try:
        chosen = parse_day(day)
    except ValueError:
        chosen = today
    monday = chosen - timedelta(days=chosen.weekday())
    within = timedelta(days=DAYS)
    return monday if FIRST_DAY + within <= monday <= LAST_DAY - 2 * within else today - timedelta(days=today.weekday())


def _row(rep: User | None, appointments: list[Appointment], days: list[date], zone: ZoneInfo) -> RepRow:
    """Return the row of a rep. `appointments` are in the order of their starts."""
    conflicts = _conflicts(appointments) if rep else set()
    of_day: dict[date, list[Slot]] = defaultdict(list)
    for row in appointments:
        own = ZoneInfo(row.timezone)
        begins, ends = row.scheduled_start.astimezone(own), row.scheduled_end.astimezone(own)
        slot = Slot(
            appointment=row,
            begins=f"{begins:%H:%M}",
            ends=f"{ends:%H:%M}",
            zone=f"{begins:%Z}" if row.timezone != zone.key else "",
            is_conflict=row.pk in conflicts,
        )
        of_day[row.scheduled_start.astimezone(zone).date()].append(slot)
    return RepRow(str(rep) if rep else NOBODY, [(day, of_day[day]) for day in days], len(conflicts))


def _conflicts(appointments: list[Appointment]) -> set[int]:
    """Return the ids of those that overlap another one; they are in the order of their starts."""
    found: set[int] = set()
    for n, earlier in enumerate(appointments):
        for later in appointments[n + 1 :]:
            if later.scheduled_start >= earlier.scheduled_end:
                break
            found |= {earlier.pk, later.pk}
    return found
