"""Appointments as slots of a calendar, by rep, in the company's time zone."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from calls.choices import AppointmentStatus
from calls.models import Appointment, TimeOff
from crm.choices import ASSIGNABLE_ROLES
from crm.date_ranges import parse_day
from crm.models import Company, User

MAX_SHOWN = 600
MAX_REPS = 40
NOBODY = "No rep"
MOVABLE = (AppointmentStatus.SCHEDULED, AppointmentStatus.CONFIRMED)


@dataclass(frozen=True)
class Slot:
    """One appointment. Its times are in its own zone, which is shown if it isn't the company's."""

    appointment: Appointment
    starts: datetime
    """The company's wall clock, without an offset, as `stops`."""
    stops: datetime
    begins: str
    ends: str
    zone: str
    is_conflict: bool
    """True if its rep has another appointment at the same time."""

    @property
    def day(self) -> date:
        return self.starts.date()

    @property
    def is_movable(self) -> bool:
        """Return whether it may be dragged: what is over stays, and other zones' hours aren't in the calendar."""
        return self.appointment.status in MOVABLE and not self.zone

    @property
    def seen(self) -> str:
        return place_of(self.appointment)


def place_of(appointment: Appointment) -> str:
    """Return a text that differs after each move."""
    return f"{appointment.scheduled_start.timestamp():.0f}-{appointment.assigned_rep_id or ''}"


@dataclass(frozen=True)
class OffTime:
    """Time off of a rep by the company's wall clock, without an offset."""

    row: TimeOff
    starts: datetime
    stops: datetime

    def on(self, day: date) -> str:
        """Return the hours of it on that day, its beginning and its end; "" if it isn't then."""
        midnight = datetime.combine(day, time.min)
        start, stop = max(self.starts, midnight), min(self.stops, midnight + timedelta(days=1))
        if start >= stop:
            return ""
        return "all day" if stop - start == timedelta(days=1) else f"{start:%H:%M}–{stop:%H:%M}"


@dataclass(frozen=True)
class RepSlots:
    rep: User | None
    slots: list[Slot]
    time_off: list[OffTime] = field(default_factory=list)

    @property
    def name(self) -> str:
        return str(self.rep) if self.rep else NOBODY

    @property
    def key(self) -> str:
        """The value of the rep's choice in the form that moves an appointment."""
        return str(self.rep.pk) if self.rep else ""

    @property
    def conflicts(self) -> int:
        return sum(slot.is_conflict for slot in self.slots)

    def off_on(self, day: date) -> list[tuple[str, TimeOff]]:
        """Return the hours of each time off on that day."""
        return [(hours, each.row) for each in self.time_off if (hours := each.on(day))]


def active_reps(company: Company) -> list[User]:
    """Return the reps who may get appointments, few enough for one page."""
    reps = User.objects.filter(company=company.pk, is_active=True, role__in=ASSIGNABLE_ROLES["assigned_rep"])
    return list(reps.order_by("first_name", "last_name", "username")[:MAX_REPS])


def slots_by_rep(company: Company, start: datetime, end: datetime) -> tuple[list[RepSlots], bool]:
    """Return the active reps and those with appointments in [start, end), and whether there are more than MAX_SHOWN."""
    found = Appointment.objects.not_cancelled().filter(
        company=company.pk, scheduled_start__gte=start, scheduled_start__lt=end
    )
    rows = list(found.select_related("contact", "assigned_rep").order_by("scheduled_start", "pk")[: MAX_SHOWN + 1])
    by_rep: dict[User | None, list[Appointment]] = defaultdict(list)
    for rep in active_reps(company):
        by_rep[rep] = []
    for row in rows[:MAX_SHOWN]:
        by_rep[row.assigned_rep].append(row)
    off: dict[int, list[OffTime]] = defaultdict(list)
    for each in TimeOff.objects.within(start, end).filter(company=company.pk).order_by("starts_at", "pk")[:MAX_SHOWN]:
        times = (moment.astimezone(company.zone).replace(tzinfo=None) for moment in (each.starts_at, each.ends_at))
        off[each.rep_id].append(OffTime(each, *times))
    shown = [
        RepSlots(rep, _slots(of_rep, company.zone, rep), off[rep.pk] if rep else []) for rep, of_rep in by_rep.items()
    ]
    return sorted(shown, key=lambda each: (each.rep is None, each.name)), len(rows) > MAX_SHOWN


def chosen_day(text: str, default: date) -> date:
    """Return the day that the text names, else the default."""
    try:
        return parse_day(text)
    except ValueError:
        return default


def _slots(appointments: list[Appointment], zone: ZoneInfo, rep: User | None) -> list[Slot]:
    """Return the slots of a rep. `appointments` are in the order of their starts."""
    conflicts = _conflicts(appointments) if rep else set()
    slots = []
    for row in appointments:
        own = ZoneInfo(row.timezone)
        begins, ends = row.scheduled_start.astimezone(own), row.scheduled_end.astimezone(own)
        slots.append(
            Slot(
                appointment=row,
                starts=row.scheduled_start.astimezone(zone).replace(tzinfo=None),
                stops=row.scheduled_end.astimezone(zone).replace(tzinfo=None),
                begins=f"{begins:%H:%M}",
                ends=f"{ends:%H:%M}",
                zone=f"{begins:%Z}" if row.timezone != zone.key else "",
                is_conflict=row.pk in conflicts,
            )
        )
    return slots


def _conflicts(appointments: list[Appointment]) -> set[int]:
    """Return the ids of those that overlap another one; they are in the order of their starts."""
    found: set[int] = set()
    for n, earlier in enumerate(appointments):
        for later in appointments[n + 1 :]:
            if later.scheduled_start >= earlier.scheduled_end:
                break
            found |= {earlier.pk, later.pk}
    return found
