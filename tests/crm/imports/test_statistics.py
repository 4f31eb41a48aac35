"""Statements of imports that PostgreSQL must plan well while its statistics don't know the new rows yet."""

import pytest
from django.db import connection, transaction

from crm.db.bulk import many_rows
from crm.db.tenancy import tenant
from crm.services.imports import steps
from crm.services.imports.planning import rows_about
from tests import factories
from tests.conftest import postgres_only
from tests.crm.imports.runs import run

pytestmark = [pytest.mark.django_db(transaction=True), postgres_only]


def test_an_import_of_a_new_company_finds_its_contacts_by_their_ids(acme, globex, tmp_path, monkeypatch):
    """The statistics know the contacts of another company alone, and give the new one a single row."""
    monkeypatch.setattr(steps, "LEASE_ROWS", 500)
    forget_statistics()
    run(globex, tmp_path, "Name,Phone\n" + "".join(f"Ann,{number}\n" for number in fictional_numbers(200, 212)))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE contacts")
    before = rows_read_by_time()
    source = run(acme, tmp_path, "Name,Phone\n" + "".join(f"Ann,{number}\n" for number in fictional_numbers(212, 227)))
    assert source.created == 1500
    assert rows_read_by_time() - before < 20 * 1500  # a few statements for each lease; each check would read 1,000


def test_the_first_import_of_an_installation_finds_its_contacts_by_their_ids(acme, tmp_path, monkeypatch):
    monkeypatch.setattr(steps, "LEASE_ROWS", 1000)
    forget_statistics()
    before = rows_read_by_time()
    source = run(acme, tmp_path, "Name,Phone\n" + "".join(f"Ann,{number}\n" for number in fictional_numbers(200, 210)))
    assert source.created == 1000
    assert rows_read_by_time() - before < 20 * 1000  # each of 5,000 checks would read 500


def fictional_numbers(first, end):
    return [f"{area}55501{line:02}" for area in range(first, end) for line in range(100)]


def forget_statistics():
    """Make the table of contacts one whose rows were never counted.

    PostgreSQL keeps the number of rows that an ANALYZE has counted, even if its transaction is rolled back, and
    autovacuum may have counted the rows of other tests.
    """
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE contacts CASCADE")


def rows_read_by_time():
    """Return how many rows have been read by the index of contacts by company and time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute(
            "SELECT idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = 'ix_contacts_company_id_created_at'"
        )
        return cursor.fetchone()[0]


def test_rows_about_contacts_are_found_by_their_contacts_and_not_among_all_rows_of_the_import(acme):
    source = factories.ImportFactory(company=acme)
    with transaction.atomic(), tenant(acme.pk), many_rows():
        plan = rows_about(source, range(1, 6000)).order_by("n", "person").explain()
    assert "ix_import_rows_contact_id_import_id" in plan
    assert "import_rows_import_id_n_person_unique" not in plan
