"""Measured endpoints: of the product, naive, and as hand-written SQL."""

from typing import Any, NamedTuple

from django.db.models import QuerySet

from analytics.timeline.sources import SOURCES
from benchmarks import raw_sql
from benchmarks.samples import Sample
from calls.models import Call
from crm.api.base.pagination import cursor_signer, encode_cursor
from crm.date_ranges import FIRST_DAY, LAST_DAY
from crm.db.tenancy import tenant
from crm.models import Activity
from messaging.models import Message

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
EMPTY_PATH = "/bench/empty"
"""Asks for nothing, signed in."""


class Endpoint(NamedTuple):
    """`path` is the product's, `naive` the naive endpoint's; None where that form doesn't exist."""

    path: str
    naive: str | None
    sql: tuple[str, dict[str, Any]] | None


def endpoints_of(sample: Sample) -> dict[str, Endpoint]:
    """Return every endpoint by name, with the parameters for this company."""
    with tenant(sample.company.pk):
        return {
            name: Endpoint(f"/api/v1/{path}", f"/bench/{naive}" if naive else None, sql)
            for name, path, naive, sql in _endpoints_of(sample)
        }


def _endpoints_of(sample: Sample) -> list[tuple[str, str, str | None, tuple[str, dict[str, Any]] | None]]:
    someone, deep, deep_message = sample.contact, sample.depth, sample.messages * 9 // 10
    activities = Activity.objects.filter(contact=someone)
    last_call, after_call = _row_at(Call.objects.order_by("-created_at", "-id"), deep)
    _, after_message = _row_at(
        Message.objects.filter(contact=someone).order_by("created_at", "id"), deep_message, "created_at"
    )
    _, after_activity = _row_at(
        activities.order_by("-created_at", "-id"), activities.count() * 9 // 10, SOURCES[0].name
    )
    month, year, ever = (
        raw_sql.parameters_of(sample, *days, last_call)
        for days in (sample.days(30), sample.days(365), (FIRST_DAY, LAST_DAY))
    )
    of_month, of_year = (f"?start_date={days['start']}&end_date={days['end']}" for days in (month, year))
    rate, objections = (f"booking-rate{of_month}", f"booking-rate{of_year}"), "top-objections"
    thread, history = f"message-threads/{someone.pk}", f"contacts/{someone.pk}/timeline"

    def page_of(path: str, position: str) -> str:
        signer = cursor_signer(sample.manager, f"/api/v1/{path}")  # who sends all requests
        return f"{path}?cursor={signer.sign(position)}"

    # fmt: off
    return [
        (METRICS, f"dashboard/metrics{of_month}", None, (raw_sql.METRICS, month)),
        (ALL_TIME, "dashboard/metrics", "metrics", (raw_sql.METRICS, ever)),
        (ALL_TIME_BY_STATUS, "dashboard/metrics", "metrics-by-status", None),
        (BOOKING, f"dashboard/{rate[0]}", rate[0], (raw_sql.BOOKING_RATE, month)),
        (BOOKING_YEAR, f"dashboard/{rate[1]}", rate[1], (raw_sql.BOOKING_RATE, year)),
        (CALLS, "dashboard/calls", "calls?offset=0", (raw_sql.CALLS, ever)),
        (DEEP_CALLS, page_of("dashboard/calls", after_call), f"calls?offset={deep}", (raw_sql.DEEP_CALLS, ever)),
        (CANCELLED, "dashboard/calls?status=cancelled", "calls?status=cancelled&offset=0", None),
        (OBJECTIONS, f"dashboard/{objections}{of_month}", objections + of_month, (raw_sql.TOP_OBJECTIONS, month)),
        (OBJECTIONS_YEAR, f"dashboard/{objections}{of_year}", objections + of_year, (raw_sql.TOP_OBJECTIONS, year)),
        (THREAD, thread, f"{thread}?offset=0", (raw_sql.THREAD, ever)),
        (DEEP_THREAD, page_of(thread, after_message), f"{thread}?offset={deep_message}", None),
        (HISTORY, history, None, None),
        (DEEP_HISTORY, page_of(history, after_activity), None, None),
        (BY_NAME, f"contacts?search={someone.last_name[:4]}", None, (raw_sql.SEARCH, ever)),
        (BY_TWO_NAMES, f"contacts?search={someone.first_name[:3]}+{someone.last_name[:3]}", None, None),
        (BY_EMAIL, f"contacts?search={someone.email}", None, None),
        (BY_PHONE, f"contacts?search={someone.phone.lstrip('+')}", None, None),
        (BY_DIGITS, f"contacts?search={someone.phone[-4:]}", None, None),
    ]
    # fmt: on


def _row_at(rows: QuerySet[Any], depth: int, part: str = "-created_at") -> tuple[dict[str, Any], str]:
    """Return the row at this depth, and the position after it. `part` names the order, or the source of the row."""
    row = rows.values("created_at", "id")[depth]
    return row, encode_cursor([False, row["created_at"].isoformat(), part, row["id"]])
