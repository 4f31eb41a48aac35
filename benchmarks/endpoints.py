"""Measured endpoints: of the product, naive, and as hand-written SQL."""

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
ALL_TIME_BY_STATUS = "metrics, all time, naive by status"
BOOKING, BOOKING_YEAR = "booking rate, 30 days", "booking rate, 1 year"
CALLS, DEEP_CALLS, CANCELLED = "calls, first page", "calls, deep page", "calls, cancelled"
OBJECTIONS, OBJECTIONS_YEAR = "top objections, 30 days", "top objections, 1 year"
THREAD, DEEP_THREAD = "thread, first page", "thread, deep page"
HISTORY, DEEP_HISTORY = "history of a contact, first page", "history of a contact, deep page"
BY_NAME, BY_TWO_NAMES = "search by name", "search by both names"
BY_EMAIL, BY_PHONE, BY_DIGITS = "search by email", "search by phone", "search by last digits"
SEARCHES = (BY_NAME, BY_TWO_NAMES, BY_EMAIL, BY_PHONE, BY_DIGITS)


@dataclass(frozen=True)
class Promise:
    """The second document's (lowest, highest) speedup by its indexes, and milliseconds with them."""

    speedup: tuple[int, int]
    ms: tuple[int, int]


PROMISES = {
    METRICS: Promise((5, 10), (50, 200)),
    BOOKING: Promise((5, 15), (100, 300)),
    CALLS: Promise((5, 20), (50, 200)),
    OBJECTIONS: Promise((5, 10), (50, 150)),
    THREAD: Promise((10, 40), (20, 50)),
}


@dataclass(frozen=True)
class Endpoint:
    """`path` is the product's, `naive` the naive endpoint's; None where that form doesn't exist."""

    name: str
    path: str
    naive: str | None = None
    sql: Statement | None = None


def endpoints_of(sample: Sample) -> list[Endpoint]:
    """Return every endpoint, asked for this company."""
    with tenant(sample.company.pk):
        return [
            Endpoint(name, f"/api/v1/{path}", f"/bench/{naive}" if naive else None, sql)
            for name, path, naive, sql in _endpoints_of(sample)
        ]


def _endpoints_of(sample: Sample) -> list[tuple[str, str, str | None, Statement | None]]:
    calls, deep = Call.objects.all(), sample.depth
    messages = Message.objects.filter(contact=sample.contact)
    last_call, after_call = _row_at(calls, NEWEST, deep)
    deep_message = sample.messages * 9 // 10
    _, after_message = _row_at(messages, OLDEST, deep_message)
    activities = Activity.objects.filter(contact=sample.contact)
    last, _ = _row_at(activities, NEWEST, activities.count() * 9 // 10)
    after_activity = encode_cursor([False, last["created_at"].isoformat(), SOURCES[0].name, last["id"]])
    month, year = sample.days(30), sample.days(365)
    metrics, rate, objections = (
        f"{path}?start_date={month[0]}&end_date={month[1]}" for path in ("metrics", "booking-rate", "top-objections")
    )
    year_rate, year_objections = (
        f"{path}?start_date={year[0]}&end_date={year[1]}" for path in ("booking-rate", "top-objections")
    )
    someone = sample.contact
    thread, history = f"message-threads/{someone.pk}", f"contacts/{someone.pk}/timeline"
    # fmt: off
    return [
        (METRICS, f"dashboard/{metrics}", None, raw_sql.metrics(sample, *month)),
        (ALL_TIME, "dashboard/metrics", "metrics", raw_sql.metrics(sample)),
        (ALL_TIME_BY_STATUS, "dashboard/metrics", "metrics-by-status", None),
        (BOOKING, f"dashboard/{rate}", rate, raw_sql.booking_rate(sample, *month)),
        (BOOKING_YEAR, f"dashboard/{year_rate}", year_rate, raw_sql.booking_rate(sample, *year)),
        (CALLS, "dashboard/calls", "calls?offset=0", raw_sql.calls(sample)),
        (DEEP_CALLS, f"dashboard/calls?cursor={after_call}", f"calls?offset={deep}", raw_sql.calls(sample, last_call)),
        (CANCELLED, "dashboard/calls?status=cancelled", "calls?status=cancelled&offset=0", None),
        (OBJECTIONS, f"dashboard/{objections}", objections, raw_sql.objections(sample, *month)),
        (OBJECTIONS_YEAR, f"dashboard/{year_objections}", year_objections, raw_sql.objections(sample, *year)),
        (THREAD, thread, f"{thread}?offset=0", raw_sql.thread(sample)),
        (DEEP_THREAD, f"{thread}?cursor={after_message}", f"{thread}?offset={deep_message}", None),
        (HISTORY, history, None, None),
        (DEEP_HISTORY, f"{history}?cursor={after_activity}", None, None),
        (BY_NAME, f"contacts?search={someone.last_name[:4]}", None, raw_sql.search(sample)),
        (BY_TWO_NAMES, f"contacts?search={someone.first_name[:3]}+{someone.last_name[:3]}", None, None),
        (BY_EMAIL, f"contacts?search={someone.email}", None, None),
        (BY_PHONE, f"contacts?search={someone.phone.lstrip('+')}", None, None),
        (BY_DIGITS, f"contacts?search={someone.phone[-4:]}", None, None),
    ]
    # fmt: on


def _row_at(rows: QuerySet[Any], ordering: tuple[str, str], depth: int) -> tuple[Any, str]:
    """Return the row at this depth of a list, and the cursor after it."""
    row = rows.order_by(*ordering).values("created_at", "id")[depth]
    return row, Order(rows, ordering).write(row, backwards=False)
