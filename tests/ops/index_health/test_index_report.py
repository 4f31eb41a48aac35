"""`manage.py index_report`: its output and its exit status."""

import json

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tests.ops.index_health.databases import run

LOST, ADDED = "ix_calls_created_at", "calls_by_price"


@pytest.fixture(scope="module")
def drifted(demo_copy):
    """A database with one missing and one extra index."""
    with demo_copy():
        run(f"DROP INDEX {LOST}", f"CREATE INDEX {ADDED} ON calls (quoted_price)")
        yield


def report(capsys, *arguments):
    call_command("index_report", *arguments)
    return capsys.readouterr().out


def report_json(capsys, *arguments):
    return json.loads(report(capsys, "--json", *arguments))


def test_healthy_database_has_no_findings_and_known_ones_on_request(healthy, capsys):
    text = report(capsys)
    assert text.strip().splitlines()[-1].startswith("No findings. --all shows ")
    assert "(known)" not in text
    assert "prefix (known): ix_calls_company_id on calls." in report(capsys, "--all")


def test_finding_is_printed_with_its_group_message_and_remedy(drifted, capsys):
    lines = report(capsys).splitlines()
    drift = lines.index("DRIFT")
    assert lines[drift + 1].startswith(f"  missing: {LOST} on calls. Declared by calls.0002_performance_indexes, but")
    concurrently = " CONCURRENTLY" if connection.vendor == "postgresql" else ""
    assert lines[drift + 2].startswith(f"    → CREATE INDEX{concurrently} {LOST} ON calls ")
    assert lines[drift + 3].startswith(f"  extra: {ADDED} on calls. No model declares it")
    assert lines[drift + 4] == f"    → DROP INDEX{concurrently} {ADDED}"
    assert lines[-1].startswith("2 findings.")
    assert ("The remedies free" in lines[-1]) == (connection.vendor == "postgresql")


def test_json_has_findings_totals_tables_and_indexes(drifted, capsys):
    found = report_json(capsys)
    assert list(found) == ["database", "totals", "findings", "skipped_checks", "tables", "indexes"]
    assert found["database"]["vendor"] == connection.vendor
    assert found["totals"]["findings"] == 2
    assert found["totals"]["known"] == sum(finding["known"] for finding in found["findings"])
    missing = next(finding for finding in found["findings"] if finding["index"] == LOST)
    assert (missing["group"], missing["kind"], missing["table"]) == ("drift", "missing", "calls")
    added = next(index for index in found["indexes"] if index["name"] == ADDED)
    calls = next(table for table in found["tables"] if table["name"] == "calls")
    assert calls["ours"]
    if connection.vendor == "postgresql":
        assert added["bytes"] == found["totals"]["reclaimable_bytes"] > 0
        assert added["scans"] == 0
        assert calls["rows"] == 400
        assert calls["bytes_per_row"] == round((calls["bytes"] + calls["index_bytes"]) / 400, 1)
    else:
        assert (added["bytes"], added["scans"], calls["rows"], calls["bytes_per_row"]) == (None,) * 4


@pytest.mark.parametrize("names", ["drift", "extra", "missing", "unused, extra"])
def test_fail_on_fails_on_the_named_kinds_and_groups(drifted, names):
    with pytest.raises(CommandError, match=r"--fail-on: 1 missing, 1 extra\.|1 extra\.|1 missing\."):
        call_command("index_report", "--fail-on", names)


def test_fail_on_ignores_other_kinds_and_known_findings(drifted, capsys):
    report(capsys, "--fail-on", "invalid,duplicate,prefix,foreign_key")


def test_fail_on_passes_for_a_healthy_database(healthy, capsys):
    found = report_json(capsys, "--fail-on", "drift,redundant,size")
    assert found["totals"]["findings"] == 0


def test_json_is_complete_if_the_command_fails(drifted, capsys):
    with pytest.raises(CommandError):
        call_command("index_report", "--json", "--fail-on", "drift")
    assert json.loads(capsys.readouterr().out)["totals"]["findings"] == 2


def test_unknown_kind_is_rejected():
    with pytest.raises(CommandError, match=r"--fail-on: 'drif' must be one of drift, redundant, .*large"):
        call_command("index_report", "--fail-on", "invalid,drif")


def test_table_option_limits_findings_and_indexes(drifted, capsys):
    found = report_json(capsys, "--table", "calls")
    assert {finding["table"] for finding in found["findings"]} == {"calls"}
    assert {index["table"] for index in found["indexes"]} == {"calls"}
    assert "ix_calls_company_id_booked" in report(capsys, "--table", "calls")
    assert report_json(capsys, "--table", "leads")["totals"]["findings"] == 0


def test_unknown_table_is_rejected(healthy):
    with pytest.raises(CommandError, match="--table: There is no table 'cals'"):
        call_command("index_report", "--table", "cals")
