"""Builds by another role, whose progress is hidden: nothing is called broken, and nothing is dropped."""

import pytest
from django.core.management import call_command
from django.db import connection

from ops.index_health.catalog import read_database
from ops.index_health.findings import FindingKind
from ops.index_health.maintenance import BUSY, Limits, maintain_indexes, plan_maintenance
from ops.index_health.report import run_checks
from ops.prometheus import indexes as metrics
from tests.conftest import postgres_only
from tests.db.administrator import administrator_runs
from tests.db.scratch import another_session
from tests.ops.index_health.databases import ask, run
from tests.ops.index_health.faults import cancel_reindex

pytestmark = postgres_only

LEFTOVER = "ix_leads_contact_id_ccnew"
VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)"
HIDDEN = "SELECT count(*) FROM pg_stat_progress_create_index WHERE relid IS NULL"


def broken(metric="crm_indexes_invalid"):
    [found] = [one for one in metrics.collect() if one.name == metric]
    return found.samples[0].value


def unknown():
    """Return the names of the indexes whose state the report calls unknown."""
    messages = [one.message for one in run_checks().skipped_checks if "is broken is unknown" in one.message]
    return {message.split()[1] for message in messages}


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        ("CREATE INDEX CONCURRENTLY calls_by_price ON calls (quoted_price)", "calls_by_price"),
        ("REINDEX INDEX CONCURRENTLY ix_calls_created_at", "ix_calls_created_at_ccnew"),
        ("DROP INDEX CONCURRENTLY ix_calls_created_at", "ix_calls_created_at"),
    ],
    ids=lambda text: text.split()[0].lower(),
)
def test_build_by_another_role_is_unknown(planted, capsys, statement, index):
    with administrator_runs(statement, on="calls"):
        assert ask(HIDDEN) == (0 if statement.startswith("DROP") else 1)
        assert [one for one in run_checks().findings if one.kind == FindingKind.INVALID] == []
        assert unknown() == {index}
        assert broken() == 0
        call_command("maintain_indexes", "--apply")
        assert f"Whether {index} is broken is unknown" in capsys.readouterr().out
    if not statement.startswith("DROP"):
        assert ask(VALID, index.removesuffix("_ccnew")) is True


def test_leftover_on_another_table_is_still_found(planted):
    cancel_reindex()
    with administrator_runs("REINDEX INDEX CONCURRENTLY ix_calls_created_at", on="calls"):
        assert [one.index for one in run_checks().findings if one.kind == FindingKind.INVALID] == [LEFTOVER]
        assert unknown() == {"ix_calls_created_at_ccnew"}


def test_planned_task_waits_for_the_next_run_if_another_role_began_to_build(planted):
    cancel_reindex()
    tasks, _ = plan_maintenance(database=read_database())
    assert [task.index for task in tasks] == [LEFTOVER]
    with administrator_runs("REINDEX INDEX CONCURRENTLY ix_leads_contact_id", on="leads"):
        outcomes = [outcome for _, outcome in maintain_indexes(tasks=tasks, limits=Limits())]
        assert outcomes == [BUSY]
    assert ask(VALID, "ix_leads_contact_id") is True
    [outcome] = [outcome for _, outcome in maintain_indexes(tasks=tasks, limits=Limits())]
    assert outcome.endswith(" s")
    assert ask("SELECT to_regclass(%s) IS NULL", LEFTOVER)


def test_leftover_that_is_repaired_after_the_last_look_is_kept(planted):
    cancel_reindex()
    tasks, _ = plan_maintenance(database=read_database())

    def repair_before_the_lock(execute, sql, params, many, context):
        if sql.startswith("LOCK TABLE"):
            with another_session() as other:
                other.execute(f"REINDEX INDEX {LEFTOVER}")
                other.connection.commit()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(repair_before_the_lock):
        [outcome] = [outcome for _, outcome in maintain_indexes(tasks=tasks, limits=Limits())]
    assert outcome == BUSY
    assert ask(VALID, LEFTOVER) is True


def test_killed_drop_is_finished_by_the_next_run(planted):
    cancel_reindex()
    tasks, _ = plan_maintenance(database=read_database())

    def die(execute, sql, params, many, context):
        if sql.startswith("DROP INDEX"):
            raise KeyboardInterrupt
        return execute(sql, params, many, context)

    with connection.execute_wrapper(die), pytest.raises(KeyboardInterrupt):
        list(maintain_indexes(tasks=tasks, limits=Limits()))
    assert ask("SELECT to_regclass(%s) IS NULL", LEFTOVER)
    tasks, _ = plan_maintenance(database=read_database())
    [(task, outcome)] = maintain_indexes(tasks=tasks, limits=Limits())
    assert task.index.startswith("dropped_")
    assert outcome.endswith(" s")
    assert plan_maintenance(database=read_database())[0] == []


def test_end_of_the_build_makes_a_leftover_known(planted):
    run("CREATE INDEX aaa ON leads (status)")
    with administrator_runs("REINDEX INDEX CONCURRENTLY aaa", on="leads"):
        assert unknown() == {"aaa_ccnew"}
    assert unknown() == set()
    assert [(one.kind, one.index) for one in run_checks().open_findings] == [(FindingKind.EXTRA, "aaa")]
