"""The triggers that mark changed calls: which write leaves a mark, which calls no function, what they outlive."""

from datetime import timedelta
from itertools import permutations

import pytest
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.utils.timezone import now

from analytics.rollups.update import rebuild_call_rollup, update_call_rollup, without_stale_marks
from benchmarks.table_copies import columns_of
from calls.models import Call
from crm.db.tenancy import all_tenants, tenant
from crm.db.triggers import CreateTriggers, Triggers, declared_triggers
from tests.analytics.rollup_fixture import DAY, assert_exact, count_stale, make_call
from tests.conftest import postgres_only

pytestmark = pytest.mark.django_db


def test_a_call_that_rings_now_leaves_no_mark_and_one_of_yesterday_does(acme):
    make_call(acme, ago=timedelta(0)).delete()
    assert count_stale(acme) == 0
    make_call(acme, ago=DAY)
    assert count_stale(acme) == 1


@pytest.mark.parametrize("change", [{"duration_s": 5}, {"from_number": "Anonymous"}, {"reason_for_lost_sale": "Price"}])
def test_a_change_that_no_number_tells_of_leaves_no_mark(acme, change):
    call = make_call(acme, status="lost")
    update_call_rollup(company=acme)
    with tenant(acme.pk):
        Call.objects.filter(pk=call.pk).update(**change)
    assert count_stale(acme) == 0


def test_migrations_make_the_triggers_that_the_models_declare():
    made = [
        (label, operation.on, operation.name, operation.postgresql, operation.each_row)
        for (label, _), migration in MigrationLoader(None).disk_migrations.items()
        for operation in migration.operations
        if isinstance(operation, CreateTriggers)
    ]
    declared = [
        (model._meta.app_label, triggers.on, triggers.name, triggers.postgresql, triggers.each_row)
        for model, triggers in declared_triggers(Triggers)
    ]
    assert made == declared


@postgres_only
@pytest.mark.django_db(transaction=True)
def test_a_load_marks_an_hour_once_a_company_and_again_after_its_savepoint_is_rolled_back(acme, globex):
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
def test_calls_of_a_company_just_made_are_loaded_without_marks_and_later_ones_leave_them_again(acme, globex):
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
@pytest.mark.parametrize(("ago", "called"), [("1 minute", False), ("9 days", True)])
def test_no_trigger_is_called_for_a_call_that_rings_now(ago, called, acme):
    make_call(acme)
    columns = ", ".join(columns_of(Call))
    values = columns.replace("created_at", f"now() - interval '{ago}'")
    with tenant(acme.pk), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN ANALYZE INSERT INTO calls ({columns}) SELECT {values} FROM calls")
        assert any("mark_call_hours" in line for (line,) in cursor.fetchall()) == called


@pytest.mark.django_db(transaction=True)
def test_the_triggers_outlive_a_change_of_the_table_and_a_migrate(acme):
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
def test_sqlite_is_flushed_whichever_table_is_emptied_last(acme, last):
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL empties all tables at once")
    make_call(acme)
    tables = sorted(connection.introspection.django_table_names(only_existing=True), key=lambda name: name in last)
    statements = connection.ops.sql_flush(no_style(), [*tables[: -len(last)], *last])
    connection.ops.execute_sql_flush(statements)
    assert count_stale(acme) == 0


@postgres_only
def test_emptying_the_table_is_noticed(acme, globex):
    for company in (acme, globex):
        make_call(company)
        update_call_rollup(company=company)
    with tenant(acme.pk), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("TRUNCATE calls CASCADE")
    for company in (acme, globex):
        assert_exact(company)
        assert count_stale(company) == 1
