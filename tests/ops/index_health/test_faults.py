"""Every planted fault is found, nothing else is, and the advice that comes with it heals it."""

import pytest
from django.db import connection

from ops.index_health.findings import Finding, FindingKind
from ops.index_health.report import run_checks
from tests.conftest import postgres_only
from tests.ops.index_health.copies import run
from tests.ops.index_health.faults import FAULTS, Fault, use_all_but_the_unused

HEALED_BY_SQL = {
    FindingKind.MISSING, FindingKind.EXTRA, FindingKind.CHANGED, FindingKind.INVALID, FindingKind.DUPLICATE, FindingKind.PREFIX, FindingKind.COVERED,
}  # fmt: skip


def place(finding: Finding):
    return finding.kind, finding.index or finding.table


def found():
    return {place(finding) for finding in run_checks().unexpected}


def plant(fault: Fault, settings):
    if connection.vendor not in fault.databases:
        pytest.skip("This database has no such thing.")
    for name, value in fault.settings.items():
        setattr(settings, name, value)
    fault.do()


def test_a_healthy_database_raises_no_alarm(planted):
    assert found() == set()


@postgres_only
def test_a_healthy_database_of_which_every_index_was_used_raises_no_alarm(planted, settings):
    settings.INDEX_UNUSED_DAYS = 0
    use_all_but_the_unused()
    run("SELECT count(*) FROM calls WHERE company_id = 1 AND booked")
    assert found() <= {(FindingKind.UNUSED, "ix_calls_company_id_booked")}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_found_and_nothing_else_and_the_advice_heals_it(planted, settings, fault):
    plant(fault, settings)
    findings = run_checks().unexpected
    assert {place(finding) for finding in findings} == {fault.finds, *fault.also}
    if fault.finds[0] in HEALED_BY_SQL:
        advice = {finding.remedy for finding in findings}
        run(*(statement for remedy in advice for statement in remedy.split("; ")))
        assert found() == set()


@postgres_only
def test_all_faults_at_once_are_found_and_nothing_else(planted, settings, capsys):
    for fault in FAULTS:
        plant(fault, settings)
    seen = found()
    caught = [fault for fault in FAULTS if fault.finds in seen]
    alarms = seen - {place for fault in FAULTS for place in (fault.finds, *fault.also)}
    with capsys.disabled():
        print(f"\n{len(FAULTS)} planted, {len(caught)} found, {len(alarms)} false alarms")
    assert caught == FAULTS
    assert alarms == set()
