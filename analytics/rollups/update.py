"""Update, rebuild and check of a company's rollup of calls, leads and objections."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import Min
from django.utils.timezone import now

from analytics.models import (
    ArchivedCalls,
    ArchivedObjections,
    CallDay,
    CallObjection,
    CallRollup,
    LeadDay,
    ObjectionDay,
    StaleCallHour,
)
from analytics.models.stale_hour_triggers import FRESH, RECORDED_SETTING, SKIP_SETTING
from analytics.rollups.coverage import DAY, RollupCoverage, days_of, read_coverage
from analytics.rollups.measures import CALLS, LEADS, OBJECTIONS, Counted, Span, count_rows
from calls.models import Call
from crm.date_ranges import bounds_of, days_between, start_of
from crm.db.tenancy import current_company_id, tenant
from crm.models import Company, Lead

MAX_HOURS = 5000  # stale rows handled in one transaction
MAX_DAYS = 400  # days added to a rollup in one transaction

COUNTED: Sequence[tuple[Counted, Any]] = (
    (CALLS, CallDay),
    (LEADS, LeadDay),
    (OBJECTIONS, ObjectionDay),
)  # with the model of the counts

# A transaction that may still commit a counted row without a stale hour holds this lock on its table. It began before
# the day had been over for FRESH. The start is hidden for prepared transactions and other roles: it counts as 'epoch'.
OLDEST_WRITE = """
SELECT least(clock_timestamp(), min(coalesce(writer.xact_start, 'epoch')))
FROM pg_locks AS held LEFT JOIN pg_stat_activity AS writer USING (pid)
WHERE held.locktype = 'relation'
    AND held.relation IN ('calls'::regclass, 'leads'::regclass, 'call_objections'::regclass)
    AND held.mode = 'RowExclusiveLock'
    AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND held.pid IS DISTINCT FROM pg_backend_pid()
"""
COMPARE = """
SELECT day FROM (SELECT * FROM ({rollup}) AS rollup EXCEPT SELECT * FROM ({counted}) AS counted) AS wrong
UNION SELECT day FROM (SELECT * FROM ({counted}) AS counted EXCEPT SELECT * FROM ({rollup}) AS rollup) AS missing
"""


def update_call_rollup(*, company: Company) -> bool:
    """Count the company's uncounted past days and its stale days. Returns whether some are left.

    The days, and how far they are counted, change in one transaction, one at a time of a company.
    """
    with tenant(company.pk), transaction.atomic():
        rollup = _lock_rollup(company)
        if rollup.timezone != company.timezone:
            for _, totals in COUNTED:
                totals.objects.all().delete()
            rollup.timezone, rollup.rolled_up_until = company.timezone, None
        # Delete stale hours first: the statements after it see each change whose stale hour it saw.
        stale = _pop_stale_days(company.zone)
        closed = _last_closed_day(company.zone)
        days, rollup.rolled_up_until = _days_to_add(company.zone, after=rollup.rolled_up_until, closed=closed)
        days |= {day for day in stale if rollup.rolled_up_until and day <= rollup.rolled_up_until}
        _count(sorted(days), company.zone)
        rollup.version += 1
        rollup.tries, rollup.error, rollup.run_at = 0, "", now()
        rollup.save()
        return rollup.rolled_up_until < closed or StaleCallHour.objects.exists()


def rebuild_call_rollup(*, company: Company) -> int:
    """Discard the company's rollup and count it again. Returns the number of days with calls."""
    with tenant(company.pk), transaction.atomic():
        rollup = _lock_rollup(company)
        rollup.timezone = ""  # matches no company: readers skip its days, and the update starts at the first
        rollup.save(update_fields=["timezone"])
    while update_call_rollup(company=company):
        pass
    with tenant(company.pk):
        return CallDay.objects.count()


@contextmanager
def without_stale_marks() -> Iterator[None]:
    """Insert calls, leads and analyses without recording stale hours, for companies created in the same transaction.

    No rollup can have counted such rows. Millions of old ones are then loaded without millions of stale hours. SQLite
    ignores it.
    """
    if connection.vendor != "postgresql":
        yield
        return
    with transaction.atomic():
        _set_local(SKIP_SETTING, "on")
        yield
        if not connection.needs_rollback:  # a rollback reverts the setting
            _set_local(SKIP_SETTING, "")


def _set_local(setting: str, value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [setting, value])


def find_differences(*, company: Company) -> list[date]:
    """Return the counted days, in order, that differ from their rows. Stale days may differ and are left out."""
    with tenant(company.pk), transaction.atomic():
        _lock_rollup(company)
        coverage = read_coverage(company.zone)
        starts = [totals.objects.aggregate(first=Min("day"))["first"] for _, totals in COUNTED]
        starts.append(_first_day_with_rows(company.zone))
        first = min((day for day in starts if day), default=None)
        if first is None or coverage.until is None:
            return []
        days = [day for day in days_between(first, coverage.until) if day not in coverage.stale]
        differing = {day for what, _ in COUNTED for day in _compare(what, coverage, days, company.zone)}
        # Read again: rows changed during the comparison have made their days stale by now.
        return sorted(differing - read_coverage(company.zone).stale)


def _compare(what: Counted, coverage: RollupCoverage, days: Sequence[date], zone: ZoneInfo) -> set[date]:
    """Return the days whose counts differ from their rows."""
    rollup, rollup_parameters = coverage.rollup_days_sql(what, None, None)
    counted, count_parameters = count_rows(what, _spans(days, zone))
    with connection.cursor() as cursor:
        cursor.execute(
            COMPARE.format(rollup=rollup, counted=counted),
            [*rollup_parameters, *count_parameters, *count_parameters, *rollup_parameters],
        )
        return {date.fromisoformat(str(day)) for (day,) in cursor.fetchall()}


def _lock_rollup(company: Company) -> CallRollup:
    """Lock the company's rollup, creating it if needed, and then reload the company's time zone."""
    CallRollup.objects.get_or_create(company=company, defaults={"timezone": company.timezone})
    rollup = CallRollup.objects.select_for_update().get()
    company.refresh_from_db(fields=["timezone"])
    return rollup


def _pop_stale_days(zone: ZoneInfo) -> frozenset[date]:
    stale = dict(StaleCallHour.objects.order_by("pk").values_list("pk", "hour")[:MAX_HOURS])
    StaleCallHour.objects.filter(pk__in=stale).delete()
    if connection.vendor == "postgresql":
        _set_local(RECORDED_SETTING, "")  # the hours that this transaction's own INSERTs recorded are gone
    return days_of(set(stale.values()), zone)


def find_oldest_write() -> datetime:
    """Return a time before which no open transaction that has written calls, leads or objections began."""
    if connection.vendor != "postgresql":
        return now()  # this connection is the only writer
    with connection.cursor() as cursor:
        cursor.execute(OLDEST_WRITE)
        return cursor.fetchone()[0]


def _last_closed_day(zone: ZoneInfo) -> date:
    """Return the last day of which no row can still be written without a stale hour."""
    return (find_oldest_write() - FRESH).astimezone(zone).date() - DAY


def _days_to_add(zone: ZoneInfo, *, after: date | None, closed: date) -> tuple[set[date], date]:
    """Return the next days to count, at most MAX_DAYS, and the last counted day afterwards."""
    if after and after >= closed:
        return set(), after
    first = _first_day_with_rows(zone, after=after)
    if first is None or first > closed:
        return set(), closed
    last = min(closed, first + (MAX_DAYS - 1) * DAY)
    return set(days_between(first, last)), last


def _first_day_with_rows(zone: ZoneInfo, *, after: date | None = None) -> date | None:
    """Return the first day with calls, leads or objections, archived ones included."""
    start = start_of(after + DAY, zone) if after else None
    firsts = []
    for rows, time in (
        (Call, "created_at"), (ArchivedCalls, "quarter_hour"), (Lead, "created_at"), (CallObjection, "analyzed_at"),
        (ArchivedObjections, "quarter_hour"),
    ):  # fmt: skip
        times = rows.objects.filter(**{f"{time}__gte": start} if start else {}).order_by(time)
        firsts.append(times.values_list(time, flat=True).first())
    return min((first.astimezone(zone).date() for first in firsts if first), default=None)


def _count(days: Sequence[date], zone: ZoneInfo) -> None:
    for what, totals in COUNTED:
        totals.objects.filter(day__in=days).delete()
        counted, parameters = count_rows(what, _spans(days, zone))
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {what.days} (company_id, day, {what.columns})"  # noqa: S608  # constants
                f" SELECT %s, counted.* FROM ({counted}) AS counted ORDER BY counted.day",  # of a month on few pages
                [current_company_id(), *parameters],
            )


def _spans(days: Iterable[date], zone: ZoneInfo) -> list[Span]:
    return [Span(*bounds_of(day, day, zone), day) for day in days]
