"""Triggers that record stale hours: which writes record one, and what the triggers survive."""

import re
from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection, transaction
from django.utils.timezone import now

from analytics.models import StaleCallHour
from analytics.models.stale_hour_triggers import LEAD_INPUTS, MEASURE_INPUTS
from analytics.rollups.measures import CALLS, LEADS
from analytics.rollups.update import rebuild_call_rollup, update_call_rollup, without_stale_marks
from calls.models import Call
from crm.db.tenancy import all_tenants, tenant
from crm.models import Lead
from tests.analytics.rollup_fixture import DAY, assert_exact, count_stale, make_call, make_lead
from tests.conftest import postgres_only

pytestmark = pytest.mark.django_db


def test_only_a_call_of_an_earlier_hour_makes_an_hour_stale(acme):
    make_call(acme, ago=timedelta(0)).delete()
    assert count_stale(acme) == 0
    make_call(acme, ago=DAY)
    assert count_stale(acme) == 1


@pytest.mark.parametrize("change", [{"duration_s": 5}, {"from_number": "Anonymous"}, {"reason_for_lost_sale": "Price"}])
def test_change_outside_the_measures_makes_no_hour_stale(acme, change):
    call = make_call(acme, status="lost")
    update_call_rollup(company=acme)
    with tenant(acme.pk):
        Call.objects.filter(pk=call.pk).update(**change)
    assert count_stale(acme) == 0


@pytest.mark.parametrize(
    ("model", "counted", "inputs"), [(Call, CALLS, MEASURE_INPUTS), (Lead, LEADS, LEAD_INPUTS)], ids=["calls", "leads"]
)
def test_every_column_that_a_measure_reads_is_compared_by_the_triggers(model, counted, inputs):
    columns = {field.column for field in model._meta.concrete_fields}
    read, compared = (
        columns & set(re.findall(r"\w+", " ".join(expressions.values())))
        for expressions in (counted.keys | counted.measures, inputs)
    )
    assert read == compared != set()


def test_change_of_an_earlier_lead_makes_its_hour_stale_if_a_measure_reads_it(acme):
    lead = make_lead(acme, ago=DAY)
    assert count_stale(acme) == 1
    for change in ({"status": "won"}, {"value": 8}, {"source": "referral"}):
        update_call_rollup(company=acme)
        with tenant(acme.pk):
            Lead.objects.filter(pk=lead.pk).update(notes="Wants a quote.")
        assert count_stale(acme) == 0
        with tenant(acme.pk):
            Lead.objects.filter(pk=lead.pk).update(**change)
        assert count_stale(acme) == 1


def test_value_of_a_lead_that_is_not_won_makes_no_hour_stale(acme):
    lead = make_lead(acme, ago=DAY)
    update_call_rollup(company=acme)
    with tenant(acme.pk):
        Lead.objects.filter(pk=lead.pk).update(value=7)
    assert count_stale(acme) == 0


def test_new_lead_makes_no_hour_stale(acme):
    make_lead(acme, ago=timedelta(0)).delete()
    assert count_stale(acme) == 0


def test_changed_trigger_gets_a_migration(monkeypatch, capsys):
    changed = replace(StaleCallHour.triggers, postgresql="BEGIN RETURN NULL; END")
    monkeypatch.setattr(StaleCallHour, "triggers", changed)
    call_command("makemigrations", "analytics", dry_run=True)
    assert "Create triggers on calls: mark_call_hours" in capsys.readouterr().out


@postgres_only
@pytest.mark.django_db(transaction=True)
def test_load_records_an_hour_once_a_company_and_again_after_a_rollback(acme, globex):
    long_ago = now().replace(minute=0) - 9 * DAY
    with all_tenants(), transaction.atomic():
        savepoint = transaction.savepoint()
        make_call(acme, ago=now() - long_ago)
        transaction.savepoint_rollback(savepoint)
        for minute in range(5):
            for company in (acme, globex):
                make_call(company, ago=now() - long_ago - timedelta(minutes=minute))
    assert count_stale(acme) == count_stale(globex) == 1


@postgres_only
def test_new_company_s_calls_are_loaded_without_stale_hours(acme, globex):
    with pytest.raises(ZeroDivisionError), all_tenants(), without_stale_marks():
        raise ZeroDivisionError
    make_call(globex, ago=9 * DAY)
    with all_tenants(), without_stale_marks():
        for days in range(5):
            make_call(acme, ago=days * DAY)
    assert (count_stale(acme), count_stale(globex)) == (0, 1)
    rebuild_call_rollup(company=acme)
    assert_exact(acme, (now().date() - 9 * DAY, now().date()), (None, now().date()))
    make_call(acme, ago=3 * DAY)
    assert count_stale(acme) == 1
    assert_exact(acme, (now().date() - 9 * DAY, now().date()), (None, now().date()))


@postgres_only
def test_insert_of_a_call_compiles_no_condition_of_a_trigger(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgname, tgqual FROM pg_trigger WHERE tgrelid = 'calls'::regclass AND tgtype & 4 = 4")
        conditions = dict(cursor.fetchall())
    assert {*conditions.values()} == {None}
    assert "mark_call_hours_insert" in conditions


@pytest.mark.django_db(transaction=True)
def test_triggers_survive_a_table_change_and_a_migrate(acme):
    if connection.vendor == "sqlite":
        with connection.schema_editor() as editor:
            editor._remake_table(Call)  # as each change of a column does
        make_call(acme)
        assert count_stale(acme) == 0
    call_command("migrate", verbosity=0)
    make_call(acme)
    assert count_stale(acme) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("last", [*permutations(["calls", "companies", "stale_call_hours"])], ids="-".join)
def test_flush_on_sqlite_works_in_any_order_of_tables(acme, last):
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL empties all tables at once")
    make_call(acme)
    tables = sorted(connection.introspection.django_table_names(only_existing=True), key=lambda name: name in last)
    statements = connection.ops.sql_flush(no_style(), [*tables[: -len(last)], *last])
    connection.ops.execute_sql_flush(statements)
    assert count_stale(acme) == 0


@postgres_only
def test_truncate_makes_every_counted_day_stale(acme, globex):
    for company in (acme, globex):
        make_call(company)
        update_call_rollup(company=company)
    with tenant(acme.pk), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("TRUNCATE calls CASCADE")
    for company in (acme, globex):
        assert_exact(company)
        assert count_stale(company) == 1
