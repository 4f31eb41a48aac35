"""The day of all companies together, each in its own time zone. A constant number of statements."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, Q, QuerySet, Value
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from calls.choices import AppointmentStatus, CallStatus
from calls.models import Appointment, Call
from crm.choices import ActivityType, Direction
from crm.date_ranges import start_of, today_in
from crm.figures import Datum, bars, progress
from crm.models import Company
from messaging.models import Message
from ops.home.charts import APPOINTMENT_TONES, draw_text_states, say_number
from ops.home.links import may_view

ALL = "*"  # in the place of a slug, which has no such character
MAX_BARS = 12


@dataclass(frozen=True)
class Totals:
    """Numbers of the day of all companies; those of tables that the user may not see are empty."""

    calls: Mapping[str, int]
    calls_of: list[tuple[str, str, int]]
    """Slug, name and number of calls of the companies with the most."""
    appointments: Mapping[str, int]
    texts: Mapping[str, int]


def read_totals(may: Callable[[type[Any]], bool]) -> Totals:
    days = _days()
    calls: Counter[str] = Counter()
    companies: Counter[tuple[str, str]] = Counter()
    if may(Call):
        counted = _of_today(Call.objects.all(), "created_at", days)
        rows = counted.values_list("company__slug", "company__name", "status").annotate(n=Count("pk"))
        for slug, name, status, number in rows:
            calls[status] += number
            companies[slug, name] += number
    # Messages through their activities, which have an index by type and time.
    texts = Message.objects.filter(activity__activity_type=ActivityType.MESSAGE, direction=Direction.OUTGOING)
    texts = texts.not_cancelled()
    sources = (
        (Appointment, _of_today(Appointment.objects.all(), "scheduled_start", days)),
        (Message, _of_today(texts, "activity__created_at", days)),
    )
    found: dict[str, dict[str, int]] = {"Appointment": {}, "Message": {}}
    parts = [
        rows.annotate(source=Value(model.__name__)).values_list("source", "status").annotate(n=Count("pk"))
        for model, rows in sources
        if may(model)
    ]
    for source, status, number in parts[0].union(*parts[1:], all=True) if parts else ():
        found[source][status] = number
    return Totals(
        calls=calls,
        calls_of=[(*company, number) for company, number in companies.most_common(MAX_BARS)],
        appointments=found["Appointment"],
        texts=found["Message"],
    )


def draw_totals(request: HttpRequest) -> list[SafeString]:
    def may(model: type[Any]) -> bool:
        return may_view(request, model)

    totals = read_totals(may)
    charts = ((Call, _draw_calls), (Appointment, _draw_appointments), (Message, _draw_texts))
    return [figure for model, draw in charts if may(model) for figure in draw(totals)]


def _days() -> list[tuple[str, datetime, datetime]]:
    """Return each time zone of a company, with the beginning and the end of its present day."""
    days = []
    for name in Company.objects.order_by().values_list("timezone", flat=True).distinct():
        zone = ZoneInfo(name)
        day = today_in(zone)
        days.append((name, start_of(day, zone), start_of(day + timedelta(days=1), zone)))
    return days


def _of_today(rows: QuerySet, column: str, days: Iterable[tuple[str, datetime, datetime]]) -> QuerySet:
    """Return rows of the present day of their company. The outer bounds let an index by time find them."""
    own = Q(pk__in=[])
    for zone, start, end in days:
        own |= Q(**{"company__timezone": zone, f"{column}__gte": start, f"{column}__lt": end})
    bounds = [(start, end) for _, start, end in days]
    if not bounds:
        return rows.none()
    first, last = min(start for start, _ in bounds), max(end for _, end in bounds)
    return rows.filter(own, **{f"{column}__gte": first, f"{column}__lt": last}).order_by()


def _draw_calls(totals: Totals) -> list[SafeString]:
    by_status = [
        Datum(status.label, totals.calls[status], tone=status.color)
        for status in CallStatus
        if totals.calls.get(status)
    ]
    number = sum(totals.calls.values())
    missed = totals.calls.get(CallStatus.MISSED, 0)
    headline = f"{say_number(number, 'call')} today, {missed:,} missed" if number else "No calls yet today"
    figures = [bars("calls", headline, by_status, columns=("Status", "Calls"))]
    if totals.calls_of:
        home = reverse("admin:index")
        data = [Datum(name, n, url=f"{home}?{urlencode({'company': slug})}") for slug, name, n in totals.calls_of]
        most = f"{data[0].label} has the most calls today: {totals.calls_of[0][2]:,}"
        figures.append(bars("calls-by-company", most, data, columns=("Company", "Calls")))
    return figures


def _draw_appointments(totals: Totals) -> list[SafeString]:
    data = [
        Datum(status.label, number, tone=APPOINTMENT_TONES.get(status, "plain"))
        for status in AppointmentStatus
        if (number := totals.appointments.get(status, 0))
    ]
    number = sum(totals.appointments.values())
    headline = f"{say_number(number, 'appointment')} today" if number else "No appointments today"
    return [progress("appointments", headline, data, columns=("Status", "Appointments"))]


def _draw_texts(totals: Totals) -> list[SafeString]:
    return [draw_text_states(totals.texts)]
