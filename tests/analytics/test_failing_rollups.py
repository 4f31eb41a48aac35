"""Rollups whose update fails, and rollups of calls at the ends of the range of times."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from analytics.dashboard.metrics import call_metrics
from analytics.models import CallRollup
from analytics.rollups import jobs
from analytics.rollups.jobs import has_pending_rollups, run_next_rollup
from analytics.rollups.update import find_differences, update_call_rollup
from crm.date_ranges import FIRST_DAY, LAST_DAY, DateRange
from crm.db.tenancy import all_tenants, tenant
from crm.instants import FIRST_INSTANT, LAST_INSTANT
from crm.models import Company
from tests import factories
from tests.analytics.rollup_fixture import DAY, assert_exact, make_call, rollup_days
from tests.conftest import signed_in
from tests.factories import CallFactory, UserFactory

pytestmark = pytest.mark.django_db
# The first and the last place of a day, places with odd offsets, and places that skipped a day or an hour at midnight.
ZONES = [
    "Pacific/Kiritimati", "Etc/GMT+12", "Pacific/Apia", "Africa/Monrovia", "Asia/Kathmandu", "America/St_Johns",
    "America/Denver", "UTC",
]  # fmt: skip


@pytest.fixture(autouse=True)
def fresh_worker(monkeypatch):
    monkeypatch.setattr(jobs, "_checked_at_s", float("-inf"))
    monkeypatch.setattr(jobs, "_due_companies", [])


@pytest.fixture
def broken(acme, monkeypatch):
    """Make the update of Acme's rollup fail until the returned list is emptied."""
    broken = [acme.pk]

    def update(*, company):
        if company.pk in broken:
            raise OverflowError("date value out of range")
        return update_call_rollup(company=company)

    monkeypatch.setattr(jobs, "update_call_rollup", update)
    return broken


def rollup_of(company):
    with all_tenants():
        return CallRollup.objects.get(company=company)


def make_due():
    with all_tenants():
        CallRollup.objects.update(run_at=now() - timedelta(seconds=1))


def run_all():
    count = 0
    while run_next_rollup():
        count += 1
    return count


def test_failing_rollup_leaves_those_of_other_companies(acme, globex, broken, caplog):
    make_call(acme, ago=3 * DAY)
    make_call(globex, ago=3 * DAY)
    run_all()
    failed = rollup_of(acme)
    assert (failed.tries, failed.error) == (1, "OverflowError: date value out of range")
    assert len(rollup_days(globex)) == 1
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_failing_rollup_waits_longer_after_each_failure_and_is_logged_once(acme, broken, caplog):
    make_call(acme, ago=3 * DAY)
    for tries, wait in [(1, 2), (2, 4), (3, 8)]:
        before = now()
        run_all()
        rollup = rollup_of(acme)
        assert rollup.tries == tries
        assert timedelta(seconds=wait) <= rollup.run_at - before < timedelta(seconds=wait + 30)
        assert has_pending_rollups()
        make_due()
    assert len(caplog.records) == 1


def test_rollup_that_works_again_is_exact_and_forgets_its_failures(acme, broken):
    make_call(acme, ago=3 * DAY)
    run_all()
    broken.clear()
    make_due()
    run_all()
    rollup = rollup_of(acme)
    assert (rollup.tries, rollup.error) == (0, "")
    assert_exact(acme)
    assert not has_pending_rollups()


def test_rollup_with_too_many_failures_is_left_to_the_operator(acme, broken, settings):
    settings.WORKER_MAX_TRIES = 2
    make_call(acme, ago=3 * DAY)
    for _ in range(2):
        run_all()
        make_due()
    assert not has_pending_rollups()
    run_all()  # it is still tried now and then
    assert rollup_of(acme).tries == 3


def test_invalid_time_zone_of_a_company_stops_no_other_rollup(acme, globex):
    Company.objects.filter(pk=acme.pk).update(timezone="Mars/Olympus")
    make_call(globex, ago=3 * DAY)
    run_all()
    assert len(rollup_days(globex)) == 1
    assert rollup_of(acme).error.startswith("ZoneInfoNotFoundError")


def test_rollups_of_busy_companies_take_turns(acme, globex):
    make_call(acme, ago=3 * DAY)
    make_call(globex, ago=3 * DAY)
    run_all()
    updated = []
    for _ in range(4):
        make_call(acme, ago=4 * DAY)
        make_call(globex, ago=4 * DAY)
        before = {company.pk: rollup_of(company).version for company in (acme, globex)}
        assert run_next_rollup()
        updated += [company.slug for company in (acme, globex) if rollup_of(company).version > before[company.pk]]
    assert sorted(updated[:2]) == sorted(updated[2:]) == ["acme", "globex"]


def test_failing_rollup_is_a_notice_and_a_metric(acme, globex, broken, manager_api, outsider_api, settings, client):
    settings.WORKER_MAX_TRIES, settings.METRICS_TOKEN = 1, "one-that-only-prometheus-knows"
    make_call(acme, ago=3 * DAY)
    run_all()
    [notice] = manager_api.get("/api/v1/notices").json()["notices"]
    assert (notice["kind"], notice["count"]) == ("daily_totals_failing", 1)
    assert outsider_api.get("/api/v1/notices").json()["notices"] == []
    text = client.get("/metrics", headers={"Authorization": f"Bearer {settings.METRICS_TOKEN}"}).content.decode()
    assert "crm_rollups_failing 1.0" in text


@pytest.mark.slow
@pytest.mark.parametrize("zone", ZONES)
def test_calls_at_the_ends_of_the_range_are_counted_in_every_zone(zone, db):
    company = factories.CompanyFactory(timezone=zone)
    for at in (FIRST_INSTANT, now() - 3 * DAY, LAST_INSTANT):
        CallFactory(contact__company=company, created_at=at)
    while update_call_rollup(company=company):
        pass
    assert find_differences(company=company) == []
    assert len(rollup_days(company)) == 2  # the last call's day is not over
    with tenant(company.pk):
        assert call_metrics(DateRange(None, None, company.zone))["total"] == 3
    last = DateRange(LAST_INSTANT.astimezone(company.zone).date(), LAST_DAY, company.zone)
    first = DateRange(None, FIRST_INSTANT.astimezone(company.zone).date(), company.zone)
    with tenant(company.pk):
        assert [call_metrics(period)["total"] for period in (first, last)] == [1, 1]


@pytest.mark.slow
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"dashboard/metrics?start_date={FIRST_DAY}&end_date={LAST_DAY}", 200),
        (f"dashboard/metrics?start_date={LAST_DAY}", 200),
        (f"dashboard/metrics?end_date={FIRST_DAY}", 200),
        (f"dashboard/booking-rate?start_date={FIRST_DAY}&end_date={FIRST_DAY}", 200),
        (f"dashboard/booking-rate?end_date={FIRST_DAY}", 200),
        (f"dashboard/booking-rate?start_date={LAST_DAY}&basis=cohort", 200),
        (f"dashboard/booking-rate?start_date={FIRST_DAY}&end_date={LAST_DAY}", 400),
        (f"dashboard/top-objections?start_date={FIRST_DAY}&end_date={LAST_DAY}", 200),
        (f"dashboard/calls?start_date={FIRST_DAY}&end_date={LAST_DAY}", 200),
        (f"appointments?start_date={LAST_DAY}", 200),
    ],
)
def test_dashboard_answers_at_the_ends_of_the_range(zone, path, status, db):
    company = factories.CompanyFactory(timezone=zone)
    for at in (FIRST_INSTANT, LAST_INSTANT):
        factories.CallAnalysisFactory(call=CallFactory(contact__company=company, created_at=at), analyzed_at=at)
    end = {"scheduled_start": LAST_INSTANT - timedelta(hours=1), "scheduled_end": LAST_INSTANT}
    factories.AppointmentFactory(contact__company=company, timezone=zone, **end)
    api = signed_in(UserFactory(company=company, role="manager"))
    assert api.get(f"/api/v1/{path}").status_code == status
