"""Limits on the number of a company's tags and custom fields."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils.timezone import now

from crm.db.tenancy import tenant
from crm.models import Contact, ContactField, Tag
from crm.models.label_limits import MAX_FIELDS, MAX_TAGS
from crm.services.tags import add_tags
from tests import factories
from tests.conftest import postgres_only
from tests.crm.imports import runs
from tests.db.scratch import another_session
from tests.errors import code_of

pytestmark = pytest.mark.django_db(transaction=True)


def fill_tags(company, number=MAX_TAGS):
    with tenant(company.pk):
        Tag.objects.bulk_create(Tag(company_id=company.pk, name=f"Tag {n}", name_key=f"tag {n}") for n in range(number))


def fill_fields(company, number=MAX_FIELDS):
    with tenant(company.pk):
        ContactField.objects.bulk_create(
            ContactField(company_id=company.pk, key=f"f{n}", label=f"Field {n}", field_type="text")
            for n in range(number)
        )


def test_one_tag_more_is_refused_and_the_present_ones_can_be_used(manager_api, acme, globex):
    fill_tags(acme)
    refused = manager_api.post("/api/v1/tags", {"name": "One more"})
    assert (refused.status_code, code_of(refused)) == (409, "limit_reached")
    contact = factories.ContactFactory(company=acme)
    url = f"/api/v1/contacts/{contact.pk}"
    assert code_of(manager_api.patch(url, {"tags": ["One more"]})) == "limit_reached"
    assert manager_api.patch(url, {"tags": ["tag 1", "Tag 2"]}).json()["tags"] == ["Tag 1", "Tag 2"]
    factories.TagFactory(company=globex)  # the limit is each company's own


def test_one_custom_field_more_is_refused_and_so_is_restoring_one(manager_api, acme):
    deleted = factories.ContactFieldFactory(company=acme, key="old", label="Old", deleted_at=now())
    fill_fields(acme)
    refused = manager_api.post("/api/v1/contact-fields", {"label": "More", "field_type": "text"})
    assert (refused.status_code, code_of(refused)) == (409, "limit_reached")
    assert code_of(manager_api.post(f"/api/v1/contact-fields/{deleted.pk}/restore")) == "limit_reached"
    with tenant(acme.pk):
        field = ContactField.objects.get(key="f1")
        field.label = "Changed"
        field.save()
        ContactField.objects.filter(pk=field.pk).update(deleted_at=now())
    assert manager_api.post(f"/api/v1/contact-fields/{deleted.pk}/restore").status_code == 200


def test_tags_beyond_the_limit_are_refused_together(acme):
    fill_tags(acme, MAX_TAGS - 1)
    contact = factories.ContactFactory(company=acme)
    with tenant(acme.pk), pytest.raises(IntegrityError), transaction.atomic():
        add_tags(company_id=acme.pk, contact_ids=[contact.pk], names=["New", "Newer"])
    with tenant(acme.pk):
        assert Tag.objects.count() == MAX_TAGS - 1
        add_tags(company_id=acme.pk, contact_ids=[contact.pk], names=["New", "tag 7"])
        assert Tag.objects.count() == MAX_TAGS


@pytest.mark.parametrize("dry_run", [True, False])
def test_an_import_with_a_tag_in_each_row_fails_plainly(acme, tmp_path, dry_run):
    fill_tags(acme, MAX_TAGS - 1)
    rows = "".join(f"303-555-01{n:02},{name}\n" for n, name in enumerate(("12 Elm Street", "14 Elm Street"), start=50))
    mapping = {"columns": {"Phone": "phone", "Address": "tag"}}
    source = runs.run(acme, tmp_path, "Phone,Address\n" + rows, mapping=mapping, dry_run=dry_run)
    assert (source.state, source.task.error_code) == ("failed", "limit_reached")
    assert source.task.error == "The company has 1,000 tags, and can't have more."
    with tenant(acme.pk):
        assert (Contact.objects.count(), Tag.objects.count()) == (0, MAX_TAGS - 1)


@postgres_only
def test_two_who_add_the_last_tag_at_once_add_one(acme):
    fill_tags(acme, MAX_TAGS - 1)
    with another_session() as other:
        other.execute("BEGIN")
        other.execute("SET LOCAL crm.company_id = %s", [str(acme.pk)])
        other.execute(
            "INSERT INTO tags (company_id, name, name_key, created_at) VALUES (%s, 'Other', 'other', now())", [acme.pk]
        )
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '200ms'")
        with tenant(acme.pk), pytest.raises(Exception, match="lock timeout"), transaction.atomic():
            Tag.objects.create(company_id=acme.pk, name="Mine")
        other.execute("COMMIT")
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")
        with tenant(acme.pk), pytest.raises(IntegrityError, match="tags_per_company"), transaction.atomic():
            Tag.objects.create(company_id=acme.pk, name="Mine")
