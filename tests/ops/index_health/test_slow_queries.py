"""Slow statements: what an index would do for them is told where HypoPG is there to try, and only if it would help."""

import pytest
from django.db import connection

from ops.index_health.catalog import read_database
from ops.index_health.checks import slow_queries
from ops.index_health.findings import Finding, SkippedCheck
from tests.conftest import postgres_only
from tests.ops.index_health.copies import run
from tests.ops.index_health.vacuum_faults import CONTACTS, TOLD, install, listen_to_statements

pytestmark = postgres_only


@pytest.fixture
def slow(planted, settings):
    """All statements count as slow; a table is large enough for the planner to have a choice."""
    settings.SLOW_STATEMENT_MS = 0
    listen_to_statements()
    run(CONTACTS, TOLD, "VACUUM ANALYZE", TOLD)


def finding_of(*asked):
    run(*asked, TOLD)
    words = list(slow_queries.find(read_database()))
    findings = [word for word in words if isinstance(word, Finding)]
    assert len(findings) == 1, words
    return findings[0]


def test_it_tells_what_an_index_would_do(slow):
    install("hypopg")
    finding = finding_of("SELECT count(*) FROM contacts WHERE city = 'Nowhere' AND updated_at > now()")
    assert "With an index on contacts (city, updated_at) the planner expects a cost of" in finding.message
    assert finding.remedy.startswith("Declare an index on contacts (city, updated_at)")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM hypopg()")
        assert cursor.fetchone() == (0,)


def test_of_an_index_that_would_not_help_it_is_silent(slow):
    install("hypopg")
    run("CREATE TABLE calls_before_2020 AS SELECT n AS id, 'old' AS kind FROM generate_series(1, 20000) n", "ANALYZE")
    finding = finding_of("SELECT * FROM calls_before_2020 WHERE kind = 'old'")
    assert finding.message.endswith("SELECT * FROM calls_before_2020 WHERE kind = $1.")
    assert finding.remedy == ""


def test_without_hypopg_it_says_what_would_tell(slow):
    finding = finding_of("SELECT count(*) FROM contacts WHERE city = 'Nowhere'")
    assert "An index on contacts (city) may serve it: extension hypopg would tell." in finding.message


def test_without_pg_stat_statements_it_says_so(planted):
    assert list(slow_queries.find(read_database())) == [
        SkippedCheck("Slow statements are unknown: extension pg_stat_statements is not installed.")
    ]
