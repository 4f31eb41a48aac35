"""Free slots: times at which a rep can take an appointment of some length."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from calls.models import Appointment, TimeOff
from calls.querysets import MAX_APPOINTMENT_LENGTH
from crm.choices import ASSIGNABLE_ROLES
from crm.date_ranges import DateRange, start_of
from crm.models import Company, User
from crm.working_hours import DAYS

STEP = timedelta(minutes=30)
MAX_SLOTS = 2000

Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class FreeSlot:
    """Times are in UTC."""

    rep: User
    starts_at: datetime
    ends_at: datetime


def assignable_reps() -> QuerySet[User]:
    """Return the reps of the active tenant who may get appointments, by name."""
    reps = User.objects.filter(is_active=True, role__in=ASSIGNABLE_ROLES["assigned_rep"])
    return reps.order_by("first_name", "last_name", "username")


def find_free_slots(
    *, company: Company, reps: Sequence[User], days: DateRange, length: timedelta, now: datetime
) -> list[FreeSlot]:
    """Return the first MAX_SLOTS + 1 free slots of these days from `now` on, by start and rep.

    A slot begins every half hour from the beginning of the rep's working hours, and lies within them. It overlaps no
    time off, and no appointment but cancelled ones. Takes two statements for any number of reps and days.
    """
    found: list[FreeSlot] = []
    start, end = days.closed_bounds
    busy = _busy_times(reps, max(start, now), end)
    for day in days.days:
        of_day = []
        for rep in reps:
            hours = company.working_hours if rep.working_hours is None else rep.working_hours
            if span := working_time(hours=hours, day=day, zone=company.zone):
                of_day += [FreeSlot(rep, *each) for each in _free_spans(span, busy[rep.pk], length, now)]
        found += sorted(of_day, key=lambda slot: slot.starts_at)  # of one start, in the order of the reps
        if len(found) > MAX_SLOTS:
            break
    return found[: MAX_SLOTS + 1]


def working_time(*, hours: Mapping[str, Mapping[str, str] | None] | None, day: date, zone: ZoneInfo) -> Span | None:
    """Return the working hours of a day as instants, None if there are none. Without hours it is the whole day."""
    if hours is None:
        return start_of(day, zone), start_of(day + timedelta(days=1), zone)
    span = hours.get(DAYS[day.weekday()])
    if span is None:
        return None
    # Of a time that comes twice the first is meant. A beginning that the clock skips is later, and such an end earlier.
    starts, ends = (_readings(day, span[name], zone) for name in ("opens", "closes"))
    opens, closes = max(starts) if _is_skipped(starts) else min(starts), min(ends)
    return (opens, closes) if opens < closes else None


def _readings(day: date, clock: str, zone: ZoneInfo) -> Span:
    local = datetime.combine(day, time.fromisoformat(clock), zone)
    return local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)


def _is_skipped(readings: Span) -> bool:
    """Return whether the clock skips the time: it is then read as before the change, which is later, and as after."""
    return readings[0] > readings[1]


def _busy_times(reps: Sequence[User], start: datetime, end: datetime) -> Mapping[int, list[Span]]:
    """Return by rep the appointments and time off that are partly in [start, end), joined where they overlap."""
    ids = [rep.pk for rep in reps]
    appointments = Appointment.objects.not_cancelled().filter(
        assigned_rep__in=ids,
        scheduled_start__gt=start - MAX_APPOINTMENT_LENGTH,
        scheduled_start__lt=end,
        scheduled_end__gt=start,
    )
    time_off = TimeOff.objects.within(start, end).filter(rep__in=ids)
    spans: dict[int, list[Span]] = defaultdict(list)
    for rep, *times in (
        *appointments.order_by().values_list("assigned_rep", "scheduled_start", "scheduled_end"),
        *time_off.order_by().values_list("rep", "starts_at", "ends_at"),
    ):
        spans[rep].append((times[0], times[1]))
    return defaultdict(list, {rep: _joined(sorted(of_rep)) for rep, of_rep in spans.items()})


def _joined(spans: list[Span]) -> list[Span]:
    joined = spans[:1]
    for start, end in spans[1:]:
        if start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], end)
        else:
            joined.append((start, end))
    return joined


def _free_spans(within: Span, busy: list[Span], length: timedelta, now: datetime) -> Iterator[Span]:
    start, closes = within
    blocks = iter([*busy, (datetime.max.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))])
    block = next(blocks)
    while start + length <= closes:
        while block[1] <= start:
            block = next(blocks)
        if start >= now and start + length <= block[0]:
            yield start, start + length
        start += STEP
