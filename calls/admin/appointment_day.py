"""A day of a company's appointments: a column for each rep, a row for each half an hour."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from calls.admin.appointment_slots import RepSlots, Slot, chosen_day, slots_by_rep
from calls.models import TimeOff
from crm.date_ranges import FIRST_DAY, LAST_DAY, DateRange, today_in
from crm.models import Company

STEP = timedelta(minutes=30)
FIRST, LAST = time(7), time(19)  # shown on every day; more if an appointment is earlier or later


@dataclass(frozen=True)
class Cell:
    """A rep's half an hour."""

    rep: RepSlots
    slots: list[Slot]
    """Those that start in it."""
    is_busy: bool
    """True if an earlier one goes on."""
    is_off: bool
    """True if the rep has time off in it."""


@dataclass(frozen=True)
class HalfHour:
    starts: str
    is_full_hour: bool
    cells: list[Cell]


@dataclass(frozen=True)
class Day:
    company: Company
    day: date
    today: date
    reps: list[RepSlots]
    rows: list[HalfHour]
    is_cut: bool

    @property
    def earlier(self) -> date:
        return self.day - timedelta(days=1)

    @property
    def later(self) -> date:
        return self.day + timedelta(days=1)

    @property
    def conflicts(self) -> int:
        return sum(each.conflicts for each in self.reps)

    @property
    def off(self) -> list[tuple[RepSlots, list[tuple[str, TimeOff]]]]:
        """The reps with time off on this day."""
        return [(each, off) for each in self.reps if (off := each.off_on(self.day))]

    @property
    def is_empty(self) -> bool:
        return not any(each.slots for each in self.reps)


def day_of(company: Company, day: str) -> Day:
    """Return this day. Of any other text: today."""
    today = today_in(company.zone)
    chosen = chosen_day(day, today)
    chosen = chosen if FIRST_DAY < chosen < LAST_DAY else today
    by_rep, is_cut = slots_by_rep(company, *DateRange(chosen, chosen, company.zone).closed_bounds)
    starts = [slot.starts for each in by_rep for slot in each.slots]
    first = min([datetime.combine(chosen, FIRST), *(_floor(start) for start in starts)])
    last = max([datetime.combine(chosen, LAST), *(_floor(start) + STEP for start in starts)])
    halves = [first + n * STEP for n in range((last - first) // STEP)]
    return Day(
        company=company,
        day=chosen,
        today=today,
        reps=by_rep,
        rows=[
            HalfHour(f"{half:%H:%M}", half.minute == 0, [_cell(each, half, half + STEP) for each in by_rep])
            for half in halves
        ],
        is_cut=is_cut,
    )


def _floor(moment: datetime) -> datetime:
    return moment.replace(minute=30 if moment.minute >= 30 else 0, second=0, microsecond=0)


def _cell(rep: RepSlots, start: datetime, end: datetime) -> Cell:
    return Cell(
        rep=rep,
        slots=[slot for slot in rep.slots if start <= slot.starts < end],
        is_busy=any(slot.starts < start < slot.stops for slot in rep.slots),
        is_off=any(each.starts < end and start < each.stops for each in rep.time_off),
    )
