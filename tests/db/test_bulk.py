"""Writing many rows by one statement, and conditions with many values."""

import gc
from datetime import UTC, date, datetime

import pytest
from django.db import connection

from crm.db.bulk import among, analyze_changed, insert_rows, many_rows, update_rows
from crm.db.tenancy import tenant
from crm.models import Contact, ContactFieldValue, ContactListEntry, Tag
from tests import factories
from tests.conftest import postgres_only

pytestmark = pytest.mark.django_db

AT = datetime(2026, 3, 2, 9, 5, 9, 123456, tzinfo=UTC)
TEXTS = [
    "", "NULL", "null", "{}", "{a,b}", 'says "no"', "back\\slash", '\\"', "it's", "new\nline", "tab\t", "Zoë 😀", " a ",
    "%s", "%", "$$", "a,b", "\\N", "\\x41",
]  # fmt: skip


def test_any_text_is_stored_as_it_is(acme):
    phones = [f"+1303555{n:04}" for n in range(100, 100 + len(TEXTS))]
    with tenant(acme.pk):
        insert_rows(
            Contact,
            ("company", "phone", "first_name", "last_name", "email", "address", "city", "state", "postal_code",
             "timezone", "created_at"),
            [(acme.pk, phone, text, "", "", "", "", "", "", "", AT) for phone, text in zip(phones, TEXTS, strict=True)],
        )  # fmt: skip
        contacts = Contact.objects.filter(among("phone", phones)).order_by("phone")
        assert [contact.first_name for contact in contacts] == TEXTS
        assert {contact.created_at for contact in contacts} == {AT}
        update_rows(Contact, ("last_name",), [(contact.pk, contact.first_name) for contact in contacts])
        assert list(contacts.values_list("last_name", flat=True)) == TEXTS
        for text in TEXTS:
            assert [contact.first_name for contact in contacts.filter(among("last_name", [text, "other"]))] == [text]


@pytest.mark.parametrize(
    ("column", "value"), [("number", -0.1), ("number", 1e15), ("date", date(1800, 1, 1)), ("yes", False)]
)
def test_values_of_every_type_are_stored_as_they_are(acme, column, value):
    kind = {"yes": "yes_no"}.get(column, column)
    contact = factories.ContactFactory(company=acme)
    field = factories.ContactFieldFactory(company=acme, field_type=kind)
    with tenant(acme.pk):
        insert_rows(
            ContactFieldValue,
            ("company", "contact", "field", "field_type", "text", column, "created_at"),
            [(acme.pk, contact.pk, field.pk, kind, None, value, AT)],
        )
        row = ContactFieldValue.objects.get()
    assert (row.text, row.value, row.created_by_id) == (None, value, None)


def test_a_row_that_is_there_already_can_be_left_as_it_is(acme):
    entry = factories.ContactListEntryFactory(contact__company=acme)
    other = factories.ContactFactory(company=acme)
    with tenant(acme.pk):
        insert_rows(
            ContactListEntry,
            ("company", "list", "contact", "created_at"),
            [(acme.pk, entry.list_id, contact, AT) for contact in (entry.contact_id, other.pk)],
            ignore_conflicts=True,
        )
        assert set(entry.list.entries.values_list("contact", flat=True)) == {entry.contact_id, other.pk}
        entry.refresh_from_db()
    assert entry.created_at != AT


def test_no_rows_and_no_values_are_no_error(acme):
    with tenant(acme.pk):
        insert_rows(Contact, ("company", "phone"), [])
        update_rows(Contact, ("phone",), [])
        assert not Contact.objects.filter(among("pk", [])).exists()


def test_conditions_take_more_values_than_a_statement_takes_parameters(acme):
    contact = factories.ContactFactory(company=acme)
    tag = factories.ContactTagFactory(contact=contact)
    with tenant(acme.pk):
        ids = range(contact.pk, contact.pk + 300_000)
        assert list(Contact.objects.filter(among("pk", ids))) == [contact]
        assert list(tag.tag.contact_tags.filter(among("contact", ids))) == [tag]


@postgres_only
def test_a_table_that_is_empty_is_read_by_its_indexes_while_it_is_filled(acme):
    with tenant(acme.pk), many_rows(), connection.cursor() as cursor:
        cursor.execute("EXPLAIN SELECT FROM contact_phones WHERE company_id = 1 AND phone = '+13035550101'")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Index" in plan
    assert "Seq Scan" not in plan


def test_garbage_is_collected_again_after_an_error(acme):
    with tenant(acme.pk), pytest.raises(KeyError), many_rows():  # noqa: PT012
        assert not gc.isenabled()
        raise KeyError
    assert gc.isenabled()


@postgres_only
@pytest.mark.django_db(transaction=True)
def test_tables_that_have_changed_much_are_analyzed_once(acme):
    phones = [f"+1{area}55501{n:02}" for area in range(200, 215) for n in range(100)]
    with tenant(acme.pk):
        insert_rows(
            Contact,
            ("company", "phone", "first_name", "last_name", "email", "address", "city", "state", "postal_code",
             "timezone", "created_at"),
            [(acme.pk, phone, "", "", "", "", "", "", "", "", AT) for phone in phones],
        )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE tags")  # other tests have changed rows of it
    contacts, tags = analyses_of("contacts"), analyses_of("tags")
    analyze_changed(Contact, Tag)
    now = analyses_of("contacts")
    assert sum(now) > sum(contacts)  # perhaps by autovacuum, a moment before
    analyze_changed(Contact, Tag)
    assert (analyses_of("contacts")[0], analyses_of("tags")[0]) == (now[0], tags[0])


def analyses_of(table):
    """Return how often a table was analyzed by a statement, and by autovacuum, once the server has been told."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT analyze_count, autoanalyze_count FROM pg_stat_user_tables WHERE relname = %s", [table])
        return cursor.fetchone()
