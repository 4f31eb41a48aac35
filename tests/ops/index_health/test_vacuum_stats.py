"""Faults that rows and statements cause: each is found, and nothing else is."""

import pytest
from django.db import connection  # noqa: F401  # of postgres_only

from ops.index_health.catalog import read_database
from ops.index_health.checks import bloat
from ops.index_health.findings import SkippedCheck
from ops.index_health.report import run_checks
from tests.conftest import postgres_only
from tests.ops.index_health.databases import run
from tests.ops.index_health.test_faults import place, plant
from tests.ops.index_health.vacuum_faults import COUNTERS, FLUSH, VACUUM_FAULTS, install_pgstattuple

pytestmark = postgres_only


def found():
    return {place(finding) for finding in run_checks(explain=True).open_findings}


def test_healthy_database_answers_every_question_through_its_index(healthy):
    assert found() == set()


@pytest.mark.parametrize("fault", VACUUM_FAULTS, ids=lambda fault: fault.name)
def test_fault_is_the_only_finding(planted, settings, fault):
    plant(fault, settings)
    assert found() == {fault.finds, *fault.also}


def test_bloat_without_pgstattuple_is_unknown_and_says_how_to_install_it(healthy):
    [skipped] = bloat.find(read_database())
    assert "CREATE EXTENSION IF NOT EXISTS pgstattuple; GRANT pg_stat_scan_tables TO" in skipped.message


def test_index_over_the_measuring_limit_is_skipped(planted, settings):
    install_pgstattuple()
    run(COUNTERS, FLUSH)
    settings.INDEX_MEASURE_MAX_BYTES = 1024**2
    [skipped] = bloat.find(read_database())
    assert isinstance(skipped, SkippedCheck)
    assert "minute_counters_pkey" in skipped.message
