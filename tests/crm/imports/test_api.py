"""`imports`: a form with a file goes in, counts and the rejected rows come out."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from crm.db.tenancy import all_tenants
from crm.models import Contact, Import
from crm.services.background_tasks.jobs import do_next_step
from tests import factories
from tests.crm.imports.test_imports import LIST
from tests.errors import errors_of

pytestmark = pytest.mark.django_db(transaction=True)
URL = "/api/v1/imports"


def send(api, text=LIST, **fields):
    return api.post(URL, {"file": SimpleUploadedFile("May list.csv", text.encode()), **fields}, format="multipart")


def work_off():
    while do_next_step():
        pass


def test_a_file_is_imported_by_the_worker_and_undone(manager_api):
    response = send(manager_api)
    row = response.json()
    assert (response.status_code, row["state"], row["created_by_name"]) == (202, "waiting", "maria")
    work_off()
    row = manager_api.get(f"{URL}/{row['id']}").json()
    assert (row["state"], row["rows"], row["created"], row["rejected"]) == ("done", 5, 2, 2)
    rejected = manager_api.get(f"{URL}/{row['id']}/rejected")
    assert rejected["Content-Disposition"] == 'attachment; filename="Rejected rows of May list.csv"'
    assert b"1.30356E+10" in b"".join(rejected.streaming_content)
    assert manager_api.post(f"{URL}/{row['id']}/undo").json()["state"] == "undoing"
    work_off()
    row = manager_api.get(f"{URL}/{row['id']}").json()
    assert (row["state"], row["reversed"]) == ("undone", 2)
    refused = manager_api.post(f"{URL}/{row['id']}/undo")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (409, "not_undoable")


def test_a_dry_run_changes_no_contact(manager_api):
    row = send(manager_api, dry_run="true").json()
    work_off()
    row = manager_api.get(f"{URL}/{row['id']}").json()
    assert (row["state"], row["dry_run"], row["created"], row["list"]) == ("done", True, 2, None)
    with all_tenants():
        assert not Contact.objects.exists()


@pytest.mark.parametrize(
    ("text", "fields", "status", "code"),
    [
        ("", {}, 400, "unreadable_file"),
        (LIST, {"mapping": '{"columns": {"Phone": "telepathy"}}'}, 400, "invalid_mapping"),
        (LIST, {"preset": "telepathy"}, 400, "invalid_mapping"),
        (
            LIST,
            {"mapping": '{"columns": {"Phone": "phone"}, "fields": {"a": {"label": "\\u0000"}}}'},
            400,
            "invalid_mapping",
        ),
        (LIST, {"tags": ["Roof, slate"]}, 400, "invalid_mapping"),
        (LIST, {"dryrun": "1"}, 400, "unknown_field"),
        ("Who,Where to reach\nAnn,3035550101\n", {}, 409, "mapping_needed"),
    ],
)
def test_what_cannot_be_imported_is_refused_with_its_reason(manager_api, text, fields, status, code):
    refused = send(manager_api, text, **fields)
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (status, code)
    with all_tenants():
        assert not Import.objects.exists()


def test_a_body_without_a_file_names_it(manager_api):
    assert errors_of(manager_api.post(URL, {})).keys() == {"file"}


def test_only_managers_import_and_see_their_company_s_imports(manager_api, csr_api, outsider_api):
    assert send(csr_api).status_code == 403
    pk = send(manager_api).json()["id"]
    assert outsider_api.get(URL).json()["results"] == []
    assert outsider_api.post(f"{URL}/{pk}/undo").status_code == 404


@pytest.mark.parametrize("dry_run", ["true", "false"])
def test_a_list_of_another_company_is_named_as_such(manager_api, acme, globex, dry_run):
    header = "First name,Last name,Phone,Flags,Created,ID\n"
    texts = {
        company: header
        + "".join(
            f"Ann,Field,{contact.phone},,2026-03-02,{contact.pk}\n"
            for contact in factories.ContactFactory.create_batch(3, company=company)
        )
        for company in (acme, globex)
    }
    assert send(manager_api, texts[acme], dry_run=dry_run).json()["warning"] == ""
    row = send(manager_api, texts[globex], dry_run=dry_run).json()
    assert "another company's list" in row["warning"]
    [again] = [each for each in manager_api.get(URL).json()["results"] if each["id"] == row["id"]]
    assert again["warning"] == row["warning"]
