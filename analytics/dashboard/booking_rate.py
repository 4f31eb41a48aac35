"""Booking rate by day."""

from collections.abc import Mapping
from datetime import date
from typing import Any, cast
from zoneinfo import ZoneInfo

from django.db.models import Count, DateTimeField, QuerySet
from django.db.models.functions import TruncDate

from analytics.dashboard import percentage
from analytics.dashboard.calls import count_calls_by_day
from calls.models import Appointment
from crm.date_ranges import DateRange
from crm.db.prepared import Slot, run_prepared

MAX_DAYS = 1100


def scheduled_booking_rate(period: DateRange) -> list[dict[str, object]]:
    """Return each day's appointments relative to its qualified calls.

    They belong to different contacts, so the rate may exceed 100 %.
    """
    start, end = period.closed_bounds
    booked = run_prepared(__name__, (period.zone.key,), lambda: _booked_by_day(period.zone), start=start, end=end)
    qualified = {day: counts["qualified"] for day, counts in count_calls_by_day(period, ["qualified"]).items()}
    return _by_day(period, booked=dict(booked), qualified=qualified)


def _booked_by_day(zone: ZoneInfo) -> QuerySet:
    start, end = (cast(Any, Slot(name, DateTimeField())) for name in ("start", "end"))
    appointments = Appointment.objects.starting_between(start, end).counted_as_booked().order_by()
    days = appointments.annotate(day=TruncDate("scheduled_start", tzinfo=zone)).values("day")
    return days.annotate(booked=Count("pk")).values_list("day", "booked")


def cohort_booking_rate(period: DateRange) -> list[dict[str, object]]:
    """Return, for each day, how many of its qualified calls were booked at any time."""
    return cohort_of(period, count_calls_by_day(period, ["qualified", "qualified_booked"]))


def cohort_of(period: DateRange, days: Mapping[date, Mapping[str, int]]) -> list[dict[str, Any]]:
    """Return the booking rate of each day from its counts of MEASURES."""
    return _by_day(
        period,
        booked={day: counts["qualified_booked"] for day, counts in days.items()},
        qualified={day: counts["qualified"] for day, counts in days.items()},
    )


def _by_day(period: DateRange, *, booked: dict[date, int], qualified: dict[date, int]) -> list[dict[str, Any]]:
    counts = ((day, booked.get(day, 0), qualified.get(day, 0)) for day in period.days)
    return [
        {"date": day, "booked": part, "qualified": whole, "rate": percentage(part, whole)}
        for day, part, whole in counts
    ]
