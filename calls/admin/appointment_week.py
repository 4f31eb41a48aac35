"""A week of a company's appointments: a row for each rep, a column for each day of the company."""

from dataclasses import dataclass
from datetime import date, timedelta

from calls.admin.appointment_slots import RepSlots, Slot, chosen_day, slots_by_rep
from calls.models import TimeOff
from crm.date_ranges import FIRST_DAY, LAST_DAY, DateRange, today_in
from crm.models import Company

DAYS = 7


@dataclass(frozen=True)
class RepRow:
    of: RepSlots
    days: list[tuple[date, list[Slot], list[tuple[str, TimeOff]]]]


@dataclass(frozen=True)
class Week:
    company: Company
    days: list[date]
    rows: list[RepRow]
    today: date
    earlier: date
    later: date
    is_cut: bool
    """True if the week has more appointments than are shown."""

    @property
    def conflicts(self) -> int:
        return sum(row.of.conflicts for row in self.rows)

    @property
    def is_empty(self) -> bool:
        return not any(row.of.slots for row in self.rows)


def week_of(company: Company, day: str) -> Week:
    """Return the week with this day, from Monday on. Of any other text: the present week."""
    today = today_in(company.zone)
    monday = _monday(chosen_day(day, today), today)
    days = [monday + timedelta(days=n) for n in range(DAYS)]
    by_rep, is_cut = slots_by_rep(company, *DateRange(days[0], days[-1], company.zone).closed_bounds)
    return Week(
        company=company,
        days=days,
        rows=[
            RepRow(each, [(day, [slot for slot in each.slots if slot.day == day], each.off_on(day)) for day in days])
            for each in by_rep
        ],
        today=today,
        earlier=monday - timedelta(days=DAYS),
        later=monday + timedelta(days=DAYS),
        is_cut=is_cut,
    )


def _monday(chosen: date, today: date) -> date:
    monday = chosen - timedelta(days=chosen.weekday())
    within = timedelta(days=DAYS)
    return monday if FIRST_DAY + within <= monday <= LAST_DAY - 2 * within else today - timedelta(days=today.weekday())
