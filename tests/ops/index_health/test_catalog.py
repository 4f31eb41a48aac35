"""Reading what stands: without leaving a trace, on every server, and while somebody builds."""

from contextlib import contextmanager
from threading import Thread

import pytest
from django.core.management import call_command
from django.db import connection, connections, transaction

from ops.index_health.catalog import read_database
from ops.index_health.findings import FindingKind
from ops.index_health.report import run_checks
from tests.conftest import postgres_only
from tests.db.scratch import another_session, wait_until
from tests.ops.index_health.copies import run, superuser
from tests.postgres_server import QUICK, SUPERUSER, PostgresServer

TRACES = "SELECT count(*) FROM pg_class WHERE relpersistence = 't'"


class Standby(PostgresServer):
    """A copy of a running server that follows it and can only be read."""

    def __init__(self, primary):
        super().__init__(QUICK)
        self.primary = primary

    def _initialize(self):
        self._run(
            str(self.binaries / "pg_basebackup"), "-h", self.primary, "-U", SUPERUSER, "-D", str(self.data),
            "--write-recovery-conf", "--checkpoint=fast", "--no-sync",
        )  # fmt: skip

    def _create_role(self):
        """The primary's are there."""


@contextmanager
def a_replica(settings, *, host):
    """`replica1`: the same database, on another host."""
    replica = connection.copy("replica1")
    replica.settings_dict["HOST"] = host
    connections["replica1"] = replica
    settings.REPLICAS = ["replica1"]
    try:
        yield replica
    finally:
        replica.close()
        del connections["replica1"]


@pytest.fixture
def replica(planted, settings):
    """A standby that follows the primary."""
    with Standby(connection.settings_dict["HOST"]) as standby, a_replica(settings, host=str(standby.folder)) as replica:
        yield replica


def unused():
    return {finding.index for finding in run_checks().unexpected if finding.kind == FindingKind.UNUSED}


def ask(question, on=connection):
    with on.cursor() as cursor:
        cursor.execute(question)
        return cursor.fetchone()[0]


def test_what_is_declared_is_what_a_migrated_database_has(planted):
    database = read_database()
    named = {name for name in database.declared if name.startswith(("ix_", "idx_"))}
    assert len(named) > 60
    assert all(database.declared[name].definition == database.indexes[name].definition for name in named)


@postgres_only
def test_reading_leaves_no_trace_and_may_be_part_of_a_request(planted):
    path = ask("SHOW search_path")
    with transaction.atomic():
        before = read_database()
        assert ask(TRACES) == 0
        assert ask("SHOW search_path") == path
        assert ask("SELECT count(*) FROM companies") == 2  # the transaction goes on
    assert before.indexes == read_database().indexes


@postgres_only
def test_a_role_that_may_make_no_temporary_tables_is_told_so_and_gets_the_rest(planted):
    run(f"REVOKE TEMPORARY ON DATABASE {connection.settings_dict['NAME']} FROM PUBLIC, CURRENT_USER")
    run("CREATE INDEX calls_again ON calls (company_id, status)")
    report = run_checks()
    assert [finding.kind for finding in report.unexpected] == [FindingKind.DUPLICATE]
    assert any("could not be compared" in one.message for one in report.skipped_checks)


@postgres_only
def test_an_index_that_is_being_built_is_no_broken_one(planted):
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
    assert report.unexpected == ()
    assert any(one.message == "calls_by_price is being built at this moment." for one in report.skipped_checks)


@postgres_only
def test_what_a_migration_that_broke_left_is_healed_by_migrating_again(planted):
    run(
        "DELETE FROM django_migrations WHERE app = 'crm' AND name = '0002_performance_indexes'",
        "DROP INDEX idx_contact_email",
        "DROP INDEX ix_leads_contact_id",
    )
    with pytest.raises(Exception, match="could not create unique index"):
        run("CREATE UNIQUE INDEX CONCURRENTLY idx_contact_email ON contacts (email)")
    report = run_checks()
    assert {(one.kind, one.index, one.remedy) for one in report.unexpected} == {
        (FindingKind.MISSING, "ix_leads_contact_id", "manage.py migrate crm"),
        (FindingKind.INVALID, "idx_contact_email", "manage.py migrate crm"),
    }
    assert all("crm.0002_performance_indexes" in one.message for one in report.unexpected)
    assert not any("rows that are equal" in one.message for one in report.unexpected)  # what is declared is not unique
    call_command("migrate", "crm", verbosity=0)
    assert run_checks().unexpected == ()


@postgres_only
def test_what_a_replica_uses_is_in_use(replica, settings):
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
def test_while_a_replica_cannot_be_asked_nothing_is_called_unused(planted, settings):
    settings.INDEX_UNUSED_DAYS = 0
    assert unused()
    with a_replica(settings, host="/nowhere"):
        report = run_checks()
    assert not [finding for finding in report.findings if finding.kind == FindingKind.UNUSED]
    assert any(one.message.startswith("replica1 could not be asked") for one in report.skipped_checks)


@postgres_only
def test_counters_that_are_too_young_call_nothing_unused(planted):
    report = run_checks()
    assert not [finding for finding in report.findings if finding.kind == FindingKind.UNUSED]
    assert any(one.message.startswith("No index is called unused yet") for one in report.skipped_checks)


@postgres_only
def test_a_guard_is_never_called_unused_and_what_a_foreign_key_needs_is_kept(planted, settings):
    settings.INDEX_UNUSED_DAYS = 0
    with superuser() as cursor:
        cursor.execute("SELECT pg_stat_reset()")
        cursor.connection.commit()
    report = run_checks()
    found = {finding.index: finding for finding in report.findings if finding.kind == FindingKind.UNUSED}
    assert not [name for name in found if report.database.indexes[name].guards]
    assert found["ix_calls_lead_id"].known
    assert "foreign key" in found["ix_calls_lead_id"].message
    assert found["companies_slug_3d5676e3_like"].known  # Django makes it beside each unique text
    assert not found["idx_contact_email"].known
