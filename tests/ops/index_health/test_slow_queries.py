"""Slow statements: the finding suggests an index if HypoPG shows that it would help."""

import pytest
from django.db import connection  # noqa: F401  # of postgres_only

from ops.index_health.catalog import read_database
from ops.index_health.checks import slow_queries
from ops.index_health.findings import Finding, SkippedCheck
from tests.conftest import postgres_only
from tests.ops.index_health.databases import ask, run
from tests.ops.index_health.vacuum_faults import CONTACTS, FLUSH, install, record_statements

pytestmark = postgres_only


@pytest.fixture(scope="module")
def many_contacts(shared):
    """A table that is large enough for the planner to have a choice."""
    run(CONTACTS, FLUSH, "ANALYZE")


@pytest.fixture
def slow(many_contacts, settings):
    """All statements count as slow, and none was recorded yet."""
    settings.SLOW_STATEMENT_MS = 0
    record_statements()


def finding_of(statement):
    run(statement, FLUSH)
    results = list(slow_queries.find(read_database()))
    findings = [result for result in results if isinstance(result, Finding)]
    assert len(findings) == 1, results
    return findings[0]


def test_finding_without_pg_stat_statements_is_skipped(healthy):
    [skipped] = slow_queries.find(read_database())
    assert isinstance(skipped, SkippedCheck)
    assert "extension pg_stat_statements is not installed" in skipped.message


def test_finding_without_hypopg_suggests_to_install_it(slow):
    finding = finding_of("SELECT count(*) FROM contacts WHERE city = 'Nowhere'")
    assert "An index on contacts (city) may help: install extension hypopg to check." in finding.message


def test_finding_suggests_an_index_that_helps(slow):
    install("hypopg")
    finding = finding_of("SELECT count(*) FROM contacts WHERE city = 'Nowhere' AND updated_at > now()")
    assert "With an index on contacts (city, updated_at) the planner expects a cost of" in finding.message
    assert finding.remedy.startswith("Declare an index on contacts (city, updated_at)")
    assert ask("SELECT count(*) FROM hypopg()") == 0


def test_finding_suggests_no_index_that_does_not_help(slow):
    install("hypopg")
    run("CREATE TABLE calls_before_2020 AS SELECT n AS id, 'old' AS kind FROM generate_series(1, 20000) n", "ANALYZE")
    finding = finding_of("SELECT * FROM calls_before_2020 WHERE kind = 'old'")
    assert finding.message.endswith("SELECT * FROM calls_before_2020 WHERE kind = $1.")
    assert finding.remedy == ""
