"""Planted faults: each is found, nothing else is, and its remedy solves it."""

import pytest
from django.db import connection

from ops.index_health.findings import Finding, FindingKind
from ops.index_health.report import run_checks
from tests.conftest import postgres_only
from tests.ops.index_health.databases import run
from tests.ops.index_health.faults import FAULTS, SOLVED_BY_SQL, Fault, use_all_but_the_unused

OTHERS = [fault for fault in FAULTS if fault not in SOLVED_BY_SQL]


def place(finding: Finding):
    return finding.kind, finding.index or finding.table


def found():
    return {place(finding) for finding in run_checks().open_findings}


def plant(fault: Fault, settings):
    if connection.vendor not in fault.databases:
        pytest.skip("This fault can't be planted in this database.")
    for name, value in fault.settings.items():
        setattr(settings, name, value)
    fault.do()


def test_healthy_database_has_no_findings(healthy):
    assert found() == set()


@postgres_only
def test_index_with_scans_is_not_unused(planted, settings):
    settings.INDEX_UNUSED_DAYS = 0
    use_all_but_the_unused()
    run("SELECT count(*) FROM calls WHERE company_id = 1 AND booked")
    assert found() <= {(FindingKind.UNUSED, "ix_calls_company_id_booked")}


@pytest.mark.parametrize("fault", SOLVED_BY_SQL, ids=lambda fault: fault.name)
def test_fault_is_found_and_solved_by_its_remedy(shared, settings, fault):
    plant(fault, settings)
    findings = run_checks().open_findings
    remedies = {finding.remedy for finding in findings}
    run(*(statement for remedy in remedies for statement in remedy.split("; ")))
    assert {place(finding) for finding in findings} == {fault.finds, *fault.also}
    assert found() == set()


@pytest.mark.parametrize("fault", OTHERS, ids=lambda fault: fault.name)
def test_fault_is_the_only_finding(planted, settings, fault):
    plant(fault, settings)
    assert found() == {fault.finds, *fault.also}


@postgres_only
def test_all_faults_at_once_are_the_only_findings(planted, settings):
    for fault in FAULTS:
        plant(fault, settings)
    assert found() == {place for fault in FAULTS for place in (fault.finds, *fault.also)}
