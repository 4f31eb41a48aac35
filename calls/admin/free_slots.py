"""Free slots that the page of a new appointment offers, in the company's time zone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.utils.timezone import now

from calls.admin.appointment_slots import active_reps
from calls.services.slots import find_free_slots
from crm.admin.base.wall_clock import shown_in
from crm.date_ranges import DateRange, today_in
from crm.form_fields import is_id
from crm.models import Company, User

SEARCHED_DAYS = 14
SHOWN_DAYS = 3
LENGTHS = (30, 60, 90, 120, 180)  # minutes
DEFAULT_LENGTH = 60


@dataclass(frozen=True)
class Offer:
    """A start with the first rep who is free then. `query` is that of the page with the slot filled in."""

    time: str
    rep: User
    others: int
    query: str


@dataclass(frozen=True)
class FreeDays:
    zone: str
    minutes: int
    lengths: list[tuple[int, str]]
    days: dict[date, list[Offer]] = field(default_factory=dict)


def length_of(query: Mapping[str, str]) -> int:
    """Return the length in minutes that the URL asks for."""
    minutes = query.get("minutes", "")
    return int(minutes) if minutes in map(str, LENGTHS) else DEFAULT_LENGTH


def free_days_of(company: Company, query: Mapping[str, str]) -> FreeDays:
    """Return the slots of the first SHOWN_DAYS days that have any. Takes three statements."""
    minutes, zone, today = length_of(query), company.zone, today_in(company.zone)
    kept = {name: query[name] for name in ("contact", "company") if name in query}
    lengths = [(each, urlencode(kept | {"minutes": each})) for each in LENGTHS]
    found = find_free_slots(
        company=company,
        reps=active_reps(company),
        days=DateRange(today, today + timedelta(days=SEARCHED_DAYS - 1), zone),
        length=timedelta(minutes=minutes),
        now=now(),
    )
    reps_by_start: dict[datetime, list[User]] = {}
    for slot in found:
        reps_by_start.setdefault(slot.starts_at, []).append(slot.rep)
    days: dict[date, list[Offer]] = {}
    for start, reps in reps_by_start.items():
        local = shown_in(start, zone)
        if local.date() not in days and len(days) == SHOWN_DAYS:
            break
        chosen = kept | {"minutes": minutes, "slot": f"{local:%Y-%m-%dT%H:%M}", "rep": reps[0].pk}
        offer = Offer(f"{local:%H:%M}", reps[0], len(reps) - 1, urlencode(chosen))
        days.setdefault(local.date(), []).append(offer)
    return FreeDays(zone.key, minutes, lengths, days)


def initial_of(company: Company, query: Mapping[str, str]) -> dict[str, Any]:
    """Return the form's values for the chosen slot, by the company's wall clock; empty without a slot."""
    try:
        start = datetime.strptime(query.get("slot", ""), "%Y-%m-%dT%H:%M")  # a wall clock
        end = start + timedelta(minutes=length_of(query))
    except (ValueError, OverflowError):
        return {}
    values: dict[str, Any] = {"scheduled_start": start, "scheduled_end": end, "timezone": company.timezone}
    rep = query.get("rep", "")
    if is_id(rep) and any(each.pk == int(rep) for each in active_reps(company)):
        values["assigned_rep"] = int(rep)
    return values
