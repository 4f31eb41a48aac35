"""Erasure of stored files and rows of imports that name a person."""

import io

import pytest
from django.core.management import call_command

from crm.db.tenancy import all_tenants, tenant
from crm.models import Contact, ImportRow, StoredFile, StoredObject
from crm.services.exports.files import write_xlsx
from crm.services.stored_files import parts_of, store_file
from tests import factories
from tests.crm.imports import runs

pytestmark = pytest.mark.django_db(transaction=True)
PHONE, OTHER = "+12125550142", "+12125550143"
LIST = "First name,Last name,Phone,Address\n"
ZELDA = "Zelda,Quux,(212) 555-0142,12 Elm Street\n"
ROBIN = "Robin,Field,212-555-0143,14 Elm Street\n"


def erase(*flags):
    output = io.StringIO()
    call_command("erase_contact", "acme", PHONE, *flags, stdout=output)
    return output.getvalue()


def files():
    with all_tenants():
        return set(StoredFile.objects.values_list("pk", flat=True))


def store_sheet(company, rows):
    with tenant(company.pk), write_xlsx(["First name", "Phone"], [rows]) as sheet:
        return store_file(
            company_id=company.pk, name="contacts.xlsx", content_type="application/xlsx", parts=parts_of(sheet)
        )


@pytest.fixture
def zelda(acme):
    return factories.ContactFactory(company=acme, phone=PHONE, first_name="Zelda")


def test_files_that_name_the_person_are_deleted_and_others_stay(acme, globex, zelda, tmp_path):
    named = runs.run(acme, tmp_path, LIST + ZELDA + ROBIN)
    other = runs.run(acme, tmp_path, LIST + ROBIN)
    foreign = runs.run(globex, tmp_path, LIST + ZELDA)
    sheet, other_sheet = store_sheet(acme, [["Zelda", PHONE]]), store_sheet(acme, [["Robin", OTHER]])
    assert "stored_files                       2" in erase()
    assert "would be deleted whole" in erase()
    assert {named.file_id, sheet.pk} < files()
    assert "were deleted whole" in erase("--yes")
    assert files() == {other.file_id, foreign.file_id, other_sheet.pk}


def test_an_import_that_waits_fails_plainly_and_brings_nobody_back(acme, zelda, tmp_path):
    source = runs.begin(acme, tmp_path, LIST + ZELDA)
    erase("--yes")
    source = runs.finish(source)
    assert (source.state, source.task.error_code) == ("failed", "file_expired")
    with all_tenants():
        assert not Contact.objects.filter(first_name="Zelda").exists()


def test_rows_that_wait_or_were_rejected_are_emptied_and_others_stay(acme, zelda, tmp_path):
    source = runs.run(acme, tmp_path, LIST + ZELDA + ROBIN + "Zelda,Quux,12,12 Elm Street +12125550142\n")
    waiting = factories.ImportRowFactory(source=source, company=acme, n=9, cells=["Zelda", "Quux", PHONE, "Elm"])
    erase("--yes")
    with all_tenants():
        rows = {row.n: (row.cells, row.verdict) for row in ImportRow.objects.filter(source=source)}
        assert not ImportRow.objects.filter(detail__contains="Elm").exists()
    assert rows == {
        2: (None, "updated"), 3: (["Robin", "Field", "212-555-0143", "14 Elm Street"], "created"),
        4: (None, "rejected"), waiting.n: (None, "waiting"),
    }  # fmt: skip


def test_rejected_rows_of_an_erased_person_are_downloaded_empty(acme, zelda, manager_api, tmp_path):
    source = runs.run(acme, tmp_path, LIST + ROBIN + "Zelda,Quux,12,12 Elm Street +12125550142\n")
    erase("--yes")
    response = manager_api.get(f"/api/v1/imports/{source.pk}/rejected")
    text = b"".join(response.streaming_content).decode()
    assert "Zelda" not in text
    assert text.count("Row 3") == 1


def test_objects_of_the_person_are_left_for_the_worker_and_said(acme, zelda):
    own = factories.StoredObjectFactory(company=acme)
    factories.AttachmentFactory(contact=zelda, file=own.file)
    other = factories.StoredObjectFactory(company=acme)
    factories.AttachmentFactory(contact=factories.ContactFactory(company=acme), file=other.file)
    assert "would delete these objects" in erase()
    said = erase("--yes")
    assert "stored_objects                     1" in said
    assert "deletes these objects from the file storage next" in said
    with all_tenants():
        assert dict(StoredObject.objects.values_list("key", "file")) == {own.key: None, other.key: other.file_id}
