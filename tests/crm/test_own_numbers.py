"""Numbers of a company's own phone lines, which are never a contact's."""

import pytest
from django.urls import reverse

from crm.db.tenancy import all_tenants
from crm.models import Contact, ContactPhone
from crm.services.provider_contacts import import_provider_contact
from tests.errors import errors_of
from tests.factories import ContactFactory, PhoneLineFactory

OWN = "+12125550177"
NAMED = [f"{OWN} is one of your own phone lines; enter the contact's own number."]
NO_NUMBERS = {"phones-TOTAL_FORMS": 0, "phones-INITIAL_FORMS": 0}


@pytest.fixture(autouse=True)
def line(acme):
    return PhoneLineFactory(company=acme, number=OWN)


def numbers():
    with all_tenants():
        return set(ContactPhone.objects.values_list("phone", flat=True)) | set(
            Contact.objects.values_list("phone", flat=True)
        )


@pytest.mark.parametrize("spelling", [OWN, "(212) 555-0177"])
def test_contact_with_an_own_number_is_rejected_by_the_api(spelling, csr_api, acme):
    response = csr_api.post("/api/v1/contacts", {"phone": spelling})
    assert (response.status_code, errors_of(response)) == (400, {"phone": NAMED})
    contact = ContactFactory(company=acme)
    response = csr_api.patch(f"/api/v1/contacts/{contact.pk}", {"phone": spelling})
    assert (response.status_code, errors_of(response)) == (400, {"phone": NAMED})
    assert OWN not in numbers()


def test_contact_with_an_own_number_is_rejected_by_the_admin(client, staff, acme):
    client.force_login(staff)
    form = {"company": acme.pk, "phone": OWN, **NO_NUMBERS}
    response = client.post(reverse("admin:crm_contact_add"), form)
    assert response.context["adminform"].form.errors == {"phone": NAMED}
    form |= {"phone": "212-555-0178", "phones-TOTAL_FORMS": 1, "phones-0-phone": OWN}
    response = client.post(reverse("admin:crm_contact_add"), form)
    assert response.context["inline_admin_formsets"][0].formset.errors == [{"phone": NAMED}]
    assert OWN not in numbers()


def test_provider_contact_with_an_own_number_keeps_its_other_numbers(in_acme):
    import_provider_contact(phones=[OWN, "+12125550178"], first_name="Ann", last_name="", email="", deleted=False)
    assert numbers() == {"+12125550178"}
    import_provider_contact(phones=[OWN], first_name="Front", last_name="Desk", email="", deleted=False)
    assert numbers() == {"+12125550178"}


def test_line_of_another_company_may_be_a_contact(outsider_api):
    assert outsider_api.post("/api/v1/contacts", {"phone": OWN}).status_code == 201


def test_number_of_a_contact_may_become_a_line_and_the_contact_stays(manager_api, acme):
    contact = ContactFactory(company=acme, phone="+12125550179")
    body = {"name": "Front", "number": contact.phone, "provider": "openphone"}
    assert manager_api.post("/api/v1/phone-lines", body).status_code == 201
    response = manager_api.patch(f"/api/v1/contacts/{contact.pk}", {"city": "Boulder", "phone": contact.phone})
    assert (response.status_code, response.json()["city"]) == (200, "Boulder")
