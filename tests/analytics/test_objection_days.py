"""Daily totals of objections: exact after every write, and read in place of the objections."""

import random
from collections import Counter
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import F
from django.utils.timezone import now

from analytics.dashboard.objections import top_objections
from analytics.models import CallAnalysis, CallObjection, ObjectionDay
from analytics.models.stale_hour_triggers import OBJECTION_INPUTS
from analytics.rollups import update
from analytics.rollups.measures import OBJECTIONS
from analytics.rollups.objections import rebuild_objections
from analytics.rollups.update import rebuild_call_rollup, update_call_rollup
from calls.models import Call
from crm.date_ranges import DateRange
from crm.db.tenancy import all_tenants, tenant
from crm.services.companies import change_timezone
from ops.archive.archiving import archive_company
from ops.archive.restore import find_archives, restore_archive
from tests.analytics.rollup_fixture import DAY, ZONES, count_stale, make_call
from tests.conftest import postgres_only
from tests.count_queries import CountQueries
from tests.factories import CallAnalysisFactory

pytestmark = pytest.mark.django_db
LABELS = ["price", "Price ", "timing", "trust", "Über teuer", "x" * 300]


def analyse(call, *, ago=2 * DAY, objections=("price",)):
    return CallAnalysisFactory(call=call, objections=list(objections), analyzed_at=now() - ago)


def ranking(company, start, end):
    with tenant(company.pk):
        company.refresh_from_db()
        shown = top_objections(DateRange(start, end, company.zone), limit=100)
    return {each["label"]: each["count"] for each in shown["objections"]}, shown["calls_with_objections"]


class Writers:
    """Random changes of two companies' analyses. Each public method is one kind of change."""

    def __init__(self, seed, companies, archives):
        self._rng, self._companies = random.Random(seed), companies  # noqa: S311  # no secret
        self._archives, self.archived = archives, {}
        for company in companies:
            for _ in range(4):
                make_call(company, ago=self._ago())

    def _ago(self):
        return timedelta(hours=self._rng.choice([self._rng.uniform(-10, 150), self._rng.uniform(0, 3)]))

    def _labels(self):
        return self._rng.choices(LABELS, k=self._rng.randrange(4))

    def _sample(self, model, company):
        ids = list(model.objects.filter(company=company).values_list("pk", flat=True))
        return model.objects.filter(pk__in=self._rng.sample(ids, min(len(ids), self._rng.choice([1, 2, 9]))))

    def add_calls(self, company):
        for _ in range(2):
            make_call(company, ago=self._ago())

    def analyse(self, company):
        for call in self._sample(Call, company):
            analyse(call, ago=self._ago(), objections=self._labels())

    def analyse_in_bulk(self, company):
        CallAnalysis.objects.bulk_create(
            CallAnalysis(company=company, call=call, objections=self._labels(), analyzed_at=now() - self._ago())
            for call in self._sample(Call, company)
        )

    def change_labels(self, company):
        self._sample(CallAnalysis, company).update(objections=self._labels())

    def move_in_time(self, company):
        hours = timedelta(hours=self._rng.uniform(-40, 40))
        self._sample(CallAnalysis, company).update(analyzed_at=F("analyzed_at") + hours)

    def delete(self, company):
        self._sample(CallAnalysis, company).delete()

    def delete_calls(self, company):
        self._sample(Call, company)[:1].get().delete()

    def rebuild_objections(self, company):
        rebuild_objections(company=company)

    def change_time_zone(self, company):
        change_timezone(company=company, timezone=self._rng.choice(ZONES), now=now())

    def update_rollup(self, company):
        update_call_rollup(company=company)

    def rebuild_rollup(self, company):
        rebuild_call_rollup(company=company)

    def archive(self, company):
        before = self._calls()
        cut_off = now() - timedelta(hours=self._rng.uniform(0, 150))
        archive_company(company=company, cut_off=cut_off, root=self._archives, batch_size=self._rng.choice([2, 50]))
        left = self._calls()
        self.archived |= {call: rows for call, rows in before.items() if call not in left}

    def restore(self, company):
        if not list(self._archives.rglob("*.parquet")):
            return
        for archive in find_archives(self._archives):
            restore_archive(archive)
        for call in self._calls():
            self.archived.pop(call, None)

    def _calls(self):
        """Read the company and the labels, with their times, of each call."""
        calls = {pk: (company, []) for pk, company in Call.objects.values_list("pk", "company")}
        for call, label, at in CallObjection.objects.values_list("call", "label", "analyzed_at"):
            calls[call][1].append((label, at))
        return calls


CHANGES = [name for name in vars(Writers) if not name.startswith("_")]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_ranking_matches_the_objections_after_random_writes(seed, acme, globex, monkeypatch, tmp_path):
    with all_tenants():
        writers = Writers(seed, [acme, globex], archives=tmp_path)
    rng = random.Random(seed)  # noqa: S311  # no secret
    for step in range(40):
        change, company = rng.choice(CHANGES), rng.choice([acme, globex])
        monkeypatch.setattr(update, "MAX_DAYS", rng.choice([2, 400]))
        monkeypatch.setattr(update, "MAX_HOURS", rng.choice([3, 5000]))
        with all_tenants():
            getattr(writers, change)(company)
            calls = writers._calls() | writers.archived
        start = now().date() - rng.randrange(0, 9) * DAY
        end = start + rng.randrange(0, 9) * DAY
        for one in (acme, globex):
            one.refresh_from_db()
            labels, count = Counter(), 0
            for owner, rows in calls.values():
                if owner == one.pk:
                    found = {label for label, at in rows if start <= at.astimezone(one.zone).date() <= end}
                    labels.update(found)
                    count += bool(found)
            assert ranking(one, start, end) == (dict(labels), count), f"seed {seed}, step {step}: {change}"


def test_past_day_is_read_from_its_totals(acme):
    analyse(make_call(acme), objections=["price", "timing"])
    update_call_rollup(company=acme)
    with tenant(acme.pk):
        totals = ObjectionDay.objects.order_by("label").values_list("label", "calls", "calls_by_first_label")
        assert list(totals) == [("price", 1, 1), ("timing", 1, 0)]
        ObjectionDay.objects.filter(label="price").update(calls=7)
    assert ranking(acme, now().date() - 9 * DAY, now().date()) == ({"price": 7, "timing": 1}, 1)


def test_analysis_of_today_is_counted_from_its_row(acme):
    call = make_call(acme)
    update_call_rollup(company=acme)
    analyse(call, ago=timedelta(0))
    assert count_stale(acme) == 0
    assert ranking(acme, now().date() - DAY, now().date() + DAY) == ({"price": 1}, 1)


def test_new_analysis_of_a_call_makes_the_hour_of_the_old_one_stale(acme):
    call = make_call(acme, ago=9 * DAY)
    analyse(call, ago=5 * DAY)
    update_call_rollup(company=acme)
    analyse(call, ago=timedelta(0), objections=[])
    assert count_stale(acme) == 1
    assert ranking(acme, now().date() - 9 * DAY, now().date() + DAY) == ({}, 0)


def test_change_outside_the_labels_makes_no_hour_stale(acme):
    analysis = analyse(make_call(acme))
    update_call_rollup(company=acme)
    with tenant(acme.pk):
        CallAnalysis.objects.filter(pk=analysis.pk).update(summary="Wants a quote.")
    assert count_stale(acme) == 0


def test_every_column_that_is_counted_is_compared_by_the_triggers():
    columns = {field.column for field in CallObjection._meta.concrete_fields}
    counted = {*OBJECTIONS.keys, *(name for name in columns if f"item.{name}" in str(OBJECTIONS.measures))}
    assert counted == set(OBJECTION_INPUTS)


def test_check_finds_a_wrong_total(acme, capsys):
    analyse(make_call(acme))
    call_command("rebuild_rollups", company="acme")
    call_command("rebuild_rollups", check=True)
    with tenant(acme.pk):
        ObjectionDay.objects.update(calls_by_first_label=0)
    with pytest.raises(CommandError):
        call_command("rebuild_rollups", check=True)


def test_ranking_runs_two_statements_for_any_period(acme):
    analyse(make_call(acme))
    update_call_rollup(company=acme)
    for days in (1, 400):
        with CountQueries() as queries:
            ranking(acme, now().date() - days * DAY, now().date())
        assert len(queries) - 1 == 2  # one reads the company again


@postgres_only
def test_truncate_of_analyses_makes_the_days_of_objections_stale(acme):
    analyse(make_call(acme, ago=40 * DAY))
    update_call_rollup(company=acme)
    with tenant(acme.pk), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("TRUNCATE call_analysis CASCADE")
    assert ranking(acme, now().date() - 60 * DAY, now().date()) == ({}, 0)
