"""Redundant indexes: of two that can replace each other one goes, and no printed remedy removes a declared one."""

import re

import pytest
from django.db import connection

from ops.index_health.catalog import read_database
from ops.index_health.findings import FindingKind
from ops.index_health.report import run_checks
from tests.conftest import postgres_only
from tests.ops.index_health.databases import ask, run

SQL = ("ALTER ", "CREATE ", "DROP ", "REINDEX ")
BOTH = {
    "a twin whose name is first": ("CREATE INDEX aaa ON calls (company_id, status)",),
    "a twin read backwards": ("CREATE INDEX aaa ON invoices (company_id DESC, created_at DESC)",),
    "an undeclared index with one key more": ("CREATE INDEX aaa ON calls (company_id, status, duration_s)",),
    "a chain over an undeclared index": (
        "CREATE INDEX aaa ON contacts (email, phone)",
        "CREATE INDEX bbb ON contacts (email, phone, city)",
    ),
    "a unique index as long as a declared one": ("CREATE UNIQUE INDEX aaa ON calls (created_at, id)",),
    "a unique index on the keys of a constraint": ("CREATE UNIQUE INDEX aaa ON contact_phones (company_id, phone)",),
    "a unique index on a unique field": ("CREATE UNIQUE INDEX aaa ON companies (slug)",),
    "an undeclared pair": ("CREATE INDEX aaa ON calls (quoted_price)", "CREATE INDEX bbb ON calls (quoted_price)"),
    "an undeclared pair read backwards": (
        "CREATE INDEX aaa ON calls (quoted_price, duration_s DESC)",
        "CREATE INDEX bbb ON calls (quoted_price DESC, duration_s)",
    ),
    "an undeclared chain": (
        "CREATE INDEX aaa ON calls (quoted_price)",
        "CREATE INDEX bbb ON calls (quoted_price, duration_s)",
        "CREATE INDEX ccc ON calls (quoted_price, duration_s, status)",
    ),
    "conditions in another order": (
        "CREATE INDEX aaa ON calls (quoted_price) WHERE status = 'missed' AND duration_s > 5",
        "CREATE INDEX bbb ON calls (quoted_price) WHERE duration_s > 5 AND status = 'missed'",
    ),
}
POSTGRES = {
    "a constraint on the keys of a constraint": (
        "ALTER TABLE contact_phones ADD CONSTRAINT aaa UNIQUE (company_id, phone)",
    ),
    "a constraint on the keys of a declared index": (
        "ALTER TABLE leads ADD CONSTRAINT aaa UNIQUE (company_id, created_at)",
    ),
    "a unique index on the primary key": ("CREATE UNIQUE INDEX aaa ON calls (id)",),
    "included columns in another order": (
        "CREATE INDEX aaa ON calls (quoted_price) INCLUDE (duration_s, status)",
        "CREATE INDEX bbb ON calls (quoted_price) INCLUDE (status, duration_s)",
    ),
    "a declared index under another name, and its twin": (
        "ALTER INDEX ix_calls_created_at RENAME TO bbb",
        "CREATE INDEX aaa ON calls (created_at)",
    ),
    "a changed index, and a twin of what it should be": (
        "DROP INDEX ix_calls_created_at",
        "CREATE INDEX ix_calls_created_at ON calls (created_at, id)",
        "CREATE INDEX aaa ON calls (created_at)",
    ),
    "a hash index and its twin": ("CREATE INDEX aaa ON contacts USING hash (phone)",),
    "a unique field with a constraint of an old name, and its twin": (
        "ALTER TABLE companies RENAME CONSTRAINT {slug} TO slug_of_an_old_release",
        "CREATE UNIQUE INDEX aaa ON companies (slug)",
    ),
}


def plant(statements):
    slug = "-"
    if connection.vendor == "postgresql":
        slug = ask("SELECT conname FROM pg_constraint WHERE conrelid = 'companies'::regclass AND contype = 'u'")
    run(*(statement.replace("{slug}", slug) for statement in statements))


def run_remedies(findings):
    """Run each remedy in SQL once. Returns the others, which change declarations."""
    remedies = dict.fromkeys(finding.remedy for finding in findings)
    run(*(sql for remedy in remedies if remedy.startswith(SQL) for sql in remedy.split("; ")))
    return [remedy for remedy in remedies if remedy and not remedy.startswith(SQL)]


def check_that_declared_indexes_stand():
    database = read_database()
    for declared in database.declared.values():
        assert any(
            index.valid and index.form == declared.form and bool(index.constraint) == bool(declared.constraint)
            for index in database.of_table(declared.table)
        ), declared


@pytest.mark.parametrize("statements", BOTH.values(), ids=BOTH.keys())
def test_remedies_leave_every_declared_index(planted, statements):
    plant(statements)
    added = [found[1] for statement in statements if (found := re.search(r"INDEX (\w+) ON", statement))]
    findings = run_checks().findings
    assert not [remedy for remedy in run_remedies(findings) if remedy.startswith("Remove")]
    check_that_declared_indexes_stand()
    replacements = {one.replacement for one in findings if one.index in added and one.replacement}
    assert replacements <= read_database().indexes.keys()


@postgres_only
@pytest.mark.parametrize("statements", POSTGRES.values(), ids=POSTGRES.keys())
def test_remedies_on_postgresql_leave_every_declared_index(planted, statements):
    plant(statements)
    assert not [remedy for remedy in run_remedies(run_checks().findings) if remedy.startswith("Remove")]
    check_that_declared_indexes_stand()


@pytest.mark.parametrize("name", ["aaa", "zzz"])
def test_undeclared_one_of_a_pair_goes(planted, name):
    run(f"CREATE UNIQUE INDEX {name} ON contact_phones (company_id, phone)")
    found = {(one.kind, one.index, one.remedy) for one in run_checks().open_findings}
    drop = f"DROP INDEX{' CONCURRENTLY' if connection.vendor == 'postgresql' else ''} {name}"
    assert found == {(FindingKind.EXTRA, name, drop), (FindingKind.DUPLICATE, name, drop)}


def test_last_of_an_undeclared_pair_is_dropped_by_the_next_report(planted):
    run("CREATE INDEX aaa ON calls (quoted_price)", "CREATE INDEX bbb ON calls (quoted_price)")
    first = {one.index: one for one in run_checks().open_findings if one.kind == FindingKind.EXTRA}
    assert first["aaa"].remedy == ""
    assert first["aaa"].message.endswith("It stays for now, because it replaces bbb.")
    run_remedies(first.values())
    assert [one.index for one in run_checks().open_findings if one.remedy] == ["aaa"]


@postgres_only
def test_unused_replacement_is_not_dropped_with_the_index_that_it_replaces(planted, settings):
    settings.INDEX_UNUSED_DAYS = 0
    run(
        "CREATE INDEX aaa ON calls (quoted_price)",
        "CREATE INDEX bbb ON calls (quoted_price, duration_s)",
        "SELECT pg_stat_force_next_flush()",
    )
    findings = run_checks().findings
    assert {one.kind for one in findings if one.index == "bbb"} == {FindingKind.EXTRA, FindingKind.UNUSED}
    assert {one.remedy for one in findings if one.index == "bbb"} == {""}
    run_remedies(findings)
    check_that_declared_indexes_stand()
    assert {"aaa", "bbb"} & read_database().indexes.keys() == {"bbb"}


@postgres_only
def test_index_that_a_foreign_key_refers_to_is_not_dropped(planted):
    run(
        "ALTER TABLE invoices ADD CONSTRAINT aaa UNIQUE (contact_id, id)",
        "CREATE TABLE receipts (invoice_id bigint, contact_id bigint,"
        " FOREIGN KEY (contact_id, invoice_id) REFERENCES invoices (contact_id, id))",
    )
    [extra] = [one for one in run_checks().open_findings if one.index == "aaa"]
    assert (extra.kind, extra.remedy) == (FindingKind.EXTRA, "")
    assert "while foreign keys refer to it: receipts_contact_id_invoice_id_fkey." in extra.message
