"""Files on a contact or an appointment in the admin: staff look at them, add and remove them."""

import re

import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.urls import reverse

from calls.models import Attachment
from calls.services.attachments import uploads
from crm.db.tenancy import all_tenants
from crm.models import AuditEntry, StoredFile
from tests import factories
from tests.file_server import JPEG

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["contact", "appointment"])
def owner(request, acme):
    contact = factories.ContactFactory(company=acme)
    return contact if request.param == "contact" else factories.AppointmentFactory(contact=contact)


def page_of(owner):
    return reverse(f"admin:calls_attachment_{owner._meta.model_name}", args=[owner.pk])


def form_of(owner):
    return reverse(f"admin:{owner._meta.app_label}_{owner._meta.model_name}_change", args=[owner.pk])


def add(client, owner, content=JPEG, name="roof.jpg"):
    response = client.post(page_of(owner), {"file": SimpleUploadedFile(name, content), "_add": "Add"}, follow=True)
    connection.check_constraints()
    return response.content.decode()


def stored():
    with all_tenants():
        return list(Attachment.objects.select_related("file").order_by("pk"))


def join(client, group):
    user = factories.UserFactory(company=None, role="", is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    client.force_login(user)


def test_support_adds_a_photo_and_removes_it(client, owner):
    join(client, "Support")
    assert "Nobody has put a file here yet." in client.get(page_of(owner)).content.decode()
    html = add(client, owner)
    [photo] = stored()
    assert (getattr(photo, owner._meta.model_name), photo.file.content_type) == (owner, "image/jpeg")
    picture = reverse("admin:calls_attachment_file", args=[photo.pk])
    assert f'<img src="{picture}" alt="roof.jpg"' in html
    form = client.get(form_of(owner)).content.decode()
    assert f'href="{page_of(owner)}"' in form
    assert (f'<img src="{picture}"' in form) == (owner._meta.model_name == "appointment")
    assert b"".join(client.get(picture, follow=True).streaming_content) == JPEG
    client.post(page_of(owner), {"_remove": photo.pk})
    assert stored() == []
    with all_tenants():
        assert not StoredFile.objects.exists()


def test_audit_says_who_has_added_and_removed_a_photo(staff_client, staff, owner):
    add(staff_client, owner, name="Casey in the garden.jpg")
    [photo] = stored()
    staff_client.post(page_of(owner), {"_remove": photo.pk})
    with all_tenants():
        entries = AuditEntry.objects.filter(table_name="attachments", row_id=photo.pk).order_by("id")
        found = [(entry.action, entry.actor_id, entry.company_id, entry.changes) for entry in entries]
    name = owner._meta.model_name
    assert found == [
        ("insert", staff.pk, owner.company_id, {name: [None, owner.pk]}),
        ("delete", staff.pk, owner.company_id, {name: [owner.pk, None]}),
    ]


def test_file_that_is_not_kept_is_refused_beside_the_field(staff_client, owner, monkeypatch):
    assert "must be a picture, a sound" in add(staff_client, owner, b"<html><script>")
    assert "Choose a file first." in staff_client.post(page_of(owner), {"_add": "Add"}).content.decode()
    monkeypatch.setattr(uploads, "MAX_ON_ONE", 0)
    assert "delete one first." in add(staff_client, owner)
    assert stored() == []


def test_reader_looks_at_files_and_changes_none(client, owner):
    photo = factories.AttachmentFactory(
        company=owner.company, **{"contact": None, "kind": "upload", owner._meta.model_name: owner}
    )
    join(client, "Read-only")
    html = client.get(page_of(owner)).content.decode()
    assert photo.file.name in html
    assert not re.search(r'name="_(add|remove)"', html)
    assert client.post(page_of(owner), {"_remove": photo.pk}).status_code == 403
    assert [each.pk for each in stored()] == [photo.pk]


@pytest.mark.parametrize("chosen", ["x", "", "-1", "9" * 23])
def test_file_of_another_contact_is_not_removed(chosen, staff_client, owner):
    other = factories.AttachmentFactory(contact=factories.ContactFactory(company=owner.company), kind="upload")
    for value in (chosen, other.pk):
        assert staff_client.post(page_of(owner), {"_remove": value}).status_code == 302
    assert [each.pk for each in stored()] == [other.pk]
