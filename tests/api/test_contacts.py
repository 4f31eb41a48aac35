"""Contacts, flags, notes, leads and phone lines."""

import pytest

from crm.db.tenancy import tenant
from crm.models import Contact, ContactPhone
from tests.errors import detail_of, errors_of
from tests.factories import CallFactory, ContactFactory, ContactFlagFactory, ContactPhoneFactory, PhoneLineFactory

CONTACTS = "/api/v1/contacts"


def found(api, term):
    response = api.get(CONTACTS, {"search": term})
    assert response.status_code == 200, response.content
    return {row["id"] for row in response.json()["results"]}


def test_phone_number_alone_creates_a_contact(csr_api, acme):
    answer = csr_api.post(CONTACTS, {"phone": "(212) 555-0123"})
    assert answer.status_code == 201
    assert answer.json()["phone"] == "+12125550123"
    assert answer.json()["phones"] == ["+12125550123"]
    with tenant(acme.pk):
        assert Contact.objects.get().company == acme


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "phone"),
        ({"phone": "call me"}, "phone"),
        ({"phone": "22395"}, "phone"),
        ({"phone": "555-0123"}, "phone"),
        ({"phone": "+12125550123", "email": "nobody"}, "email"),
        ({"phone": "+12125550123", "timezone": "Mars/Base"}, "timezone"),
        ({"phone": "+12125550123", "first_name": "a\x00b"}, "first_name"),
        ({"phone": "+12125550123", "vip": True}, "vip"),
    ],
)
def test_invalid_contact_is_rejected_by_field(body, named, csr_api, acme):
    response = csr_api.post(CONTACTS, body)
    assert response.status_code == 400
    assert list(errors_of(response)) == [named]
    with tenant(acme.pk):
        assert not Contact.objects.exists()


@pytest.mark.parametrize(
    "spelling", ["+5215512345678", "5215512345678", "005215512345678", "+52 55 1234 5678", "whatsapp:+5215512345678"]
)
def test_foreign_number_is_found_and_stays_unique_in_every_spelling(spelling, csr_api, acme):
    contact = ContactFactory(company=acme, phone="+525512345678")
    assert found(csr_api, spelling.removeprefix("whatsapp:")) == {contact.pk}
    response = csr_api.post(CONTACTS, {"phone": spelling})
    assert response.status_code == 400
    assert "Another contact" in errors_of(response)["phone"][0]


def test_number_of_withheld_callers_is_rejected(csr_api):
    assert list(errors_of(csr_api.post(CONTACTS, {"phone": "+86282452253"}))) == ["phone"]


def test_phone_number_is_unique_within_a_company(csr_api, acme, globex):
    ContactFactory(company=globex, phone="+12125550123")
    assert csr_api.post(CONTACTS, {"phone": "+12125550123"}).status_code == 201
    second = ContactFactory(company=acme)
    ContactPhoneFactory(contact=second, phone="+12125550124")
    for taken in ("+12125550123", "+12125550124"):
        response = csr_api.post(CONTACTS, {"phone": taken})
        assert response.status_code == 400
        assert "Another contact" in errors_of(response)["phone"][0]
    with tenant(acme.pk):
        assert Contact.objects.count() == 2


def test_new_main_number_joins_the_contacts_numbers(csr_api, acme):
    contact = ContactFactory(company=acme, phone="+12125550123")
    answer = csr_api.patch(f"{CONTACTS}/{contact.pk}", {"phone": "+1 212 555 0199", "last_name": "Reed"}).json()
    assert answer["phone"] == "+12125550199"
    assert set(answer["phones"]) == {"+12125550123", "+12125550199"}
    assert answer["last_name"] == "Reed"
    with tenant(acme.pk):
        assert set(ContactPhone.objects.values_list("contact", "phone")) == {
            (contact.pk, "+12125550123"),
            (contact.pk, "+12125550199"),
        }


def test_taken_main_number_changes_nothing(csr_api, acme):
    ContactFactory(company=acme, phone="+12125550199")
    contact = ContactFactory(company=acme, phone="+12125550123", last_name="Reed")
    response = csr_api.patch(f"{CONTACTS}/{contact.pk}", {"phone": "+12125550199", "last_name": "Stone"})
    assert list(errors_of(response)) == ["phone"]
    contact.refresh_from_db()
    assert (contact.phone, contact.last_name) == ("+12125550123", "Reed")


@pytest.mark.parametrize(
    "spelling",
    [
        "+12125550123", "12125550123", "2125550123", "(212) 555-0123", "212-555-0123", "212.555.0123", "212 555 0123",
        "+1 (212) 555-0123", "1-212-555-0123", "5550123", "555-0123", "0123",
    ],
)  # fmt: skip
def test_search_finds_every_number_in_every_format(spelling, csr_api, acme, globex):
    contact = ContactFactory(company=acme, phone="+12015550100")
    ContactPhoneFactory(contact=contact, phone="+12125550123")
    ContactFactory(company=acme, phone="+12125550124")
    ContactFactory(company=globex, phone="+12125550123")
    assert found(csr_api, spelling) == {contact.pk}


@pytest.mark.parametrize(
    "term", ["Dana", "dana", "DAN", "O'Bri", "o'brien", "dana o'b", "O'Brien Dana", "dana.obrien@", "Dana.O"]
)
def test_search_finds_prefixes_of_names_and_email_addresses(term, csr_api, acme, globex):
    names = {"first_name": "Dana", "last_name": "O'Brien", "email": "Dana.OBrien@example.com"}
    contact = ContactFactory(company=acme, **names)
    ContactFactory(company=acme, first_name="Jordana", last_name="Brien", email="jordana@example.com")
    ContactFactory(company=globex, **names)
    assert found(csr_api, term) == {contact.pk}


def test_contact_is_deletable_only_without_a_history(manager_api, acme):
    contact = ContactFactory(company=acme)
    ContactFlagFactory(contact=contact)
    assert manager_api.delete(f"{CONTACTS}/{contact.pk}").status_code == 204
    caller = CallFactory(contact=ContactFactory(company=acme)).contact
    response = manager_api.delete(f"{CONTACTS}/{caller.pk}")
    assert response.status_code == 409
    assert "calls" in detail_of(response)
    with tenant(acme.pk):
        assert ContactPhone.objects.get().contact == caller


def test_flag_records_its_author_and_is_unique(csr, csr_api, acme):
    contact = ContactFactory(company=acme)
    body = {"contact": contact.pk, "flag_type": "opted_out"}
    answer = csr_api.post("/api/v1/contact-flags", body)
    assert answer.status_code == 201
    assert answer.json()["created_by"] == csr.pk
    assert "flag_type" in errors_of(csr_api.post("/api/v1/contact-flags", body))
    assert csr_api.delete(f"/api/v1/contact-flags/{answer.json()['id']}").status_code == 405


@pytest.mark.parametrize("route", ["contact-flags", "leads", "activities", "invoices", "appointments"])
def test_reference_to_another_companys_contact_is_rejected(route, csr_api, acme, globex):
    body = {
        "contact": ContactFactory(company=globex).pk,
        "flag_type": "opted_out",
        "body": "Has a dog.",
        "number": "INV-1",
        "amount": "1.00",
        "due_date": "2026-03-01",
        "scheduled_start": "2026-03-02T16:00:00Z",
        "scheduled_end": "2026-03-02T17:00:00Z",
    }
    needed = {
        "contact-flags": ["flag_type"],
        "leads": [],
        "activities": ["body"],
        "invoices": ["number", "amount", "due_date"],
        "appointments": ["scheduled_start", "scheduled_end"],
    }[route]
    response = csr_api.post(f"/api/v1/{route}", {name: body[name] for name in ["contact", *needed]})
    assert response.status_code == 400
    assert list(errors_of(response)) == ["contact"]


def test_note_belongs_to_its_user(csr, csr_api, acme):
    contact = ContactFactory(company=acme)
    answer = csr_api.post("/api/v1/activities", {"contact": contact.pk, "body": "Has a dog."})
    assert answer.status_code == 201
    note = answer.json()
    assert (note["user"], note["activity_type"], note["direction"]) == (csr.pk, "note", "")


def test_phone_line_is_named_by_managers_only(csr_api, manager_api, acme):
    line = PhoneLineFactory(company=acme, name="")
    url = f"/api/v1/phone-lines/{line.pk}"
    assert csr_api.patch(url, {"name": "Sales"}).status_code == 403
    line.refresh_from_db()
    assert line.name == ""
    assert manager_api.patch(url, {"name": "Sales"}).json()["name"] == "Sales"


def test_contact_alone_creates_a_lead(csr_api, acme):
    contact = ContactFactory(company=acme)
    answer = csr_api.post("/api/v1/leads", {"contact": contact.pk})
    assert answer.status_code == 201
    assert answer.json()["status"] == "new"


def test_opt_out_survives_deletion_and_recreation_of_the_contact(manager_api, acme):
    contact = ContactFactory(company=acme, phone="+12125550123")
    body = {"contact": contact.pk, "flag_type": "opted_out"}
    assert manager_api.post("/api/v1/contact-flags", body).status_code == 201
    assert manager_api.delete(f"{CONTACTS}/{contact.pk}").status_code == 204
    anew = manager_api.post(CONTACTS, {"phone": "+12125550123"}).json()
    flags = manager_api.get("/api/v1/contact-flags", {"contact": anew["id"]}).json()["results"]
    assert [flag["flag_type"] for flag in flags] == ["opted_out"]
