"""`manage.py index_report`: what it prints, and when it fails."""

import json

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tests.ops.index_health.copies import run

LOST, ADDED = "ix_calls_created_at", "calls_by_price"


@pytest.fixture
def spoiled(planted):
    """One index is missing, one is extra."""
    run(f"DROP INDEX {LOST}", f"CREATE INDEX {ADDED} ON calls (quoted_price)")


def report(capsys, *arguments):
    call_command("index_report", *arguments)
    return capsys.readouterr().out


def report_json(capsys, *arguments):
    return json.loads(report(capsys, "--json", *arguments))


def test_of_a_healthy_database_it_says_so_and_counts_what_is_known(planted, capsys):
    last = report(capsys).strip().splitlines()[-1]
    assert last.startswith("Nothing is wrong. --all shows ")
    assert "(known)" not in report(capsys)
    assert "prefix (known): ix_calls_company_id on calls." in report(capsys, "--all")


def test_a_finding_has_its_group_its_sentence_and_its_remedy(spoiled, capsys):
    lines = report(capsys).splitlines()
    drift = lines.index("DRIFT")
    assert lines[drift + 1].startswith(f"  missing: {LOST} on calls. It is declared by calls.0002_performance_indexes")
    concurrently = " CONCURRENTLY" if connection.vendor == "postgresql" else ""
    assert lines[drift + 2].startswith(f"    → CREATE INDEX{concurrently} {LOST} ON calls ")
    assert lines[drift + 3].startswith(f"  extra: {ADDED} on calls. It is declared nowhere")
    assert lines[drift + 4] == f"    → DROP INDEX{concurrently} {ADDED}"
    assert lines[-1].startswith("2 findings. Without what is of no use: ")


def test_json_has_the_findings_the_totals_and_every_index(spoiled, capsys):
    found = report_json(capsys)
    assert list(found) == ["database", "totals", "findings", "skipped_checks", "tables", "indexes"]
    assert found["database"]["vendor"] == connection.vendor
    assert found["totals"]["findings"] == 2
    assert found["totals"]["known"] == sum(finding["known"] for finding in found["findings"])
    missing = next(finding for finding in found["findings"] if finding["index"] == LOST)
    assert (missing["group"], missing["kind"], missing["table"]) == ("drift", "missing", "calls")
    added = next(index for index in found["indexes"] if index["name"] == ADDED)
    assert added["bytes"] == found["totals"]["reclaimable_bytes"] > 0
    assert added["scans"] == (0 if connection.vendor == "postgresql" else None)
    calls = next(table for table in found["tables"] if table["name"] == "calls")
    assert (calls["rows"], calls["ours"]) == (400, True)
    assert calls["bytes_per_row"] == round((calls["bytes"] + calls["index_bytes"]) / 400, 1)


@pytest.mark.parametrize("names", ["drift", "extra", "missing", "unused, extra"])
def test_it_fails_on_what_it_is_told_to(spoiled, names):
    with pytest.raises(CommandError, match=r"--fail-on: 1 missing, 1 extra\.|1 extra\.|1 missing\."):
        call_command("index_report", "--fail-on", names)


def test_it_fails_on_nothing_else_and_on_nothing_that_is_known(spoiled, capsys):
    report(capsys, "--fail-on", "invalid,duplicate,prefix,foreign_key")


def test_a_healthy_database_fails_on_nothing(planted, capsys):
    found = report_json(capsys, "--fail-on", "drift,redundant,size")
    assert found["totals"]["findings"] == 0


def test_json_is_whole_when_it_fails(spoiled, capsys):
    with pytest.raises(CommandError):
        call_command("index_report", "--json", "--fail-on", "drift")
    assert json.loads(capsys.readouterr().out)["totals"]["findings"] == 2


def test_a_kind_that_does_not_exist_is_refused_by_name():
    with pytest.raises(CommandError, match=r"--fail-on: 'drif' is none of drift, redundant, .*large"):
        call_command("index_report", "--fail-on", "invalid,drif")


def test_of_one_table_it_shows_every_index_and_nothing_of_others(spoiled, capsys):
    found = report_json(capsys, "--table", "calls")
    assert {finding["table"] for finding in found["findings"]} == {"calls"}
    assert {index["table"] for index in found["indexes"]} == {"calls"}
    assert "ix_calls_company_id_booked" in report(capsys, "--table", "calls")
    assert report_json(capsys, "--table", "leads")["totals"]["findings"] == 0


def test_a_table_that_does_not_exist_is_refused_by_name(planted):
    with pytest.raises(CommandError, match="--table: There is no table 'cals'"):
        call_command("index_report", "--table", "cals")
