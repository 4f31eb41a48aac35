"""Admin pages of imports: upload, mapping, dry run, import, rejected rows and undo."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from crm.db.tenancy import all_tenants
from crm.models import Contact, ContactField, Import, StoredFile
from tests import factories
from tests.crm.imports.runs import finish

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "Name,Phone,Roof type\nAnn Field,303-555-0101,Slate\nBob Hill,1.3E+10,\nCid Moss,303-555-0103,Tile\n"
STRANGE = "Frist Name,Mobile Nr\nAnn,303-555-0101\n"


@pytest.fixture
def site(client, staff):
    client.force_login(staff)
    return client


def upload(site, company, text=LIST, name="list.csv"):
    file = SimpleUploadedFile(name, text.encode() if isinstance(text, str) else text)
    return site.post(reverse("admin:crm_import_add"), {"company": company.pk, "upload": file})


def map_columns(site, response, button="_import", **fields):
    """Post the mapping page as it is shown, with these fields changed."""
    form = site.get(response.url).context["form"]
    shown = {name: value for name in form.fields if (value := form[name].value())}
    return site.post(response.url, {**shown, button: "x", **fields})


def imported(response):
    with all_tenants():
        return finish(Import.objects.select_related("task").get(pk=response.url.rstrip("/").split("/")[-2]))


def page_of(source):
    return reverse("admin:crm_import_change", args=[source.pk])


def test_file_is_uploaded_mapped_tried_and_imported(site, staff, acme):
    response = upload(site, acme)
    page = site.get(response.url)
    assert "Ann Field" in page.content.decode()
    trial = imported(map_columns(site, response, "_dry_run", tags="VIP, Spring"))
    assert (trial.dry_run, trial.state, trial.created, trial.rejected) == (True, "done", 2, 1)
    with all_tenants():
        assert not Contact.objects.exists()
    page = site.get(page_of(trial)).content.decode()
    assert "Dry run: no contact was changed" in page
    assert "is a number that a spreadsheet rounded" in page
    source = imported(site.post(reverse("admin:crm_import_repeat", args=[trial.pk])))
    assert (source.dry_run, source.created, source.rejected, source.created_by) == (False, 2, 1, staff)
    with all_tenants():
        assert Contact.objects.get(first_name="Ann").contact_tags.count() == 2


def test_column_becomes_a_custom_field_only_if_a_person_says_so(site, acme):
    response = upload(site, acme)
    imported(map_columns(site, response, target_2=""))
    with all_tenants():
        assert not ContactField.objects.exists()
    imported(map_columns(site, response, target_2="field:roof_type", type_2="text"))
    with all_tenants():
        assert ContactField.objects.get().label == "Roof type"


def test_suggestions_are_shown_with_their_likeness_and_must_be_confirmed(site, acme):
    response = upload(site, acme, STRANGE)
    page = site.get(response.url).content.decode()
    assert "% alike" in page
    assert "Please check each suggestion" in page
    source = imported(map_columns(site, response))
    assert source.created == 1
    again = site.get(upload(site, acme, STRANGE).url).content.decode()
    assert "went in the last import" in again


def test_wrong_mapping_is_shown_at_its_column(site, acme):
    response = map_columns(site, upload(site, acme), target_2="phone")
    assert response.status_code == 200
    assert "Phone goes to Phone already." in response.content.decode()
    response = map_columns(site, upload(site, acme), target_1="")
    assert "A contact needs a number." in response.content.decode()


def test_rejected_rows_are_downloaded(site, acme):
    source = imported(map_columns(site, upload(site, acme)))
    response = site.get(reverse("admin:crm_import_rejected", args=[source.pk]))
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    assert "Bob Hill,1.3E+10" in text
    assert "attachment" in response["Content-Disposition"]


def test_import_is_undone_and_kept_contacts_are_named(site, acme):
    source = imported(map_columns(site, upload(site, acme)))
    with all_tenants():
        cid = Contact.objects.get(first_name="Cid")
        cid.city = "Troy"
        cid.save()
    url = reverse("admin:crm_import_undo", args=[source.pk])
    assert "has called, texted, changed" in site.get(url).content.decode()
    undone = imported(site.post(url))
    assert (undone.state, undone.reversed, undone.kept) == ("undone", 1, 1)
    page = site.get(page_of(undone)).content.decode()
    assert "Contacts that the undo has kept" in page
    assert reverse("admin:crm_contact_change", args=[cid.pk]) in page


def test_page_of_a_running_import_shows_progress_and_refreshes_itself(site, acme):
    response = map_columns(site, upload(site, acme))
    page = site.get(response.url)
    assert page["Refresh"] == "2"
    assert "<progress" in page.content.decode()
    with all_tenants():
        source = Import.objects.get()
    site.post(reverse("admin:crm_import_cancel", args=[source.pk]))
    page = site.get(response.url)
    assert "Cancelled" in page.content.decode()
    assert "Refresh" not in page.headers


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "The file is empty."),
        (b"\xff\xd8\xff\xe0 JFIF", "a JPEG picture"),
        ("Ann,303-555-0101\n", "name of a column"),
    ],
)
def test_unreadable_file_is_refused_at_its_field(site, acme, text, words):
    response = upload(site, acme, text)
    assert response.status_code == 200
    assert words in response.content.decode()
    with all_tenants():
        assert not StoredFile.objects.exists()


def test_pages_of_missing_rows_are_not_found(site, acme):
    for name in ("map", "rejected", "undo"):
        for pk in (1, 10**30):
            assert site.get(reverse(f"admin:crm_import_{name}", args=[pk])).status_code == 404


def test_staff_who_only_read_cannot_import(client, acme, django_user_model):
    reader = factories.UserFactory(company=None, role="", is_staff=True)
    client.force_login(reader)
    source = factories.ImportFactory(company=acme)
    for name in ("repeat", "cancel", "undo"):
        assert client.post(reverse(f"admin:crm_import_{name}", args=[source.pk])).status_code == 403
    assert client.get(reverse("admin:crm_import_rejected", args=[source.pk])).status_code == 403


def test_list_of_another_company_is_recognized_by_its_ids(site, acme, globex):
    factories.ContactFactory.create_batch(3, company=acme)
    foreign = factories.ContactFactory.create_batch(3, company=globex)
    text = "First name,Last name,Phone,Other phones,Tags,Flags,Created,ID\n" + "".join(
        f"Ann,Field,{contact.phone},,,,2026-03-02,{contact.pk}\n" for contact in foreign
    )
    response = upload(site, acme, text)
    assert "another company" in site.get(response.url).content.decode()
    response = upload(site, globex, text)
    assert "another company" not in site.get(response.url).content.decode()
    response = upload(site, acme)  # a list without IDs
    assert "another company" not in site.get(response.url).content.decode()
