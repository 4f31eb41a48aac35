"""Counting a company's calls by day, ahead of who asks."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import Min
from django.utils.timezone import now

from analytics.models import ArchivedCalls, CallDay, CallRollup, StaleCallHour
from analytics.models.stale_hour_triggers import FRESH, RECORDED_SETTING, SKIP_SETTING
from analytics.rollups.coverage import DAY, days_of, read_coverage
from analytics.rollups.measures import MEASURES, Span, count_calls
from calls.models import Call
from crm.date_ranges import bounds_of, days_between, start_of
from crm.db.tenancy import current_company_id, tenant
from crm.models import Company

MAX_HOURS = 5000  # of stale ones, in one transaction
MAX_DAYS = 400  # that become part of a rollup in one transaction

# Whoever may still commit a call without a mark holds this lock on the table, and has begun before the day was over for
# as long as a mark takes to be due. Of a prepared transaction, and of another role's, nobody tells since when it runs.
OLDEST_WRITE = """
SELECT least(clock_timestamp(), min(coalesce(writer.xact_start, 'epoch')))
FROM pg_locks AS held LEFT JOIN pg_stat_activity AS writer USING (pid)
WHERE held.locktype = 'relation' AND held.relation = 'calls'::regclass AND held.mode = 'RowExclusiveLock'
    AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND held.pid IS DISTINCT FROM pg_backend_pid()
"""
COMPARE = """
SELECT day FROM (SELECT * FROM ({clean}) AS ahead EXCEPT SELECT * FROM ({counted}) AS counted) AS wrong
UNION SELECT day FROM (SELECT * FROM ({counted}) AS counted EXCEPT SELECT * FROM ({clean}) AS ahead) AS missing
"""


def update_call_rollup(*, company: Company) -> bool:
    """Count the company's days that are over, and those that have changed since; whether some are left for next time.

    What is counted, and how far, changes in one transaction, one at a time of a company.
    """
    with tenant(company.pk), transaction.atomic():
        rollup = _lock_rollup(company)
        if rollup.timezone != company.timezone:
            CallDay.objects.all().delete()
            rollup.timezone, rollup.rolled_up_until = company.timezone, None
        # The marks go first: a change whose mark is seen, and goes, is seen by the statements after it as well.
        changed = _take_stale_days(company.zone)
        closed = _last_closed_day(company.zone)
        days, rollup.rolled_up_until = _days_to_add(company.zone, after=rollup.rolled_up_until, closed=closed)
        days |= {day for day in changed if rollup.rolled_up_until and day <= rollup.rolled_up_until}
        _count(sorted(days), company.zone)
        rollup.version += 1
        rollup.save()
        return rollup.rolled_up_until < closed or StaleCallHour.objects.exists()


def rebuild_call_rollup(*, company: Company) -> int:
    """Forget what is counted ahead, and count it anew; returns how many days have calls."""
    with tenant(company.pk), transaction.atomic():
        rollup = _lock_rollup(company)
        rollup.timezone = ""  # of no company: its days are read no more, and folding begins at the first
        rollup.save(update_fields=["timezone"])
    while update_call_rollup(company=company):
        pass
    with tenant(company.pk):
        return CallDay.objects.count()


@contextmanager
def without_stale_marks() -> Iterator[None]:
    """Insert calls of companies that this very transaction has made: nobody can have counted any, so no mark is needed.

    Millions of old calls are then inserted without millions of marks. On SQLite nothing changes.
    """
    if connection.vendor != "postgresql":
        yield
        return
    with transaction.atomic():
        _tell_unmarked("on")
        yield
        if not connection.needs_rollback:  # else the setting goes with what was written
            _tell_unmarked("")


def _tell_unmarked(text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [SKIP_SETTING, text])


def find_differences(*, company: Company) -> list[date]:
    """The days whose calls are not what is counted ahead, in order. Those that are known to have changed may differ."""
    with tenant(company.pk), transaction.atomic():
        _lock_rollup(company)
        coverage = read_coverage(company.zone)
        starts = [CallDay.objects.aggregate(first=Min("day"))["first"], _first_day_with_calls(company.zone)]
        first = min((day for day in starts if day), default=None)
        if first is None or coverage.until is None:
            return []
        clean, of_clean = coverage.rollup_days_sql(None, None)
        days = [day for day in days_between(first, coverage.until) if day not in coverage.stale]
        counted, of_counted = count_calls(_spans(days, company.zone))
        with connection.cursor() as cursor:
            cursor.execute(
                COMPARE.format(clean=clean, counted=counted), [*of_clean, *of_counted, *of_counted, *of_clean]
            )
            differing = {date.fromisoformat(str(day)) for (day,) in cursor.fetchall()}
        return sorted(
            differing - read_coverage(company.zone).stale
        )  # what changed while we compared has its mark by now


def _lock_rollup(company: Company) -> CallRollup:
    """The company's rollup, made where there is none. The company is read after the lock is had."""
    CallRollup.objects.get_or_create(company=company, defaults={"timezone": company.timezone})
    rollup = CallRollup.objects.select_for_update().get()
    company.refresh_from_db(fields=["timezone"])
    return rollup


def _take_stale_days(zone: ZoneInfo) -> frozenset[date]:
    stale = dict(StaleCallHour.objects.order_by("pk").values_list("pk", "hour")[:MAX_HOURS])
    StaleCallHour.objects.filter(pk__in=stale).delete()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:  # what this transaction itself has marked is marked no more
            cursor.execute("SELECT set_config(%s, '', true)", [RECORDED_SETTING])
    return days_of(set(stale.values()), zone)


def find_oldest_write() -> datetime:
    """Before this no transaction began that has written calls and is still open."""
    if connection.vendor != "postgresql":
        return now()  # there is one writer: we
    with connection.cursor() as cursor:
        cursor.execute(OLDEST_WRITE)
        return cursor.fetchone()[0]


def _last_closed_day(zone: ZoneInfo) -> date:
    """The last day of which no call can be written any more without a mark."""
    return (find_oldest_write() - FRESH).astimezone(zone).date() - DAY


def _days_to_add(zone: ZoneInfo, *, after: date | None, closed: date) -> tuple[set[date], date]:
    """The next days to count, at most MAX_DAYS of them, and how far everything is counted with them."""
    if after and after >= closed:
        return set(), after
    first = _first_day_with_calls(zone, after=after)
    if first is None or first > closed:
        return set(), closed
    last = min(closed, first + (MAX_DAYS - 1) * DAY)
    return set(days_between(first, last)), last


def _first_day_with_calls(zone: ZoneInfo, *, after: date | None = None) -> date | None:
    """Of those that are still there and those that went to an archive."""
    start = start_of(after + DAY, zone) if after else None
    calls = Call.objects.order_by("created_at").created_between(start, None)
    archived = ArchivedCalls.objects.order_by("quarter_hour").filter(**{"quarter_hour__gte": start} if start else {})
    firsts = [
        calls.values_list("created_at", flat=True).first(),
        archived.values_list("quarter_hour", flat=True).first(),
    ]
    return min((first.astimezone(zone).date() for first in firsts if first), default=None)


def _count(days: Sequence[date], zone: ZoneInfo) -> None:
    """Count these days anew."""
    CallDay.objects.filter(day__in=days).delete()
    counted, parameters = count_calls(_spans(days, zone))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO call_days (company_id, day, {', '.join(MEASURES)})"  # noqa: S608  # constants
            f" SELECT %s, counted.* FROM ({counted}) AS counted",
            [current_company_id(), *parameters],
        )


def _spans(days: Iterable[date], zone: ZoneInfo) -> list[Span]:
    return [Span(*bounds_of(day, day, zone), day) for day in days]
