"""Call rollups: the dashboard's metrics equal those of the calls after every kind of write."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from functools import partial
from threading import Event
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Max, Min
from django.utils.timezone import now

from analytics.dashboard import exact
from analytics.dashboard.metrics import call_metrics
from analytics.models import CallDay, CallRollup
from analytics.rollups import jobs, update
from analytics.rollups.coverage import days_of, read_coverage
from analytics.rollups.jobs import has_pending_rollups, run_next_rollup
from analytics.rollups.update import find_differences, find_oldest_write, update_call_rollup
from calls.choices import CallStatus
from calls.models import Call
from crm.date_ranges import DateRange, start_of
from crm.db.tenancy import all_tenants, tenant
from crm.services.companies import change_timezone
from tests.analytics.rollup_fixture import (
    CHANGES,
    DAY,
    Writers,
    assert_exact,
    count_stale,
    make_call,
    rollup_days,
)
from tests.conftest import postgres_only
from tests.count_queries import CountQueries
from tests.db.scratch import another_session

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_worker(monkeypatch):
    monkeypatch.setattr(jobs, "_checked_at_s", float("-inf"))
    monkeypatch.setattr(jobs, "_due_companies", [])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_metrics_match_the_calls_after_random_writes(seed, acme, globex, monkeypatch, tmp_path):
    writers = Writers(seed, [acme, globex], archives=tmp_path)
    rng = writers.rng
    for step in range(40):
        change, company = rng.choice(CHANGES), rng.choice([acme, globex])
        # Small steps, so that readers often meet a half-finished rollup.
        monkeypatch.setattr(update, "MAX_DAYS", rng.choice([2, 400]))
        monkeypatch.setattr(update, "MAX_HOURS", rng.choice([3, 5000]))
        with all_tenants():
            getattr(writers, change)(company)
        today = now().date()
        start = today - rng.randrange(0, 9) * DAY
        for one in (acme, globex):
            one_side = rng.choice([(start, None), (None, start)])
            archived = writers.archived[one.pk].values()
            assert_exact(one, (start, start + rng.randrange(0, 6) * DAY), one_side, archived=archived)
        if step % 10 == 9:
            assert find_differences(company=company) == [], change


def test_past_day_is_read_from_the_rollup(acme):
    make_call(acme, ago=3 * DAY)
    make_call(acme, ago=3 * DAY)
    assert not update_call_rollup(company=acme)
    day = (now() - 3 * DAY).astimezone(acme.zone).date()
    assert rollup_days(acme) == {day: 2}
    with tenant(acme.pk):
        CallDay.objects.update(total=7)  # no trigger sees this, so it shows the source of the number
        assert call_metrics(DateRange(None, None, acme.zone))["total"] == 7


def test_today_is_counted_from_its_calls(acme):
    update_call_rollup(company=acme)
    make_call(acme, ago=timedelta(0))
    assert rollup_days(acme) == {}
    assert_exact(acme)


def test_late_change_is_counted_at_once_and_rolled_up_by_the_worker(acme):
    call = make_call(acme)
    update_call_rollup(company=acme)
    with tenant(acme.pk):
        Call.objects.filter(pk=call.pk).update(status="purchased", booked=True)
    assert_exact(acme)
    assert has_pending_rollups()
    while run_next_rollup():
        pass
    assert not has_pending_rollups()
    assert count_stale(acme) == 0
    assert_exact(acme)


def test_worker_creates_missing_rollups(acme, globex):
    make_call(acme)
    while run_next_rollup():
        pass
    with all_tenants():
        assert set(CallRollup.objects.values_list("company__slug", "timezone")) == {
            ("acme", "America/Denver"), ("globex", "America/New_York")
        }  # fmt: skip
    assert sum(rollup_days(acme).values()) == 1
    assert sum(rollup_days(globex).values()) == 0
    with CountQueries() as queries:
        assert not run_next_rollup()
    assert len(queries) == 1


def test_company_with_a_new_time_zone_is_counted_from_its_calls_until_the_next_rollup(acme):
    make_call(acme)
    update_call_rollup(company=acme)
    change_timezone(company=acme, timezone="Asia/Kolkata", now=now())
    with tenant(acme.pk):
        assert read_coverage(acme.zone).until is None
    assert_exact(acme)
    while run_next_rollup():
        pass
    with tenant(acme.pk):
        assert read_coverage(acme.zone).until is not None
    assert_exact(acme)


def test_change_between_coverage_and_count_is_counted(acme, monkeypatch):
    call = make_call(acme)
    update_call_rollup(company=acme)
    changes = [
        lambda: Call.objects.filter(pk=call.pk).update(status="unbooked"),
        lambda: update_call_rollup(company=acme),
        lambda: make_call(acme, status="unbooked"),
    ]

    def read_coverage_then_change(zone):
        coverage = read_coverage(zone)
        if changes:
            changes.pop(0)()
        return coverage

    monkeypatch.setattr(exact, "read_coverage", read_coverage_then_change)
    with tenant(acme.pk):
        assert call_metrics(DateRange(None, None, acme.zone))["by_status"]["unbooked"] == 2
    assert changes == []


@pytest.mark.parametrize(
    ("zone", "hour", "days"),
    [
        ("America/Denver", "2026-03-02T06:00Z", {date(2026, 3, 1)}),
        ("America/Denver", "2026-03-02T07:00Z", {date(2026, 3, 2)}),
        ("Asia/Kolkata", "2026-03-01T18:00Z", {date(2026, 3, 1), date(2026, 3, 2)}),  # midnight is at 18:30
        ("America/Havana", "2026-03-08T05:00Z", {date(2026, 3, 8)}),  # the day begins at 1:00
        ("America/St_Johns", "2010-11-07T02:00Z", {date(2010, 11, 6), date(2010, 11, 7)}),  # 0:01 becomes 23:01
    ],
)
def test_hour_belongs_to_the_days_it_overlaps(zone, hour, days):
    assert days_of([datetime.fromisoformat(hour)], ZoneInfo(zone)) == days


def test_metrics_run_two_statements_for_any_rollup(acme):
    period = DateRange(None, None, acme.zone)
    for _ in range(2):
        with tenant(acme.pk), CountQueries() as queries:
            call_metrics(period)
        assert len(queries) == 2
        for ago in range(2, 30):
            make_call(acme, ago=ago * DAY)
        update_call_rollup(company=acme)
        make_call(acme, ago=4 * DAY)
        make_call(acme, ago=8 * DAY)


def test_rollup_of_another_company_is_not_read(acme, globex):
    make_call(globex)
    update_call_rollup(company=globex)
    update_call_rollup(company=acme)
    with tenant(acme.pk):
        assert call_metrics(DateRange(None, None, acme.zone))["total"] == 0


def test_rebuild_rollups_builds_and_checks(acme, globex, capsys):
    make_call(acme)
    make_call(globex)
    call_command("rebuild_rollups", "--company", "acme")
    assert capsys.readouterr().out == "acme: 1 days with calls, 0 objections.\n"
    assert (len(rollup_days(acme)), len(rollup_days(globex))) == (1, 0)
    call_command("rebuild_rollups")
    call_command("rebuild_rollups", "--check")
    with tenant(globex.pk):
        CallDay.objects.update(lost_value=1)
        [day] = CallDay.objects.values_list("day", flat=True)
    capsys.readouterr()
    with pytest.raises(CommandError, match="1 days, calls or campaigns differ"):
        call_command("rebuild_rollups", "--check")
    assert capsys.readouterr().out == f"globex: {day} differs from its calls, leads or objections.\n"
    with tenant(globex.pk):
        CallDay.objects.all().delete()
    assert find_differences(company=globex) == [day]
    call_command("rebuild_rollups", "--company", "globex")
    assert find_differences(company=globex) == []
    with pytest.raises(CommandError, match="no company 'nobody'"):
        call_command("rebuild_rollups", "--company", "nobody")


@postgres_only
@pytest.mark.django_db(transaction=True)
def test_day_is_not_closed_before_a_transaction_that_began_in_it_ends(acme, monkeypatch):
    make_call(acme, ago=5 * DAY)
    today = start_of(now().astimezone(acme.zone).date(), acme.zone)
    with another_session() as old:
        old.execute("SELECT set_config('crm.all_companies', 'on', false)")
        old.execute("SELECT now() FROM calls")
        [[began]] = old.fetchall()
        assert find_oldest_write() > began  # readers are ignored
        old.execute("UPDATE calls SET status = 'unbooked'")
        assert find_oldest_write() == began
        # Yesterday became countable just after the old transaction began.
        monkeypatch.setattr(update, "FRESH", now() - today - timedelta(microseconds=1))
        update_call_rollup(company=acme)
        with tenant(acme.pk):
            assert CallRollup.objects.get().rolled_up_until == today.astimezone(acme.zone).date() - 2 * DAY
        old.execute("COMMIT")
    update_call_rollup(company=acme)
    with tenant(acme.pk):
        assert CallRollup.objects.get().rolled_up_until == today.astimezone(acme.zone).date() - DAY


@postgres_only
@pytest.mark.django_db(transaction=True)
def test_concurrent_writers_rollups_and_readers_end_exact(acme):
    for ago in range(60):
        make_call(acme, ago=ago * timedelta(hours=3))
    pks = list(range(*id_range()))
    done = Event()

    def write(seed):
        rng = random.Random(seed)  # noqa: S311  # no secret
        for _ in range(60):
            with tenant(acme.pk):
                calls = Call.objects.filter(pk__in=sorted(rng.sample(pks, 3))).order_by("pk")
                status = rng.choice(CallStatus.values)
                for call in calls.select_for_update():
                    call.set_status(status)
                    call.created_at -= rng.choice([0, 1]) * timedelta(hours=5)
                    call.save()
                make_call(acme, ago=timedelta(hours=rng.randrange(100)))

    def roll_up():
        while not done.is_set():
            run_next_rollup()

    def read():
        totals = []
        while not done.is_set():
            with tenant(acme.pk):
                totals.append(call_metrics(DateRange(None, None, acme.zone))["total"])
        return totals

    with ThreadPoolExecutor(max_workers=6) as pool:
        others = [pool.submit(with_own_connection, act) for act in (roll_up, roll_up, read)]
        try:
            for writer in [pool.submit(with_own_connection, partial(write, seed)) for seed in range(3)]:
                writer.result()
        finally:
            done.set()
        *_, totals = [other.result() for other in others]
    assert totals == sorted(totals)  # calls were only added: none was missed or counted twice
    assert_exact(acme, (now().date() - 9 * DAY, now().date()))
    while run_next_rollup():
        pass
    assert_exact(acme)
    assert find_differences(company=acme) == []


def id_range():
    with all_tenants():
        ids = Call.objects.aggregate(first=Min("pk"), last=Max("pk"))
    return ids["first"], ids["last"] + 1


def with_own_connection(act):
    try:
        return act()
    finally:
        connection.close()
