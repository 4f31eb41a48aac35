"""Which part of the qualified calls was booked, day by day."""

from datetime import date

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncDate

from analytics.dashboard.period import Period, rate
from calls.models import Appointment, Call

MAX_DAYS = 1100


def measure_scheduled(period: Period) -> list[dict[str, object]]:
    """Visits that start on a day against the qualified calls of that day. The two are different people's: it may
    exceed 100 %."""
    start, end = period.closed_bounds
    visits = Appointment.objects.starting_between(start, end).kept()
    calls = Call.objects.created_between(start, end).qualified()
    return _by_day(
        period,
        booked=_per_day(visits, "scheduled_start", period),
        qualified=_per_day(calls, "created_at", period),
    )


def measure_cohort(period: Period) -> list[dict[str, object]]:
    """Of the qualified calls of a day, those that were booked, whenever that was."""
    calls = Call.objects.created_between(*period.closed_bounds).qualified()
    rows = (
        calls.order_by()
        .annotate(day=TruncDate("created_at", tzinfo=period.zone))
        .values("day")
        .annotate(qualified=Count("pk"), booked=Count("pk", filter=Q(booked=True)))
    )
    counted = {row["day"]: row for row in rows}
    return _by_day(
        period,
        booked={day: row["booked"] for day, row in counted.items()},
        qualified={day: row["qualified"] for day, row in counted.items()},
    )


def _per_day(rows: QuerySet, instant: str, period: Period) -> dict[date, int]:
    days = rows.order_by().annotate(day=TruncDate(instant, tzinfo=period.zone)).values("day")
    return dict(days.annotate(rows=Count("pk")).values_list("day", "rows"))


def _by_day(period: Period, *, booked: dict[date, int], qualified: dict[date, int]) -> list[dict[str, object]]:
    return [
        {
            "date": day,
            "booked": booked.get(day, 0),
            "qualified": qualified.get(day, 0),
            "rate": rate(booked.get(day, 0), qualified.get(day, 0)),
        }
        for day in period.days
    ]
