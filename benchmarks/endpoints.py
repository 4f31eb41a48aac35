"""The endpoints that are measured: as the product answers them, as the documents' system did, and as SQL by hand."""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from analytics.timeline.sources import SOURCES
from benchmarks import raw_sql
from benchmarks.raw_sql import Statement
from benchmarks.sample import Sample
from calls.models import Call
from crm.api.base.pagination import Order, encode_cursor
from crm.db.tenancy import tenant
from crm.models import Activity
from messaging.models import Message

NEWEST, OLDEST = ("-created_at", "-id"), ("created_at", "id")
METRICS, ALL_TIME = "metrics, 30 days", "metrics, all time"
ALL_TIME_SERVED = "metrics, all time, naive by status"
BOOKING, BOOKING_YEAR = "booking rate, 30 days", "booking rate, 1 year"
CALLS, DEEP_CALLS, CANCELLED = "calls, first page", "calls, deep page", "calls, cancelled"
OBJECTIONS, OBJECTIONS_YEAR = "top objections, 30 days", "top objections, 1 year"
THREAD, DEEP_THREAD = "thread, first page", "thread, deep page"
HISTORY, DEEP_HISTORY = "history of a contact, first page", "history of a contact, deep page"
BY_NAME, BY_TWO_NAMES = "search by name", "search by both names"
BY_EMAIL, BY_PHONE, BY_DIGITS = "search by e-mail", "search by phone", "search by last digits"
SEARCHES = (BY_NAME, BY_TWO_NAMES, BY_EMAIL, BY_PHONE, BY_DIGITS)


@dataclass(frozen=True)
class Promise:
    """What the second document says of an endpoint with its indexes: how many times as fast, and within which ms."""

    times: tuple[int, int]
    ms: tuple[int, int]


@dataclass(frozen=True)
class Endpoint:
    """`path` is below /api/v1/, `naive` below /bench/; what is None has not been written that way."""

    name: str
    path: str
    naive: str | None = None
    sql: Statement | None = None
    promise: Promise | None = None


def endpoints_of(sample: Sample) -> list[Endpoint]:
    """Every endpoint, asked for this company."""
    with tenant(sample.company.pk):
        return _endpoints_of(sample)


def _endpoints_of(sample: Sample) -> list[Endpoint]:
    calls, deep = Call.objects.all(), sample.depth
    texts = Message.objects.filter(contact=sample.contact)
    history = Activity.objects.filter(contact=sample.contact)
    call_place = _place(calls, NEWEST, deep)
    text_depth = sample.texts * 9 // 10
    text_place = _place(texts, OLDEST, text_depth)
    history_place = _place_in_timeline(history)
    month, year = sample.days(30), sample.days(365)
    in_month, in_year = _dates(month), _dates(year)
    someone = sample.customer
    thread, past = f"message-threads/{sample.contact}", f"contacts/{sample.contact}/timeline"
    return [
        Endpoint(
            METRICS,
            f"dashboard/metrics?{in_month}",
            sql=raw_sql.metrics(sample, *month),
            promise=Promise((5, 10), (50, 200)),
        ),
        Endpoint(ALL_TIME, "dashboard/metrics", naive="metrics", sql=raw_sql.metrics(sample)),
        Endpoint(ALL_TIME_SERVED, "dashboard/metrics", naive="metrics-by-status"),
        Endpoint(
            BOOKING,
            f"dashboard/booking-rate?{in_month}",
            naive=f"booking-rate?{in_month}",
            sql=raw_sql.booking_rate(sample, *month),
            promise=Promise((5, 15), (100, 300)),
        ),
        Endpoint(
            BOOKING_YEAR,
            f"dashboard/booking-rate?{in_year}",
            naive=f"booking-rate?{in_year}",
            sql=raw_sql.booking_rate(sample, *year),
        ),
        Endpoint(
            CALLS,
            "dashboard/calls",
            naive="calls?offset=0",
            sql=raw_sql.calls(sample),
            promise=Promise((5, 20), (50, 200)),
        ),
        Endpoint(
            DEEP_CALLS,
            f"dashboard/calls?cursor={call_place[1]}",
            naive=f"calls?offset={deep}",
            sql=raw_sql.calls(sample, call_place[0]),
        ),
        Endpoint(CANCELLED, "dashboard/calls?status=cancelled", naive="calls?status=cancelled&offset=0"),
        Endpoint(
            OBJECTIONS,
            f"dashboard/top-objections?{in_month}",
            naive=f"top-objections?{in_month}",
            sql=raw_sql.objections(sample, *month),
            promise=Promise((5, 10), (50, 150)),
        ),
        Endpoint(
            OBJECTIONS_YEAR,
            f"dashboard/top-objections?{in_year}",
            naive=f"top-objections?{in_year}",
            sql=raw_sql.objections(sample, *year),
        ),
        Endpoint(
            THREAD,
            thread,
            naive=f"{thread}?offset=0",
            sql=raw_sql.thread(sample),
            promise=Promise((10, 40), (20, 50)),
        ),
        Endpoint(DEEP_THREAD, f"{thread}?cursor={text_place[1]}", naive=f"{thread}?offset={text_depth}"),
        Endpoint(HISTORY, past),
        Endpoint(DEEP_HISTORY, f"{past}?cursor={history_place}"),
        Endpoint(BY_NAME, f"contacts?search={someone.last_name[:4]}", sql=raw_sql.search(sample)),
        Endpoint(BY_TWO_NAMES, f"contacts?search={someone.first_name[:3]}+{someone.last_name[:3]}"),
        Endpoint(BY_EMAIL, f"contacts?search={someone.email}"),
        Endpoint(BY_PHONE, f"contacts?search={someone.phone.lstrip('+')}"),
        Endpoint(BY_DIGITS, f"contacts?search={someone.phone[-4:]}"),
    ]


def _place(rows: QuerySet[Any], ordering: tuple[str, str], depth: int) -> tuple[Any, str]:
    """The row at this depth of a list, and the cursor behind it."""
    row = rows.order_by(*ordering).values("created_at", "id")[depth]
    return row, Order(rows, ordering).write(row, backwards=False)


def _place_in_timeline(activities: QuerySet[Any]) -> str:
    """The cursor behind nine tenths of what happened with a contact."""
    row, _ = _place(activities, NEWEST, activities.count() * 9 // 10)
    return encode_cursor([False, row["created_at"].isoformat(), SOURCES[0].name, row["id"]])


def _dates(days: tuple[Any, Any]) -> str:
    return f"start_date={days[0]}&end_date={days[1]}"
