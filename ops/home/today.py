"""A company's day and its last 30 days as charts, from the same functions as the API's dashboard."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, F, FilteredRelation, Q, Sum, Value
from django.http import HttpRequest
from django.utils.safestring import SafeString

from analytics.dashboard.booking_rate import cohort_of
from analytics.dashboard.calls import count_calls_by_day
from analytics.dashboard.metrics import metrics_of
from analytics.dashboard.objections import top_objections
from analytics.models import CallObjection
from analytics.rollups.coverage import read_coverage
from analytics.rollups.measures import MEASURES
from calls.choices import AppointmentStatus
from calls.models import Appointment, Call
from crm.choices import CampaignStatus, Direction, MembershipStatus
from crm.date_ranges import DateRange, today_in
from crm.db.tenancy import current_company_id, tenant
from crm.models import Campaign, Company
from messaging.models import Message
from ops.home import charts
from ops.home.links import may_view

DAYS = 30
MAX_OBJECTIONS = 5
MAX_CAMPAIGNS = 4


@dataclass(frozen=True)
class Numbers:
    """The numbers of the charts. `period` is the month, which ends with the day `today`."""

    company: Company
    today: DateRange
    period: DateRange
    metrics: Mapping[str, Any]
    booking_rate: list[dict[str, Any]]
    calls_by_day: list[int]
    objections: Mapping[str, Any]
    appointments: Mapping[str, int]
    texts: Mapping[str, int]
    campaigns: list[tuple[Campaign, Mapping[str, int]]]

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        return self.today.closed_bounds


def read_today(company: Company, may: Callable[[type[Any]], bool]) -> Numbers:
    """Return a company's numbers; those of tables that the user may not see are empty and are not counted."""
    day = today_in(company.zone)
    today = DateRange(day, day, company.zone)
    period = DateRange(day - timedelta(days=DAYS - 1), day, company.zone)
    with tenant(company.pk):
        coverage = read_coverage(company.zone)
        days = count_calls_by_day(period, coverage=coverage) if may(Call) else {}
        appointments, texts = _statuses(today, may)
        return Numbers(
            company=company,
            today=today,
            period=period,
            metrics=metrics_of(today, days.get(day) or dict.fromkeys(MEASURES, 0)),
            booking_rate=cohort_of(period, days),
            calls_by_day=_totals(period, days),
            objections=top_objections(period, limit=MAX_OBJECTIONS, coverage=coverage) if may(CallObjection) else {},
            appointments=appointments,
            texts=texts,
            campaigns=_campaigns() if may(Campaign) else [],
        )


def draw_today(request: HttpRequest, company: Company) -> list[SafeString]:
    def may(model: type[Any]) -> bool:
        return may_view(request, model)

    numbers = read_today(company, may)
    drawn: Iterator[tuple[type[Any], Callable[[Numbers], list[SafeString]]]] = iter(charts.CHARTS.items())
    return [figure for model, draw in drawn if may(model) for figure in draw(numbers)]


def _totals(period: DateRange, days: Mapping[date, Mapping[str, int]]) -> list[int]:
    return [days[day]["total"] if day in days else 0 for day in period.days]


def _statuses(today: DateRange, may: Callable[[type[Any]], bool]) -> tuple[dict[str, int], dict[str, int]]:
    """Return the day's appointments and outgoing messages by status, with one statement."""
    start, end = today.closed_bounds
    # Messages through their activities, which have an index by company and time.
    texts = Message.objects.filter(
        activity__company=current_company_id(),
        activity__created_at__gte=start,
        activity__created_at__lt=end,
        direction=Direction.OUTGOING,
    ).not_cancelled()
    counted = [
        rows.order_by().annotate(source=Value(source)).values_list("source", "status").annotate(n=Count("pk"))
        for source, model, rows in (
            ("appointments", Appointment, Appointment.objects.starting_between(start, end)),
            ("texts", Message, texts),
        )
        if may(model)
    ]
    found: dict[str, dict[str, int]] = {"appointments": {}, "texts": {}}
    for source, status, n in counted[0].union(*counted[1:], all=True) if counted else ():
        found[source][status] = n
    return {str(status): found["appointments"].get(status, 0) for status in AppointmentStatus}, found["texts"]


def _campaigns() -> list[tuple[Campaign, Mapping[str, int]]]:
    """Return the running campaigns, the latest first, each with its members by status. One statement."""
    latest = Campaign.objects.filter(status=CampaignStatus.RUNNING).order_by("-created_at")[:MAX_CAMPAIGNS]
    own = FilteredRelation("counts", condition=Q(counts__company=F("company")))  # the index begins with the company
    rows = Campaign.objects.filter(pk__in=latest.values("pk")).annotate(own=own).order_by("-created_at", "-pk")
    found: dict[Campaign, dict[str, int]] = {}
    for pk, name, status, members in rows.values_list("pk", "name", "own__status").annotate(n=Sum("own__members")):
        counts = found.setdefault(Campaign(pk=pk, name=name), dict.fromkeys(MembershipStatus.values, 0))
        if status:
            counts[status] = members
    return list(found.items())
