"""Audit entries of statements with many rows, which PostgreSQL records in another way than those of few."""

import pytest

from crm.db.audit import MANY, MAX_COLUMNS, Audit
from crm.db.tenancy import all_tenants
from crm.db.triggers import declared_triggers
from crm.models import AuditEntry, ContactTag
from tests import factories

pytestmark = pytest.mark.django_db


def copies_of(row, number, **different):
    """Return unsaved copies of a row; `different` are columns with a function of the copy's place."""
    values = {
        field.attname: getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if not field.primary_key and not field.generated
    }
    return [
        type(row)(**{**values, **{name: value(place) for name, value in different.items()}}) for place in range(number)
    ]


def changes_of(action, table, rows):
    with all_tenants():
        entries = AuditEntry.objects.filter(action=action, table_name=table, row_id__in=rows).order_by("row_id")
        return [{name: pair for name, pair in entry.changes.items() if name not in DIFFERENT} for entry in entries]


DIFFERENT = ("name", "username", "contact_id", "created_at", "header_key")  # of copies
EXAMPLES = {
    "texts": (lambda: factories.SegmentFactory(), {"name": "Segment {}".format}),
    "objects with nulls inside": (
        lambda: factories.ImportFactory(options={"tags": [None, "VIP"], "list": {"id": None}}),
        {"header_key": "{}".format},
    ),
    "hidden columns": (lambda: factories.UserFactory(), {"username": "copy{}".format}),
}


@pytest.mark.parametrize("example", EXAMPLES)
def test_each_of_many_inserted_and_deleted_rows_is_recorded_as_one_alone(example):
    make, different = EXAMPLES[example]
    row = make()
    model = type(row)
    with all_tenants():
        row = model._base_manager.get(pk=row.pk)
        many = model._base_manager.bulk_create(copies_of(row, MANY + 1, **different))
        table, ids = model._meta.db_table, [each.pk for each in many]
        assert changes_of("insert", table, ids) == changes_of("insert", table, [row.pk]) * len(many)
        for some in ([row.pk], ids):
            rows = model._base_manager.filter(pk__in=some)
            rows._raw_delete(rows.db)
        assert changes_of("delete", table, ids) == changes_of("delete", table, [row.pk]) * len(many)
    assert changes_of("delete", table, ids)


def test_columns_that_are_always_recorded_are_so_of_many_rows():
    tag = factories.TagFactory()
    contacts = [factories.ContactFactory(company=tag.company).pk for _ in range(MANY + 1)]
    with all_tenants():
        ContactTag.objects.bulk_create(
            ContactTag(company_id=tag.company_id, tag=tag, contact_id=contact) for contact in contacts
        )
        rows = ContactTag.objects.filter(tag=tag)
        rows._raw_delete(rows.db)
        changes = AuditEntry.objects.filter(table_name="contact_tags", action="delete").values_list(
            "changes", flat=True
        )
    assert sorted(change["contact_id"] for change in changes) == [[contact, None] for contact in sorted(contacts)]
    assert {change["tag_id"][0] for change in changes} == {tag.pk}


def test_no_audited_table_has_more_columns_than_a_statement_of_many_rows_can_name():
    for model, audit in declared_triggers(Audit):
        skipped = audit.skipped_columns(model)
        assert len([f for f in model._meta.concrete_fields if f.column not in skipped]) <= MAX_COLUMNS, model
