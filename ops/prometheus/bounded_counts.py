"""Counts with an upper bound, so that a scrape is cheap even for long queues."""

from datetime import datetime

from django.db.models import QuerySet
from django.utils.timezone import now

MAX_COUNTED = 10_000  # counting reads each row: this many take a few milliseconds
COUNTED = f"Counted up to {MAX_COUNTED:,}."


def count(rows: QuerySet) -> int:
    return rows.order_by()[:MAX_COUNTED].count()


def seconds_since(moment: datetime | None) -> float:
    return max((now() - moment).total_seconds(), 0) if moment else 0
