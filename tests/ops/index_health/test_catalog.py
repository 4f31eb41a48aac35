"""Reading the catalogue: no traces, on all servers, and during builds."""

from threading import Thread

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from ops.index_health.catalog import expected, read_database
from ops.index_health.findings import FindingKind
from ops.index_health.report import run_checks
from tests.conftest import postgres_only
from tests.db.scratch import another_session, wait_until
from tests.ops.index_health.databases import ask, run, superuser
from tests.replicas import Standby, a_replica

TRACES = "SELECT count(*) FROM pg_class WHERE relpersistence = 't'"


@pytest.fixture
def replica(planted, settings):
    """A standby that follows the primary."""
    with Standby(connection.settings_dict["HOST"]) as standby, a_replica(settings, host=str(standby.folder)) as replica:
        yield replica


def unused():
    return {finding.index for finding in run_checks().open_findings if finding.kind == FindingKind.UNUSED}


def test_migrated_database_has_the_declared_indexes(healthy):
    database = read_database()
    named = {name for name in database.declared if name.startswith(("ix_", "idx_"))}
    assert len(named) > 60
    assert all(database.declared[name].definition == database.indexes[name].definition for name in named)


@postgres_only
def test_reading_leaves_no_traces_in_a_transaction(healthy, monkeypatch):
    monkeypatch.setattr(expected, "_declared_cache", {})
    path = ask("SHOW search_path")
    with transaction.atomic():
        before = read_database()
        assert ask(TRACES) == 0
        assert ask("SHOW search_path") == path
        assert ask("SELECT count(*) FROM companies") == 2  # the transaction goes on
    assert before.indexes == read_database().indexes


@postgres_only
def test_role_without_temporary_tables_gets_all_checks_but_drift(planted, monkeypatch):
    monkeypatch.setattr(expected, "_declared_cache", {})
    run(f"REVOKE TEMPORARY ON DATABASE {connection.settings_dict['NAME']} FROM PUBLIC, CURRENT_USER")
    run("CREATE INDEX calls_again ON calls (company_id, status)")
    report = run_checks()
    assert [finding.kind for finding in report.open_findings] == [FindingKind.DUPLICATE]
    assert any(one.message.startswith("Drift is unknown") for one in report.skipped_checks)


@postgres_only
def test_index_that_is_being_built_is_not_invalid(planted):
    building = "CREATE INDEX CONCURRENTLY calls_by_price ON calls (quoted_price)"
    with another_session() as old, another_session() as builder:
        old.execute("LOCK TABLE calls IN ROW EXCLUSIVE MODE")
        builder.connection.rollback()
        builder.connection.autocommit = True
        thread = Thread(target=builder.execute, args=(building,))
        thread.start()
        wait_until(lambda: ask("SELECT count(*) FROM pg_class WHERE relname = 'calls_by_price'") == 1)
        report = run_checks()
        old.connection.rollback()
        thread.join()
    assert report.open_findings == ()
    assert any(one.message == "calls_by_price is being built right now." for one in report.skipped_checks)


@postgres_only
def test_failed_migration_is_repaired_by_migrating_again(planted):
    run(
        "DELETE FROM django_migrations WHERE app = 'crm' AND name = '0002_performance_indexes'",
        "DROP INDEX idx_contact_email",
        "DROP INDEX ix_leads_contact_id",
    )
    with pytest.raises(Exception, match="could not create unique index"):
        run("CREATE UNIQUE INDEX CONCURRENTLY idx_contact_email ON contacts (email)")
    report = run_checks()
    assert {(one.kind, one.index, one.remedy) for one in report.open_findings} == {
        (FindingKind.MISSING, "ix_leads_contact_id", "manage.py migrate crm"),
        (FindingKind.INVALID, "idx_contact_email", "manage.py migrate crm"),
    }
    assert all("crm.0002_performance_indexes" in one.message for one in report.open_findings)
    assert not any("duplicate rows" in one.message for one in report.open_findings)  # the declared one isn't unique
    call_command("migrate", "crm", verbosity=0)
    assert run_checks().open_findings == ()


@postgres_only
def test_index_used_on_a_replica_is_not_unused(replica, settings):
    settings.INDEX_UNUSED_DAYS = 0
    run("CREATE INDEX calls_by_length ON calls (duration_s)")
    assert "calls_by_length" in unused()
    wait_until(lambda: ask("SELECT to_regclass('calls_by_length') IS NOT NULL", on=replica))
    with replica.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        cursor.execute("SELECT count(*) FROM calls WHERE duration_s = 60")
        cursor.execute("SELECT pg_stat_force_next_flush()")
    assert "calls_by_length" not in unused()
    database = read_database()
    assert database.servers == ("default", "replica1")
    assert database.indexes["calls_by_length"].scans == 1


@postgres_only
def test_unreachable_replica_skips_the_check_for_unused_indexes(planted, settings):
    settings.INDEX_UNUSED_DAYS = 0
    assert unused()
    with a_replica(settings, host="/nowhere"):
        report = run_checks()
    assert not [finding for finding in report.findings if finding.kind == FindingKind.UNUSED]
    assert any(one.message.startswith("The use of indexes on replica1 is unknown") for one in report.skipped_checks)


@postgres_only
def test_young_counters_skip_the_check_for_unused_indexes(healthy):
    report = run_checks()
    assert not [finding for finding in report.findings if finding.kind == FindingKind.UNUSED]
    assert any(one.message.startswith("Unused indexes are unknown yet") for one in report.skipped_checks)


@postgres_only
def test_index_of_a_constraint_or_foreign_key_is_kept_without_scans(planted, settings):
    settings.INDEX_UNUSED_DAYS = 0
    with superuser() as cursor:
        cursor.execute("SELECT pg_stat_reset()")
        cursor.connection.commit()
    report = run_checks()
    found = {finding.index: finding for finding in report.findings if finding.kind == FindingKind.UNUSED}
    assert not [name for name in found if report.database.indexes[name].is_constraint]
    assert found["ix_calls_lead_id"].known
    assert "foreign key" in found["ix_calls_lead_id"].message
    assert found["companies_slug_3d5676e3_like"].known  # Django makes it beside each unique text
    assert not found["idx_contact_email"].known


def test_declared_indexes_are_read_once_for_a_process(healthy, monkeypatch):
    monkeypatch.setattr(expected, "_declared_cache", {})
    first = read_database().declared
    monkeypatch.setattr(expected, "_create_and_read", None)
    assert read_database().declared is first
