"""Booking rate by day."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db.models import Count
from django.db.models.functions import TruncDate

from analytics.dashboard import percentage
from analytics.dashboard.calls import count_calls_by_day
from calls.models import Appointment
from crm.date_ranges import DateRange

MAX_DAYS = 1100


def scheduled_booking_rate(period: DateRange) -> list[dict[str, object]]:
    """Return each day's appointments relative to its qualified calls.

    They belong to different contacts, so the rate may exceed 100 %.
    """
    appointments = (
        Appointment.objects.starting_between(*period.closed_bounds)
        .counted_as_booked()
        .order_by()
        .annotate(day=TruncDate("scheduled_start", tzinfo=period.zone))
        .values("day")
        .annotate(booked=Count("pk"))
    )
    qualified = {day: counts["qualified"] for day, counts in count_calls_by_day(period).items()}
    return _by_day(period, booked=dict(appointments.values_list("day", "booked")), qualified=qualified)


def cohort_booking_rate(period: DateRange) -> list[dict[str, object]]:
    """Return, for each day, how many of its qualified calls were booked at any time."""
    return cohort_of(period, count_calls_by_day(period))


def cohort_of(period: DateRange, days: Mapping[date, Mapping[str, int]]) -> list[dict[str, Any]]:
    """Return the booking rate of each day from its counts of MEASURES."""
    return _by_day(
        period,
        booked={day: counts["qualified_booked"] for day, counts in days.items()},
        qualified={day: counts["qualified"] for day, counts in days.items()},
    )


def _by_day(period: DateRange, *, booked: dict[date, int], qualified: dict[date, int]) -> list[dict[str, Any]]:
    return [
        {
            "date": day,
            "booked": booked.get(day, 0),
            "qualified": qualified.get(day, 0),
            "rate": percentage(booked.get(day, 0), qualified.get(day, 0)),
        }
        for day in period.days
    ]
