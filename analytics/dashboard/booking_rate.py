"""Which part of the qualified calls was booked, day by day."""

from datetime import date

from django.db.models import Count
from django.db.models.functions import TruncDate

from analytics.dashboard.calls import count_calls_by_day
from analytics.dashboard.rates import rate
from calls.models import Appointment
from crm.date_ranges import DateRange

MAX_DAYS = 1100


def measure_scheduled(period: DateRange) -> list[dict[str, object]]:
    """Visits that start on a day against the qualified calls of that day. The two are different people's: it may
    exceed 100 %."""
    visits = (
        Appointment.objects.starting_between(*period.closed_bounds)
        .kept()
        .order_by()
        .annotate(day=TruncDate("scheduled_start", tzinfo=period.zone))
        .values("day")
        .annotate(booked=Count("pk"))
    )
    qualified = {day: counts["qualified"] for day, counts in count_calls_by_day(period).items()}
    return _by_day(period, booked=dict(visits.values_list("day", "booked")), qualified=qualified)


def measure_cohort(period: DateRange) -> list[dict[str, object]]:
    """Of the qualified calls of a day, those that were booked, whenever that was."""
    counted = count_calls_by_day(period)
    return _by_day(
        period,
        booked={day: counts["qualified_booked"] for day, counts in counted.items()},
        qualified={day: counts["qualified"] for day, counts in counted.items()},
    )


def _by_day(period: DateRange, *, booked: dict[date, int], qualified: dict[date, int]) -> list[dict[str, object]]:
    return [
        {
            "date": day,
            "booked": booked.get(day, 0),
            "qualified": qualified.get(day, 0),
            "rate": rate(booked.get(day, 0), qualified.get(day, 0)),
        }
        for day in period.days
    ]
