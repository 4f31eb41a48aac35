"""Remedies that PostgreSQL accepts: storage parameters, constraints, extensions, partitions, and methods of access."""

import pytest
from django.db import connection  # noqa: F401  # of postgres_only

from ops.index_health.catalog import read_database
from ops.index_health.findings import FindingKind
from ops.index_health.foreign_keys import serves
from ops.index_health.report import run_checks
from tests.conftest import postgres_only
from tests.ops.index_health.databases import ask, run, superuser
from tests.ops.index_health.vacuum_faults import install_pgstattuple

pytestmark = postgres_only

VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)"
MONTHS = (
    "CREATE TABLE months (id bigint, month int, note text) PARTITION BY RANGE (month)",
    "CREATE TABLE months_1 PARTITION OF months FOR VALUES FROM (1) TO (2)",
    "CREATE TABLE months_2 PARTITION OF months FOR VALUES FROM (2) TO (3) PARTITION BY RANGE (month)",
    "CREATE TABLE months_2_a PARTITION OF months_2 DEFAULT",
)


def run_remedies(findings):
    statements = dict.fromkeys(one.remedy for one in findings if one.remedy)
    run(*(sql for remedy in statements for sql in remedy.split("; ")))


def found_on(table):
    return [one for one in run_checks().findings if one.table == table]


@pytest.mark.parametrize("setting", ["fillfactor = 70", "deduplicate_items = off"])
def test_storage_parameter_of_an_administrator_is_known_and_can_be_reset(planted, setting):
    run(f"ALTER INDEX ix_calls_created_at SET ({setting})")
    report = run_checks()
    assert report.open_findings == ()
    [changed] = [one for one in report.findings if one.kind == FindingKind.CHANGED]
    assert changed.known
    assert changed.remedy == f"ALTER INDEX ix_calls_created_at RESET ({setting.split()[0]})"
    run_remedies([changed])
    assert not [one for one in run_checks().findings if one.kind == FindingKind.CHANGED]


def test_twin_with_other_storage_parameters_is_a_duplicate(planted):
    run("CREATE INDEX aaa ON calls (created_at) WITH (fillfactor = 70)")
    found = {one.kind: one.remedy for one in run_checks().open_findings}
    assert found == dict.fromkeys([FindingKind.EXTRA, FindingKind.DUPLICATE], "DROP INDEX CONCURRENTLY aaa")
    run_remedies(run_checks().open_findings)
    assert run_checks().open_findings == ()


@pytest.mark.parametrize("name", ["user", "left", "Order By", 'say "so"', "füllung"])
def test_index_with_a_name_that_needs_quotes_is_dropped_by_its_remedy(planted, name):
    quoted = '"' + name.replace('"', '""') + '"'
    run(f"CREATE INDEX {quoted} ON calls (created_at)")
    findings = run_checks().open_findings
    assert {one.index for one in findings} == {name}
    run_remedies(findings)
    assert run_checks().open_findings == ()


def test_constraint_of_a_table_without_a_model_is_never_dropped(planted):
    run("CREATE TABLE parts (id bigint PRIMARY KEY, code text UNIQUE)", "CREATE INDEX parts_code ON parts (code, id)")
    extra = {one.index: one.remedy for one in run_checks().findings if one.kind == FindingKind.EXTRA}
    assert extra == {"parts_pkey": "", "parts_code_key": "", "parts_code": "DROP INDEX CONCURRENTLY parts_code"}
    run_remedies(found_on("parts"))
    assert ask("SELECT count(*) FROM pg_constraint WHERE conname IN ('parts_pkey', 'parts_code_key')") == 2


def test_table_and_column_named_by_keywords_get_an_index_by_their_remedy(planted):
    run('CREATE TABLE "order" (id bigint PRIMARY KEY, "user" bigint REFERENCES users (id))')
    findings = found_on("order")
    assert findings
    run_remedies(findings)
    assert not [one for one in found_on("order") if one.kind == FindingKind.MISSING]


def test_unique_index_in_place_of_a_constraint_becomes_the_constraint(planted):
    name = "invoices_company_id_number_unique"
    run(
        f"ALTER TABLE invoices DROP CONSTRAINT {name}",
        f"CREATE UNIQUE INDEX {name} ON invoices (company_id, number)",
    )
    [changed] = run_checks().open_findings
    assert (changed.kind, changed.index) == (FindingKind.CHANGED, name)
    run_remedies([changed])
    assert run_checks().open_findings == ()
    assert ask("SELECT count(*) FROM pg_constraint WHERE conname = %s", name) == 1


def test_changed_constraint_that_foreign_keys_refer_to_is_left_alone(planted):
    name = "invoices_company_id_number_unique"
    run(
        f"ALTER TABLE invoices DROP CONSTRAINT {name}",
        f"ALTER TABLE invoices ADD CONSTRAINT {name} UNIQUE (number, company_id)",
        "CREATE TABLE receipts (number text, company_id bigint,"
        " FOREIGN KEY (number, company_id) REFERENCES invoices (number, company_id))",
        "CREATE INDEX receipts_invoice ON receipts (number, company_id)",
    )
    [changed] = [one for one in run_checks().open_findings if one.kind == FindingKind.CHANGED]
    assert changed.remedy == ""
    assert "receipts_number_company_id_fkey" in changed.message


def test_interrupted_replacement_does_not_stop_the_next_one(planted):
    run(
        "DROP INDEX ix_calls_created_at",
        "CREATE INDEX ix_calls_created_at ON calls (created_at, id)",
        "CREATE INDEX ix_calls_created_at_new ON calls (created_at)",
    )
    run_remedies(run_checks().open_findings)
    assert run_checks().open_findings == ()


def test_table_of_an_extension_is_known(planted):
    install_pgstattuple()
    with superuser() as cursor:
        cursor.execute("CREATE TABLE places (id bigint PRIMARY KEY, company_id bigint REFERENCES companies)")
        cursor.execute("CREATE INDEX places_company ON places (company_id, id)")
        cursor.execute("CREATE INDEX places_again ON places (company_id, id)")
        cursor.execute("ALTER EXTENSION pgstattuple ADD TABLE places")
        cursor.connection.commit()
    assert run_checks().open_findings == ()
    found = found_on("places")
    assert {(one.kind, one.index) for one in found} == {
        (FindingKind.EXTRA, "places_pkey"),
        (FindingKind.EXTRA, "places_company"),
        (FindingKind.EXTRA, "places_again"),
        (FindingKind.DUPLICATE, "places_company"),
    }
    assert all(one.known and not one.remedy and "Extension pgstattuple makes" in one.message for one in found)


@pytest.mark.parametrize("method", ["brin", "gist"])
def test_index_that_finds_no_single_row_does_not_serve_a_foreign_key(planted, method):
    if method == "gist":
        with superuser() as cursor:
            cursor.execute("CREATE EXTENSION btree_gist")
            cursor.connection.commit()
    run(
        "ALTER TABLE invoices ADD COLUMN campaign_id bigint REFERENCES campaigns",
        f"CREATE INDEX ix_invoices_campaign_id ON invoices USING {method} (campaign_id)",
    )
    [missing] = [one for one in run_checks().open_findings if one.kind == FindingKind.FOREIGN_KEY]
    assert missing.message.startswith("No B-tree or hash index starts with campaign_id")
    run_remedies([missing])
    database = read_database()
    key = next(key for key in database.foreign_keys if key.columns == ("campaign_id",) and key.table == "invoices")
    assert [index.method for index in database.of_table("invoices") if serves(index, key)] == ["btree"]


def test_hash_index_serves_a_foreign_key(planted):
    run(
        "ALTER TABLE invoices ADD COLUMN campaign_id bigint REFERENCES campaigns",
        "CREATE INDEX invoices_by_campaign ON invoices USING hash (campaign_id)",
    )
    assert FindingKind.FOREIGN_KEY not in {one.kind for one in run_checks().open_findings}


def test_undeclared_index_of_a_partitioned_table_is_dropped_with_its_parts(planted):
    run(*MONTHS, "CREATE INDEX months_note ON months (note)")
    findings = found_on("months") + found_on("months_1") + found_on("months_2") + found_on("months_2_a")
    assert [(one.kind, one.index, one.remedy) for one in findings] == [
        (FindingKind.EXTRA, "months_note", "DROP INDEX months_note")
    ]
    run_remedies(findings)
    assert not [one for one in read_database().indexes if one.startswith("months")]


def test_index_without_parts_becomes_valid_by_its_remedy(planted):
    run(*MONTHS, "CREATE INDEX months_note ON ONLY months (note) WHERE note <> ''")
    [invalid] = found_on("months")
    assert invalid.message == "It is INVALID until each partition has a part of it that is attached."
    assert "CREATE INDEX CONCURRENTLY months_1_months_note ON months_1" in invalid.remedy
    run_remedies([invalid])
    assert ask(VALID, "months_note") is True
    assert [one.kind for one in found_on("months")] == [FindingKind.EXTRA]


def test_invalid_part_is_rebuilt_and_not_dropped(planted):
    run(*MONTHS, "CREATE INDEX months_note ON months (note)")
    with superuser() as cursor:
        cursor.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'months_1_note_idx'::regclass")
        cursor.connection.commit()
    [invalid] = found_on("months_1")
    assert invalid.remedy == "REINDEX INDEX CONCURRENTLY months_1_note_idx"
    run_remedies([invalid])
    assert found_on("months_1") == []


def test_foreign_key_of_a_partitioned_table_gets_its_index_by_the_remedy(planted):
    run(*MONTHS, "ALTER TABLE months ADD COLUMN company_id bigint REFERENCES companies")
    [missing] = [one for one in run_checks().open_findings if one.kind == FindingKind.FOREIGN_KEY]
    assert missing.table == "months"
    run_remedies([missing])
    assert ask(VALID, "ix_months_company_id") is True
    assert FindingKind.FOREIGN_KEY not in {one.kind for one in run_checks().open_findings}


def test_partitioned_table_of_a_model_gets_its_declared_indexes_by_the_remedies(planted):
    run(
        "CREATE TABLE parted (LIKE call_objections INCLUDING DEFAULTS) PARTITION BY RANGE (company_id)",
        "DROP TABLE call_objections",
        "ALTER TABLE parted RENAME TO call_objections",
        "CREATE TABLE call_objections_rest PARTITION OF call_objections DEFAULT",
    )
    missing = {one.index for one in run_checks().open_findings if one.kind == FindingKind.MISSING}
    assert "ix_call_objections_company_id_analyzed_at_label" in missing
    run_remedies([one for one in run_checks().open_findings if one.kind == FindingKind.MISSING])
    left = [one for one in run_checks().open_findings if one.kind != FindingKind.FOREIGN_KEY]
    assert {one.index for one in left} == {name for name in missing if not name.startswith("ix_")}
    for one in left:
        assert "declare it with company_id" in one.message
        assert one.remedy == ""
