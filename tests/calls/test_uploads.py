"""Files that users upload, on contacts and appointments."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from calls.models import Attachment
from calls.services.attachments import retention, uploads
from crm.db.tenancy import all_tenants
from crm.error_codes import ErrorCode
from crm.models import StoredFile
from tests import factories
from tests.conftest import signed_in
from tests.errors import codes_of, errors_of
from tests.file_server import JPEG

URL = "/api/v1/attachments"


def upload(api, content=JPEG, name="roof.jpg", **owner):
    file = SimpleUploadedFile(name, content, content_type="text/html")
    return api.post(URL, {"file": file, **owner}, format="multipart")


def listed(api, owner, row):
    answer = api.get(f"/api/v1/{owner}/{row.pk}/attachments")
    return [file["id"] for file in answer.json()["attachments"]] if answer.status_code == 200 else answer.status_code


def test_photo_is_put_on_a_contact_and_removed(csr_api, csr, acme, client):
    contact = factories.ContactFactory(company=acme)
    made = upload(csr_api, contact=contact.pk)
    assert made.status_code == 201, made.content
    file = made.json()
    assert (file["content_type"], file["name"], file["size"]) == ("image/jpeg", "roof.jpg", len(JPEG))
    assert (file["contact"], file["created_by"]) == (contact.pk, csr.pk)
    assert b"".join(client.get(file["url"]).streaming_content) == JPEG
    assert listed(csr_api, "contacts", contact) == [file["id"]]
    tag = csr_api.get(f"{URL}/{file['id']}")["ETag"]
    assert csr_api.delete(f"{URL}/{file['id']}", headers={"if-match": tag}).status_code == 204
    assert listed(csr_api, "contacts", contact) == []
    with all_tenants():
        assert not StoredFile.objects.exists()


def test_refusals_of_an_upload_have_codes_of_the_list(csr_api):
    assert codes_of(upload(csr_api, contact="abc")) == {"contact": ["wrong_type"]}
    [code] = codes_of(upload(csr_api, b""))["file"]
    assert code in {str(each) for each in ErrorCode}


def test_audit_has_who_put_a_photo_on_a_contact_and_who_removed_it(csr_api, csr, manager_api, manager, acme):
    contact = factories.ContactFactory(company=acme)
    file = upload(csr_api, contact=contact.pk).json()["id"]
    upload(csr_api)  # waits for its message
    assert manager_api.delete(f"{URL}/{file}").status_code == 204
    entries = manager_api.get("/api/v1/audit?resource=attachments&order=oldest").json()["results"]
    assert [(entry["object"], entry["action"], entry["user"], entry["changes"]) for entry in entries] == [
        (file, "insert", csr.pk, {"contact": [None, contact.pk]}),
        (file, "delete", manager.pk, {"contact": [contact.pk, None]}),
    ]


def test_rep_adds_photos_to_own_appointments_alone(rep, acme):
    api = signed_in(rep)
    own, other = (
        factories.AppointmentFactory(contact__company=acme, assigned_rep=who)
        for who in (rep, factories.UserFactory(company=acme, role="rep"))
    )
    assert upload(api, appointment=own.pk).status_code == 201
    assert [*errors_of(upload(api, appointment=other.pk))] == ["appointment"]
    assert [*errors_of(upload(api, contact=other.contact_id))] == ["contact"]
    assert [*errors_of(upload(api))] == ["contact"]
    assert len(listed(api, "appointments", own)) == 1
    assert listed(api, "appointments", other) == 404
    assert listed(api, "contacts", other.contact) == 404


def test_other_company_finds_nothing(csr_api, outsider_api, acme):
    contact = factories.ContactFactory(company=acme)
    file = upload(csr_api, contact=contact.pk).json()
    assert listed(outsider_api, "contacts", contact) == 404
    for method in ("get", "delete"):
        assert getattr(outsider_api, method)(f"{URL}/{file['id']}").status_code == 404
    assert [*errors_of(upload(outsider_api, contact=contact.pk))] == ["contact"]


@pytest.mark.parametrize("content", [b"<html><script>", b"<svg onload='alert(1)'/>", b"PK\\x03\\x04", b"MZ"])
def test_file_that_could_run_something_is_refused(content, csr_api, acme):
    answer = upload(csr_api, content, contact=factories.ContactFactory(company=acme).pk)
    assert (answer.status_code, codes_of(answer)) == (400, {"file": ["unreadable_file"]})
    with all_tenants():
        assert not Attachment.objects.exists()


def test_file_that_is_too_large_is_refused(csr_api, acme, monkeypatch):
    monkeypatch.setattr(uploads, "MAX_UPLOAD", len(JPEG) - 1)
    assert upload(csr_api).status_code == 400


def test_contact_has_a_limited_number_of_files(csr_api, acme, monkeypatch):
    monkeypatch.setattr(uploads, "MAX_ON_ONE", 1)
    contact = factories.ContactFactory(company=acme)
    assert [upload(csr_api, contact=contact.pk).status_code for _ in range(2)] == [201, 409]


def test_files_of_calls_are_not_deleted_one_by_one(csr_api, acme):
    call = factories.CallFactory(contact__company=acme)
    file = factories.AttachmentFactory(contact=None, company=acme, call=call, kind="recording")
    assert csr_api.delete(f"{URL}/{file.pk}").status_code == 400


def test_upload_that_nobody_uses_is_deleted_after_a_day(csr_api, acme):
    old, new = (upload(csr_api).json()["id"] for _ in range(2))
    with all_tenants():
        Attachment.objects.filter(pk=old).update(created_at="2026-03-02T00:00Z")
        Attachment.objects.filter(pk=new).update(created_at="2100-01-01T00:00Z")
        retention.remove_unused_uploads()
        assert [each.pk for each in Attachment.objects.all()] == [new]


def test_uploads_are_deleted_in_turns(csr_api, acme, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 1)
    monkeypatch.setattr(retention, "BATCHES", 2)
    for _ in range(3):
        upload(csr_api)
    with all_tenants():
        Attachment.objects.update(created_at="2026-03-02T00:00Z")
        assert [retention.remove_unused_uploads() for _ in range(2)] == [False, True]
        assert not Attachment.objects.exists()


def test_upload_that_is_no_form_is_refused(csr_api):
    refused = csr_api.post(URL, data='{"contact": 1e400, "appointment": 5.5}', content_type="application/json")
    assert refused.status_code == 400
    assert {*errors_of(refused)} >= {"contact", "appointment"}


def test_files_follow_a_merge(csr_api, acme):
    kept, gone = (factories.ContactFactory(company=acme) for _ in range(2))
    file = upload(csr_api, contact=gone.pk).json()
    assert csr_api.post(f"/api/v1/contacts/{kept.pk}/merge", {"other": gone.pk}).status_code == 200
    assert listed(csr_api, "contacts", kept) == [file["id"]]
